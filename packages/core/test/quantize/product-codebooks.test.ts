/** Codebooks of sub-spaces, and the rotation before them. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  type ProductCodebooks,
  Random,
  type RotatedCodebooks,
  trainProductCodebooks,
  trainRotatedCodebooks,
} from "../../src/quantize.ts";

const [count, length] = [400, 8];

/** Four pairs of coordinates, each pair one of eight points and a little noise: then turned, so that no pair is a sub-space any more. */
function turnedPairs(): Float32Array {
  const random = new Random(5);
  const points = Array.from({ length: 4 }, () => Array.from({ length: 8 }, () => [random.uniform(), random.uniform()]));
  const vectors = new Float32Array(count * length);
  for (let i = 0; i < count; i++) {
    const v = points.flatMap((pair) => pair[random.below(8)]!.map((x) => x - 0.5 + 0.02 * random.uniform()));
    // Turns of 45 degrees between coordinates of different pairs.
    for (const [a, b] of [
      [0, 2],
      [1, 4],
      [3, 6],
      [5, 7],
    ] as const) {
      [v[a], v[b]] = [(v[a]! - v[b]!) * Math.SQRT1_2, (v[a]! + v[b]!) * Math.SQRT1_2];
    }
    vectors.set(v, i * length);
  }
  return vectors;
}

/** Mean |x - Rᵀ y|² of what the codes stand for. */
function errorOf(data: Float32Array, found: ProductCodebooks, rotation?: Float32Array): number {
  const { codebooks, codes, dimension, subspaces } = found;
  const size = codebooks.length / subspaces;
  let error = 0;
  for (let i = 0; i < count; i++) {
    const y = Array.from({ length }, (_, j) => {
      const s = Math.floor(j / dimension);
      return codebooks[s * size + codes[i * subspaces + s]! * dimension + (j % dimension)]!;
    });
    for (let j = 0; j < length; j++) {
      const back = rotation ? y.reduce((sum, value, a) => sum + rotation[a * length + j]! * value, 0) : y[j]!;
      error += (data[i * length + j]! - back) ** 2;
    }
  }
  return error / count;
}

describe("trainProductCodebooks and trainRotatedCodebooks", () => {
  const data = turnedPairs();
  const tensor = { shape: [count, length], data };
  const options = { subspaces: 4, centroids: 8, seed: 1 };
  let plain: ProductCodebooks;
  let turned: RotatedCodebooks;
  beforeAll(async () => {
    plain = await trainProductCodebooks(tensor, options);
    turned = await trainRotatedCodebooks(tensor, options);
  });

  it("say the error of their codes", () => {
    expect(plain.error).toBeCloseTo(errorOf(data, plain), 6);
    expect(turned.error).toBeCloseTo(errorOf(data, turned, turned.rotation), 5);
  });

  it("a rotation is orthogonal", () => {
    const { rotation } = turned;
    for (let a = 0; a < length; a++)
      for (let b = 0; b < length; b++) {
        let dot = 0;
        for (let j = 0; j < length; j++) dot += rotation[a * length + j]! * rotation[b * length + j]!;
        expect(dot).toBeCloseTo(a === b ? 1 : 0, 5);
      }
  });

  it("a rotation takes away most of what no pair of coordinates sees", () => {
    expect(turned.error).toBeLessThan(0.75 * plain.error);
  });

  it("are the same for a seed, and of the size of the vectors", async () => {
    expect(await trainRotatedCodebooks(tensor, options)).toEqual(turned);
    const half = { shape: [count, length], data: data.map((x) => x / 2) };
    const smaller = await trainRotatedCodebooks(half, options);
    expect(smaller.codes).toEqual(turned.codes);
    expect(smaller.rotation).toEqual(turned.rotation);
    expect(smaller.error).toBe(turned.error / 4);
  });

  it("refuse vectors that are too long to rotate", async () => {
    const long = { shape: [1, 1025], data: new Float32Array(1025) };
    await expect(trainRotatedCodebooks(long, { subspaces: 1 })).rejects.toThrow(
      "trainRotatedCodebooks: numbers of a vector, expected at most 1024, got 1025",
    );
    await expect(trainRotatedCodebooks(tensor, { ...options, rotations: 0 })).rejects.toThrow(
      "rotations, expected an integer 1..1000",
    );
  });

  it("zeros are exact, and leave the rotation as it is", async () => {
    const zeros = { shape: [3, 4], data: new Float32Array(12) };
    const found = await trainRotatedCodebooks(zeros, { subspaces: 2, centroids: 2 });
    expect(found.error).toBe(0);
    expect([...found.rotation]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  });
});
