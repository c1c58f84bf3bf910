import { grad, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../src/autograd.ts";
import { batchNorm } from "../src/layers/batch-norm.ts";
import { convolve } from "../src/layers/conv.ts";
import type { Context } from "../src/layers/layer.ts";
import { maxPool } from "../src/layers/pool.ts";
import { Random } from "../src/random.ts";

beforeAll(startEngine);

const EVALUATION: Context = { training: false, statistics: {}, batchStatistics: {} };

function randomInts(seed: number, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.integer(9) - 4);
}

const tensor = (data: Float32Array<ArrayBuffer>, shape: number[]) => np.array(data, { shape, dtype: np.float32 });

/** The definition: y[n,i,j,o] = sum of x[n,i+r-1,j+s-1,c] w[3r+s,c,o], x = border outside. */
function naiveConv(
  x: Float32Array,
  [n, h, w, c]: number[],
  weights: Float32Array,
  o: number,
  border: number,
): number[] {
  const y: number[] = [];
  for (let b = 0; b < n!; b++)
    for (let i = 0; i < h!; i++)
      for (let j = 0; j < w!; j++)
        for (let k = 0; k < o; k++) {
          let sum = 0;
          for (let tap = 0; tap < 9; tap++)
            for (let ch = 0; ch < c!; ch++) {
              const [r, s] = [i + Math.floor(tap / 3) - 1, j + (tap % 3) - 1];
              const inside = r >= 0 && r < h! && s >= 0 && s < w!;
              const value = inside ? x[((b * h! + r) * w! + s) * c! + ch]! : border;
              sum += value * weights[(tap * c! + ch) * o + k]!;
            }
          y.push(sum);
        }
  return y;
}

describe("convolve", () => {
  it.each([
    { shape: [2, 6, 5, 3], outputs: 4, border: 0 as const },
    { shape: [1, 4, 7, 1], outputs: 3, border: 0 as const },
    { shape: [2, 5, 4, 2], outputs: 3, border: 1 as const },
    { shape: [2, 5, 4, 4], outputs: 3, border: 1 as const },
  ])("equals the definition for x $shape, $outputs outputs, border $border", ({ shape, outputs, border }) => {
    const x = randomInts(1, shape);
    const w = randomInts(2, [9, shape[3]!, outputs]);
    for (const training of [true, false]) {
      const y = convolve(tensor(x, shape), tensor(w, [9, shape[3]!, outputs]), border, training);
      expect(y.shape).toEqual([...shape.slice(0, 3), outputs]);
      expect([...(y.dataSync() as Float32Array)]).toEqual(naiveConv(x, shape, w, outputs, border));
    }
  });

  it.each([2, 4])("has the weight gradient of the definition, %d channels", (channels) => {
    // y is linear in w, so d sum(u y) / d w[t] = sum(u y(w = unit t)).
    const shape = [2, 4, 4, channels];
    const x = randomInts(3, shape);
    const u = randomInts(4, [2, 4, 4, 3]);
    const loss = (w: np.Array) =>
      convolve(tensor(x, shape), w, 1, true)
        .mul(tensor(u, [2, 4, 4, 3]))
        .sum();
    const got = grad(loss)(tensor(randomInts(5, [9, channels, 3]), [9, channels, 3])).dataSync() as Float32Array;
    // A border of +1 makes y affine in x, still linear in w.
    for (let t = 0; t < 27 * channels; t++) {
      const unit = new Float32Array(27 * channels);
      unit[t] = 1;
      const y = naiveConv(x, shape, unit, 3, 1);
      expect(got[t]).toBe(y.reduce((sum, value, i) => sum + value * u[i]!, 0));
    }
  });
});

describe("maxPool", () => {
  it("takes the largest of each 2x2 block", () => {
    const x = Float32Array.from({ length: 32 }, (_, i) => (i * 7) % 32);
    const y = maxPool("pool").apply(tensor(x, [1, 4, 4, 2]), {}, EVALUATION);
    const at = (r: number, s: number, c: number) => x[(r * 4 + s) * 2 + c]!;
    const expected = [0, 2].flatMap((r) =>
      [0, 2].flatMap((s) =>
        [0, 1].map((c) => Math.max(at(r, s, c), at(r, s + 1, c), at(r + 1, s, c), at(r + 1, s + 1, c))),
      ),
    );
    expect([...(y.dataSync() as Float32Array)]).toEqual(expected);
  });
});

describe("batchNorm", () => {
  it("normalizes by the batch in training, reports its statistics, and by running ones in evaluation", () => {
    const layer = batchNorm("norm", { channels: 2 });
    const parameters = () => ({
      "norm.scale": np.array([2, 1], { dtype: np.float32 }),
      "norm.bias": np.array([0, 5], { dtype: np.float32 }),
    });
    const x = () => tensor(Float32Array.of(1, 10, 3, 10, 5, 10, 7, 10), [4, 1, 1, 2]);
    const context: Context = { training: true, statistics: {}, batchStatistics: {} };
    const y = layer.apply(x(), parameters(), context).dataSync() as Float32Array;
    // Channel 0: mean 4, variance 5.
    for (const [i, value] of [-3, -1, 1, 3].entries())
      expect(y[2 * i]).toBeCloseTo((2 * value) / Math.sqrt(5.00001), 5);
    for (let i = 0; i < 4; i++) expect(y[2 * i + 1]).toBe(5);
    expect(context.batchStatistics["norm.mean"]?.js()).toEqual([4, 10]);
    expect(context.batchStatistics["norm.variance"]?.js()).toEqual([5, 0]);

    const statistics = { "norm.mean": np.array([1, 9]), "norm.variance": np.array([4, 1]) };
    const z = layer.apply(x(), parameters(), { training: false, statistics, batchStatistics: {} });
    expect((z.dataSync() as Float32Array)[2]).toBeCloseTo(2, 5);
  });
});
