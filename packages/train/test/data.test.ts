import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it, test } from "vitest";
import { batches } from "../src/data/batches.ts";
import { parseIdx } from "../src/data/idx.ts";
import { type Digits, readMnist, readPackagedDigits, withoutDigits } from "../src/data/mnist.ts";
import { DataError, HeldOutDigitsError } from "../src/errors.ts";

const mnist = resolve(process.env.LOWBIT_DATA ?? resolve(import.meta.dirname, "../../../../shared/data"), "mnist");
const hasMnist = existsSync(resolve(mnist, "train-images-idx3-ubyte.gz"));

/** Images of one value each, which is also what tells them apart. */
function digitsOf(values: readonly number[], labels = values.map((v) => v % 10)): Digits {
  return {
    count: values.length,
    images: Uint8Array.from({ length: values.length * 784 }, (_, i) => values[Math.floor(i / 784)]!),
    labels: Uint8Array.from(labels),
  };
}

const imagesOf = (digits: Digits) => ({ ...digits, height: 28, width: 28, channels: 1, classes: 10 });

describe("parseIdx", () => {
  it("reads shape and data", () => {
    const bytes = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
    expect(parseIdx(bytes)).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  it.each([
    ["empty", []],
    ["of floats", [0, 0, 13, 1, 0, 0, 0, 1, 9, 9, 9, 9]],
    ["cut in its header", [0, 0, 8, 3, 0, 0, 0, 1]],
    ["cut in its data", [0, 0, 8, 1, 0, 0, 0, 3, 1, 2]],
    ["with a size near 2^32", [0, 0, 8, 1, 255, 255, 255, 255, 1]],
    ["with bytes left over", [0, 0, 8, 1, 0, 0, 0, 1, 1, 2]],
  ])("refuses a file %s", (_, bytes) => {
    expect(() => parseIdx(Uint8Array.from(bytes))).toThrow(DataError);
  });
});

describe("withoutDigits", () => {
  it("takes one image away for each held-out digit, the first of equals", () => {
    const training = digitsOf([5, 6, 5, 7, 8]);
    const kept = withoutDigits(training, digitsOf([5, 8]), 2);
    expect([...kept.labels]).toEqual([6, 5, 7]);
    expect(kept.images[0]).toBe(6);
    expect(kept.images.length).toBe(3 * 784);
  });

  it("fails by name when a held-out digit is not there", () => {
    expect(() => withoutDigits(digitsOf([1, 2, 3]), digitsOf([1, 9]), 2)).toThrow(HeldOutDigitsError);
    expect(() => withoutDigits(digitsOf([1, 2, 3]), digitsOf([1, 9]), 2)).toThrow(/exactly 2 .* but 1 do/);
  });

  it("does not take an equal image of another class for the same", () => {
    expect(() => withoutDigits(digitsOf([1], [1]), digitsOf([1], [2]), 1)).toThrow(HeldOutDigitsError);
  });

  test.skipIf(!hasMnist)("removes exactly the first 10,000 of MNIST (needs shared/data)", async () => {
    const training = await readMnist(mnist, "train");
    const packaged = await readPackagedDigits();
    expect(packaged.count).toBe(10_000);
    const kept = withoutDigits(training, packaged);
    expect(kept.count).toBe(50_000);
    expect(Buffer.compare(kept.images, training.images.subarray(10_000 * 784))).toBe(0);
    expect(Buffer.compare(kept.labels, training.labels.subarray(10_000))).toBe(0);
  });
});

describe("readPackagedDigits", () => {
  it("refuses a folder without them by name", async () => {
    await expect(readPackagedDigits(import.meta.dirname)).rejects.toThrow(DataError);
  });
});

describe("batches", () => {
  it("brings every image once an epoch, in an order of its own, and drops the rest", () => {
    const digits = digitsOf(Array.from({ length: 11 }, (_, i) => i + 1));
    const seen = (epoch: number) =>
      [...batches(imagesOf(digits), { batch: 5, seed: 1, epoch, shift: 0 })].flatMap(({ pixels }) => [
        pixels[0],
        pixels[784],
        pixels[1568],
        pixels[2352],
        pixels[3136],
      ]);
    expect(new Set(seen(1)).size).toBe(10);
    expect(seen(1)).toEqual(seen(1));
    expect(seen(1)).not.toEqual(seen(2));
  });

  it("moves an image by whole pixels, keeps what stays inside and fills with 0", () => {
    const digits: Digits = { count: 1, images: new Uint8Array(784), labels: Uint8Array.of(4) };
    digits.images[14 * 28 + 13] = 200;
    digits.images[0] = 99;
    const places = new Set<number>();
    for (let epoch = 0; epoch < 200; epoch++) {
      for (const { pixels, oneHot } of batches(imagesOf(digits), { batch: 1, seed: 1, epoch, shift: 2 })) {
        const place = pixels.indexOf(200);
        const [down, right] = [Math.floor(place / 28) - 14, (place % 28) - 13];
        places.add(place);
        expect(pixels.indexOf(99)).toBe(down < 0 || right < 0 ? -1 : down * 28 + right);
        expect(pixels.reduce((n, x) => n + (x === 0 ? 0 : 1), 0)).toBe(down < 0 || right < 0 ? 1 : 2);
        expect([...oneHot]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
      }
    }
    expect(places.size).toBe(25);
  });
});
