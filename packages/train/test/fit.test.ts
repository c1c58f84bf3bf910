import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../src/checkpoint.ts";
import { CheckpointError, DataError, DivergedError, RecipeError } from "../src/errors.ts";
import { Model } from "../src/model.ts";
import { fit } from "../src/train.ts";
import { filled } from "../src/values.ts";
import { syntheticDigits, tinyRecipe } from "./fixtures.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lowbit-train-"));
});
afterEach(() => rm(folder, { recursive: true }));

const training = syntheticDigits(100, 1);
const validation = syntheticDigits(40, 2);

describe("fit", () => {
  it.each(["binary", "ternary"] as const)("learns a synthetic task with %s weights: the loss falls", async (scheme) => {
    const { log } = await fit(tinyRecipe(scheme, 5), { training, validation, seed: 1 });
    expect(log.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
    expect(log[4]!.loss).toBeLessThan(0.6 * log[0]!.loss);
    expect(log[4]!.validation).toBeGreaterThan(0.8);
  });

  it("resumes an aborted run to the same bits", async () => {
    const recipe = tinyRecipe("binary", 3);
    const whole = await fit(recipe, { training, validation, seed: 4, checkpoint: join(folder, "whole") });

    const checkpoint = join(folder, "parts");
    const controller = new AbortController();
    const stopped = fit(recipe, {
      training,
      validation,
      seed: 4,
      checkpoint,
      signal: controller.signal,
      // In the middle of the second epoch: what it did is lost, the first epoch is kept.
      onProgress: ({ epoch, step }) => epoch === 2 && step === 5 && controller.abort(new Error("enough")),
    });
    await expect(stopped).rejects.toThrow("enough");
    const epochs: number[] = [];
    const resumed = await fit(recipe, {
      training,
      validation,
      seed: 4,
      checkpoint,
      onProgress: ({ entry }) => entry && epochs.push(entry.epoch),
    });

    expect(epochs).toEqual([2, 3]);
    expect(resumed.best).toBe(whole.best);
    expect(resumed.tensors).toEqual(whole.tensors);
    const strip = (log: typeof whole.log) => log.map(({ seconds: _, ...entry }) => entry);
    expect(strip(resumed.log)).toEqual(strip(whole.log));
    expect((await readdir(folder)).sort()).toEqual(["parts", "whole"]);
  });

  it("gives other weights for another seed", async () => {
    const recipe = tinyRecipe("ternary", 1);
    const [a, b] = [
      await fit(recipe, { training, validation, seed: 1 }),
      await fit(recipe, { training, validation, seed: 2 }),
    ];
    expect(a.tensors["conv1.weight"]).not.toEqual(b.tensors["conv1.weight"]);
  });

  it("ends by name when the loss is no longer a number", async () => {
    const recipe = { ...tinyRecipe("ternary", 1), peakRate: Number.NaN };
    await expect(fit(recipe, { training, validation, seed: 1 })).rejects.toThrow(DivergedError);
  });

  it("refuses another run's checkpoint", async () => {
    const checkpoint = join(folder, "run");
    await fit(tinyRecipe("binary", 1), { training, validation, seed: 1, checkpoint });
    const other = fit(tinyRecipe("binary", 1), { training, validation, seed: 2, checkpoint });
    await expect(other).rejects.toThrow(CheckpointError);
  });

  it("refuses a checkpoint of another Node, which rounds products otherwise", async () => {
    const checkpoint = join(folder, "run");
    const again = () => fit(tinyRecipe("binary", 1), { training, validation, seed: 1, checkpoint });
    await again();
    const { metadata, tensors } = decodeCheckpoint(new Uint8Array(await readFile(checkpoint)));
    await writeFile(checkpoint, encodeCheckpoint({ metadata: { ...metadata, node: "6" }, tensors }));
    await expect(again()).rejects.toThrow(CheckpointError);
    await expect(again()).rejects.toThrow(/begun in Node 6/);
  });

  it("refuses fewer samples than a batch has, and a start of another shape", async () => {
    const few = { training: syntheticDigits(9, 1), validation, seed: 1 };
    await expect(fit(tinyRecipe("binary", 1), few)).rejects.toThrow(DataError);
    await expect(fit(tinyRecipe("binary", 1), few)).rejects.toThrow(/batch is 10 samples, but there are 9/);
    const initial = { "conv1.weight": filled([9, 1, 5], 0) };
    const started = fit(tinyRecipe("binary", 1), { training, validation, seed: 1, initial });
    await expect(started).rejects.toThrow(RecipeError);
    await expect(started).rejects.toThrow(/conv1\.weight: .*\[9, 1, 4\].*\[9, 1, 5\]/);
  });

  it("exports to a Graph what the layers' own rules made of the weights", async () => {
    const recipe = tinyRecipe("binary", 1);
    const { tensors } = await fit(recipe, { training, validation, seed: 1 });
    const graph = new Model(recipe.layers()).toGraph(tensors, {
      name: "tiny",
      input: { name: "image", dtype: "f32", shape: [28, 28, 1] },
    });
    for (const name of ["conv1.weight", "conv2.weight", "dense.weight"]) {
      const constant = graph.constants.get(name)!;
      const data = constant.kind === "plain" ? (constant.data as Float32Array) : [];
      expect([...new Set(data)].sort()).toEqual([-1, 1]);
    }
  });
});
