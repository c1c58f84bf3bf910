import { grad, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../src/autograd.ts";
import { signSte } from "../src/estimators/ste.ts";
import { binaryWeights, ternaryWeights } from "../src/estimators/weights.ts";
import { quantizedRelu } from "../src/layers/activations.ts";
import { Random } from "../src/random.ts";

beforeAll(startEngine);

const array = (values: readonly number[]) => np.array([...values], { dtype: np.float32 });

/** Gradient of sum(upstream * f(x)). */
function gradient(f: (x: np.Array) => np.Array, x: readonly number[], upstream: readonly number[]): unknown {
  return grad((v: np.Array) => f(v).mul(array(upstream)).sum())(array(x)).js();
}

describe("signSte", () => {
  it("is the sign with sign(0) = +1", () => {
    expect(signSte(array([0.5, 0, -0, -2, 1e-30])).js()).toEqual([1, 1, 1, -1, 1]);
  });

  it("passes the gradient inside [-1, 1] and stops it outside", () => {
    expect(gradient(signSte, [0.5, -0.5, 2, -3], [1, 2, 3, 4])).toEqual([1, 2, 0, 0]);
  });

  it("is exactly ±1 for every latent value, not one unit in the last place beside it", () => {
    const random = new Random(5);
    const x = Array.from({ length: 5000 }, () => Math.fround(4 * random.uniform() - 2));
    expect(signSte(array(x)).js()).toEqual(x.map((v) => (v >= 0 ? 1 : -1)));
  });
});

describe("weight rules", () => {
  it("freezes binary weights to what the forward pass uses", () => {
    const w = { shape: [2, 2], data: Float32Array.of(0.3, -0.2, 0, -1) };
    expect([...binaryWeights.freeze(w).data]).toEqual([1, -1, 1, -1]);
    expect(binaryWeights.apply(array([0.3, -0.2, 0, -1])).js()).toEqual([1, -1, 1, -1]);
  });

  it("gives TWN's threshold and scale per output channel", () => {
    // Channel 0: |w| = 1, 0.2, 0.6, 0.2: mean 0.5, threshold 0.35, keeps 1 and 0.6, a = 0.8. Channel 1: 0, 0, 0, 2: mean 0.5, a = 2.
    const w = { shape: [4, 2], data: Float32Array.of(1, 0, 0.2, 0, -0.6, 0, -0.2, -2) };
    const expected = [0.8, 0, 0, 0, -0.8, 0, 0, -2];
    expect([...ternaryWeights.freeze(w).data]).toEqual(expected.map(Math.fround));
    const applied = ternaryWeights.apply(array([...w.data]).reshape([4, 2])).js() as number[][];
    for (const [i, value] of applied.flat().entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  it("passes the gradient of a ternary weight through unchanged", () => {
    const f = (w: np.Array) => ternaryWeights.apply(w.reshape([4, 1])).reshape([4]);
    expect(gradient(f, [1, 0.2, -0.6, -0.2], [1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
  });
});

describe("quantizedRelu", () => {
  const layer = quantizedRelu("relu", 0.25);
  const f = (x: np.Array) => layer.apply(x, {}, { training: false, statistics: {}, batchStatistics: {} });

  it("rounds to its grid, ties to even, and clamps to codes 0..127", () => {
    expect(f(array([-1, 0.3, 0.125, 0.375, 31.7, 50])).js()).toEqual([0, 0.25, 0, 0.5, 31.75, 31.75]);
  });

  it("passes the gradient between its clamps only", () => {
    expect(gradient(f, [-1, 0.3, 5, 50], [1, 2, 3, 4])).toEqual([0, 2, 3, 0]);
  });
});
