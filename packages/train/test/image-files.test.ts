import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { writeNpz } from "@lowbit/convert";
import { encode } from "jpeg-js";
import { Tensor } from "lowbit";
import { createTar } from "nanotar";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { batches } from "../src/data/batches.ts";
import { readJpegTar } from "../src/data/jpeg-tar.ts";
import { readImagesNpz } from "../src/data/npz-images.ts";
import { DataError } from "../src/errors.ts";
import { recipes } from "../src/recipes/index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lowbit-images-"));
});
afterAll(() => rm(folder, { recursive: true }));

const written = async (name: string, bytes: Uint8Array) => {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
};

/** A picture of one colour; large areas survive JPEG as they are. */
const plain = (side: number, [r, g, b]: readonly [number, number, number]) =>
  encode(
    { width: side, height: side, data: Uint8Array.from({ length: 4 * side * side }, (_, i) => [r, g, b, 255][i % 4]!) },
    95,
  ).data;

describe("readJpegTar", () => {
  const files = [
    { name: "train/frog/0001.jpg", data: plain(8, [10, 200, 30]) },
    { name: "train/cat/0002.jpg", data: plain(8, [250, 250, 250]) },
    { name: "train/cat/0001.jpg", data: plain(8, [200, 20, 20]) },
    { name: "train/readme.txt", data: new TextEncoder().encode("not a picture") },
  ];

  it("reads classes by folder, in order of their names, packed or not", async () => {
    const tar = createTar(files);
    const packed = await readJpegTar(await written("set.tar.gz", gzipSync(tar)));
    expect(packed).toMatchObject({
      count: 3,
      height: 8,
      width: 8,
      channels: 3,
      classes: 2,
      classNames: ["cat", "frog"],
    });
    expect(packed.names).toEqual(["cat/0001.jpg", "cat/0002.jpg", "frog/0001.jpg"]);
    expect([...packed.labels]).toEqual([0, 0, 1]);
    const first = [...packed.images.subarray(0, 3)];
    expect(first.map((x, i) => Math.abs(x - [200, 20, 20][i]!) <= 3)).toEqual([true, true, true]);
    expect(await readJpegTar(await written("set.tar", tar))).toEqual(packed);
  });

  it("refuses by name what is no such file", async () => {
    const other = createTar([...files, { name: "frog/0003.jpg", data: plain(16, [0, 0, 0]) }]);
    await expect(readJpegTar(await written("sizes.tar", other))).rejects.toThrow(
      /pictures of 8 x 8, got frog\/0003.jpg of 16 x 16/,
    );
    const cut = createTar([{ name: "frog/0001.jpg", data: files[0]!.data.subarray(0, 20) }]);
    await expect(readJpegTar(await written("cut.tar", cut))).rejects.toThrow(/frog\/0001.jpg: not a JPEG/);
    await expect(readJpegTar(await written("none.tar", createTar(files.slice(3))))).rejects.toThrow(DataError);
    await expect(readJpegTar(join(folder, "absent.tar"))).rejects.toThrow(/cannot be read/);
    await expect(readJpegTar(await written("bad.tar.gz", Uint8Array.of(0x1f, 0x8b, 1, 2)))).rejects.toThrow(DataError);
  });
});

describe("readImagesNpz", () => {
  const images = new Tensor("uint8", [2, 2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));

  it("reads images with or without an axis of channels", async () => {
    const labels = new Tensor("uint8", [2], Uint8Array.of(4, 0));
    const path = await written(
      "a.npz",
      writeNpz(
        new Map([
          ["images", images],
          ["y", labels],
        ]),
      ),
    );
    expect(await readImagesNpz(path, { labels: "y" })).toMatchObject({
      count: 2,
      height: 2,
      width: 3,
      channels: 1,
      classes: 5,
    });
    await expect(readImagesNpz(path)).rejects.toThrow(/labels missing/);
  });

  it("refuses labels of another number", async () => {
    const labels = new Tensor("uint8", [1], Uint8Array.of(4));
    const path = await written(
      "b.npz",
      writeNpz(
        new Map([
          ["images", images],
          ["labels", labels],
        ]),
      ),
    );
    await expect(readImagesNpz(path)).rejects.toThrow(/labels uint8 \[1\]/);
  });
});

describe("augmentation", () => {
  it("shifts and mirrors whole pixels of all channels", () => {
    const images = Uint8Array.from({ length: 2 * 3 * 2 }, (_, i) => i + 1);
    const set = { count: 1, height: 2, width: 3, channels: 2, classes: 1, images, labels: Uint8Array.of(0) };
    const seen = new Set<string>();
    for (let epoch = 1; epoch <= 60; epoch++)
      for (const { pixels } of batches(set, { batch: 1, seed: 1, epoch, shift: 0, flip: true }))
        seen.add(pixels.join());
    expect(seen).toEqual(new Set(["1,2,3,4,5,6,7,8,9,10,11,12", "5,6,3,4,1,2,11,12,9,10,7,8"]));
    const moved = new Set<string>();
    for (let epoch = 1; epoch <= 60; epoch++)
      for (const { pixels } of batches(set, { batch: 1, seed: 1, epoch, shift: 1 })) moved.add(pixels.join());
    expect(moved.size).toBe(9);
    // Down and right by one.
    expect(moved).toContain("0,0,0,0,0,0,0,0,1,2,3,4");
  });
});

const archive = resolve(
  process.env.LOWBIT_DATA ?? resolve(import.meta.dirname, "../../../../shared/data"),
  "cifar10-jpg",
);

test.skipIf(!existsSync(join(archive, "train.tar.gz")))(
  "CIFAR-10's files: 10,000 are held out by name (needs shared/data)",
  async () => {
    const sets = await recipes.find(({ name }) => name === "cifar10-vgg-float")!.data!(archive);
    expect([sets.training.count, sets.validation.count, sets.test.count]).toEqual([39_000, 1_000, 10_000]);
    for (let k = 0; k < 10; k++) expect(sets.test.labels.filter((label) => label === k).length).toBe(1_000);
    // No picture is in two sets: the first of each by its pixels.
    const first = [sets.training, sets.validation, sets.test].map((set) => set.range(0, 1).data.join());
    expect(new Set(first).size).toBe(3);
  },
  120_000,
);
