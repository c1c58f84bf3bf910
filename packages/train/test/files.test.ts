import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HeldOutDigitsError, OutputError, RecipeError, UnknownRecipeError } from "../src/errors.ts";
import { ensureWritable, writeAtomically } from "../src/files.ts";
import { embedding } from "../src/layers/embedding.ts";
import { train } from "../src/main.ts";
import { floatTraining } from "../src/strategies/strategy.ts";
import { cloudRecipe } from "./strategy-fixtures.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lowbit-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("writeAtomically", () => {
  it("replaces a file whole and leaves nothing beside it", async () => {
    const path = join(folder, "file");
    await writeFile(path, "old");
    await writeAtomically(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("leaves nothing behind where the target cannot be replaced", async () => {
    await expect(writeAtomically(folder, "bytes")).rejects.toThrow();
    await expect(writeAtomically(join(folder, "missing", "file"), "bytes")).rejects.toThrow(/ENOENT/);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("ensureWritable", () => {
  it("accepts a new file and an old one, refuses a folder and a path in a missing folder", async () => {
    await writeFile(join(folder, "old"), "");
    await ensureWritable(join(folder, "old"));
    await ensureWritable(join(folder, "new"));
    await expect(ensureWritable(folder)).rejects.toThrow(OutputError);
    await expect(ensureWritable(join(folder, "missing", "file"))).rejects.toThrow(OutputError);
    expect(await readdir(folder)).toEqual(["old"]);
  });
});

describe("train", () => {
  it("refuses an unknown recipe by the names of those that there are", async () => {
    const unknown = train("mnist-cnn", { data: folder, out: join(folder, "a.onnx") });
    await expect(unknown).rejects.toThrow(UnknownRecipeError);
    await expect(unknown).rejects.toThrow(/mnist-cnn-float, mnist-cnn-binary, mnist-cnn-ternary/);
  });

  it("refuses, before it looks at data, a recipe of which it would leave out a part", async () => {
    const { strategy: _, ...plain } = cloudRecipe({ strategy: () => floatTraining });
    const options = { data: join(folder, "none"), out: join(folder, "a.onnx") };
    const layers = () => [embedding("table", { tokens: 4, size: 3 })];
    for (const [part, missing] of [
      [{ data: () => Promise.reject() }, /`data` is only looked at/],
      [{ start: plain }, /`start` is only looked at/],
      [{ teacher: plain }, /`teacher` is only looked at/],
      [{ layers }, /table has no ONNX form/],
    ] as const) {
      const run = train({ ...plain, ...part }, options);
      await expect(run).rejects.toThrow(RecipeError);
      await expect(run).rejects.toThrow(missing);
      await expect(run).rejects.toThrow(/floatTraining/);
    }
  });

  it("trains on nothing where the held-out digits cannot be removed, and writes nothing", async () => {
    // Twenty images, image k all of pixel k; the first ten are packaged as digits: ten go where 10,000 must.
    const images = Uint8Array.from({ length: 20 * 784 }, (_, i) => Math.floor(i / 784));
    const header = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 28, 0, 0, 0, 28);
    await writeFile(join(folder, "train-images-idx3-ubyte.gz"), gzipSync(Buffer.concat([header, images])));
    const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 20, ...Array.from({ length: 20 }, (_, i) => i % 10));
    await writeFile(join(folder, "train-labels-idx1-ubyte.gz"), gzipSync(labels));
    for (let k = 0; k < 10; k++) {
      const data = new Array<number>(784).fill(Number((k / 255).toFixed(3)));
      await writeFile(join(folder, `${k}.json`), JSON.stringify({ data }));
    }
    const before = await readdir(folder);
    const run = train("mnist-cnn-float", { data: folder, digits: folder, out: join(folder, "a.onnx") });
    await expect(run).rejects.toThrow(HeldOutDigitsError);
    await expect(run).rejects.toThrow(/exactly 10000 .* but 10 do/);
    expect(await readdir(folder)).toEqual(before);
  });
});
