import { type Constant, decodeWeights } from "lowbit";
import { binary, kmeans, pow2, ternary } from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { np, startEngine } from "../src/autograd.ts";
import { Random } from "../src/random.ts";
import { constantRate } from "../src/schedule.ts";
import { bayesianCompression } from "../src/strategies/bayesian-compression.ts";
import { costsOf, improvedBayesianCompression } from "../src/strategies/improved-bayesian.ts";
import { lrNets } from "../src/strategies/lr-nets.ts";
import { projection } from "../src/strategies/projection.ts";
import { softWeightSharingTraining } from "../src/strategies/soft-weight-sharing.ts";
import { sparseDropoutTraining } from "../src/strategies/sparse-dropout.ts";
import type { Strategy } from "../src/strategies/strategy.ts";
import { logAlpha, logUniformDivergence } from "../src/strategies/variational.ts";
import { spikeDivergence, vnq } from "../src/strategies/vnq.ts";
import { agree, distanceAtEnd, moments, pretrained, sampled, sigmoid, ste, train } from "./strategy-fixtures.ts";

/** The own quantity of strategies whose weights are distributions, or have priors; see strategy-quantities.test.ts. */
beforeAll(startEngine);

describe("variational strategies draw pre-activations of the moments that drawing weights gives", () => {
  const random = new Random(12);

  it("LR-nets", async () => {
    const holds = async (strategy: Strategy) => {
      const { x, parameters, columns } = await moments(strategy);
      const latent = parameters["layer.weight"]!.data;
      const scale = latent.reduce((sum, w) => sum + Math.abs(w), 0) / latent.length;
      const odds = (name: string, i: number, column: number) => sigmoid(startOf(name).data[3 * i + column]!);
      const expected = [0, 1, 2].map((column) =>
        sampled(x, (i) =>
          random.uniform() < odds("zero", i, column) ? 0 : random.uniform() < odds("plus", i, column) ? scale : -scale,
        ),
      );
      return agree(columns, expected);
    };
    const reference = await moments(lrNets());
    const startOf = (name: string) => reference.parameters[`layer.weight.${name}`]!;
    expect(await holds(lrNets())).toBe(true);
    expect(await holds(ste(ternary()))).toBe(false);
  });

  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

  it.each([
    ["sparse variational dropout", () => sparseDropoutTraining({ samples: 10, start: -2 })],
    ["VNQ", () => vnq({ samples: 10, start: -2 })],
    ["improved Bayesian compression", () => improvedBayesianCompression({ samples: 10, start: -2 })],
  ])("%s: normal weights of their log variance", async (_, strategy) => {
    const holds = async (tried: Strategy) => {
      const { x, parameters, columns } = await moments(tried);
      const { data } = parameters["layer.weight"]!;
      const expected = [0, 1, 2].map((column) => sampled(x, (i) => data[3 * i + column]! + Math.exp(-1) * normal()));
      return agree(columns, expected);
    };
    expect(await holds(strategy())).toBe(true);
    expect(await holds(ste(ternary()))).toBe(false);
  });

  it("Bayesian compression: normal weights times a normal scale of each input", async () => {
    const holds = async (tried: Strategy) => {
      const { x, parameters, columns } = await moments(tried);
      const { data } = parameters["layer.weight"]!;
      const expected = [0, 1, 2].map((column) =>
        sampled(x, (i) => (1 + Math.exp(-1) * normal()) * (data[3 * i + column]! + Math.exp(-1) * normal())),
      );
      return agree(columns, expected);
    };
    expect(await holds(bayesianCompression({ samples: 10, start: -2 }))).toBe(true);
    expect(await holds(ste(ternary()))).toBe(false);
  });

  it("projection: a projected weight times 1 + 0.2 n", async () => {
    const holds = async (tried: Strategy) => {
      const { x, given, columns } = await moments(tried, 1);
      // One draw for all rows: the same numbers, not others, in a second pass; so the spread is taken over the columns' own draws.
      const again = await moments(tried, 1);
      expect(again.columns).toEqual(columns);
      const exact = [0, 1, 2].map((row) =>
        x.reduce((sum, v, i) => sum + v * given.weights!["layer.weight"]!.data[row * 6 + i]!, 0),
      );
      const apart = exact.map((y, i) => Math.abs(columns[i]!.mean - y));
      return apart.every((d, i) => d > 1e-4 && d < Math.abs(exact[i]!) + 2);
    };
    expect(await holds(projection({ projections: [binary(), pow2({ bits: 4 })] }))).toBe(true);
    expect(await holds(ste(binary()))).toBe(false);
  });
});

describe("the divergence of sparse variational dropout", () => {
  it("is Molchanov's integral, 1/2 ln α - E ln|1 + √α n|, up to a constant and 0.02", () => {
    /** E ln|1 + √α n| by the midpoint rule. */
    const expectation = (alpha: number) => {
      let sum = 0;
      for (let i = 0; i < 40_000; i++) {
        const n = -8 + (16 * (i + 0.5)) / 40_000;
        sum +=
          (Math.exp((-n * n) / 2) / Math.sqrt(2 * Math.PI)) *
          Math.log(Math.abs(1 + Math.sqrt(alpha) * n)) *
          (16 / 40_000);
      }
      return sum;
    };
    const logAlphas = [-6, -3, -1, 0, 1, 3, 6];
    const exact = logAlphas.map((l) => expectation(Math.exp(l)) - l / 2);
    const fitted = logUniformDivergence(np.array(logAlphas)).js() as number[];
    for (const [i, value] of fitted.entries())
      expect(Math.abs(value - fitted.at(-1)! - (exact[i]! - exact.at(-1)!))).toBeLessThan(0.02);
    expect(logAlpha(np.array([0, 2]), np.array([1, Math.E])).js()).toEqual([
      expect.closeTo(0, 4),
      expect.closeTo(0, 4),
    ]);
  });

  it("drops inputs that say nothing, which straight-through training keeps", async () => {
    const zeros = async (strategy: () => Strategy) => {
      const { weights } = await train(strategy, { epochs: 40, peakRate: 0.05 });
      return shareOfZeros(weights["first.weight"]!);
    };
    expect(await zeros(() => sparseDropoutTraining({ samples: 120, warmup: 0.5 }))).toBeGreaterThan(0.5);
    expect(await zeros(() => ste(ternary()))).toBeLessThan(0.5);
  });
});

/** Share of the codes that stand for 0. */
function shareOfZeros(constant: Constant): number {
  if (constant.kind !== "quantized") throw new Error("expected codes");
  const values = decodeWeights(constant);
  return values.filter((w) => w === 0).length / values.length;
}

describe("VNQ", () => {
  it("has its least divergence at the levels, and gathers the weights there", async () => {
    const grid = Array.from({ length: 61 }, (_, i) => -1.5 + i * 0.05);
    const values = spikeDivergence(np.array(grid), np.full([61], -6), np.array([1])).js() as number[];
    const minima = grid.filter((_, i) => i > 0 && i < 60 && values[i]! < values[i - 1]! && values[i]! < values[i + 1]!);
    expect(minima.map((m) => Math.round(m))).toEqual([-1, 0, 1]);
    for (const m of minima) expect(Math.abs(m - Math.round(m))).toBeLessThan(0.06);
    const recipe = { epochs: 60, peakRate: 0.02, schedule: constantRate };
    const own = await distanceAtEnd(() => vnq({ samples: 120, warmup: 0.3 }), recipe, await pretrained());
    const plain = await distanceAtEnd(() => ste(ternary()), recipe, await pretrained());
    expect(own.apart).toBeLessThan(0.75 * plain.apart);
  });
});

describe("soft weight-sharing", () => {
  it("gathers the weights around its means", async () => {
    const recipe = { epochs: 40, peakRate: 0.01 };
    const strategy = () => softWeightSharingTraining({ samples: 120, components: 5, zero: 0.3, strength: 0.3 });
    const own = await distanceAtEnd(strategy, recipe, await pretrained());
    const plain = await distanceAtEnd(() => ste(kmeans({ k: 5 })), recipe, await pretrained());
    expect(own.apart).toBeLessThan(0.5 * plain.apart);
  });
});

describe("improved Bayesian compression", () => {
  it("has the divergences of normals, less ln of their shares, beside that of the log-uniform prior", () => {
    const mixture = {
      "sharing.mean": np.array([-0.5, 1]),
      "sharing.log-precision": np.array([Math.log(4), Math.log(25)]),
      "sharing.logits": np.array([0, Math.log(3)]),
    };
    const [theta, variance] = [0.8, 0.09];
    const costs = costsOf(mixture, 0.6, np.array([theta]), np.array([Math.log(variance)])).js() as number[][];
    // ∫ q ln(q / p) by Simpson's rule over ±8 σ.
    const density = (x: number, mean: number, v: number) =>
      Math.exp(-((x - mean) ** 2) / v / 2) / Math.sqrt(2 * Math.PI * v);
    const divergence = (mean: number, v: number) => {
      const n = 2000;
      const [from, width] = [theta - 2.4, 4.8 / n];
      let sum = 0;
      for (let i = 0; i <= n; i++) {
        const x = from + i * width;
        const q = density(x, theta, variance);
        sum += (i === 0 || i === n ? 1 : i % 2 ? 4 : 2) * q * Math.log(q / density(x, mean, v));
      }
      return (sum * width) / 3;
    };
    expect(costs[0]![1]).toBeCloseTo(divergence(-0.5, 1 / 4) - Math.log(0.4 / 4), 3);
    expect(costs[0]![2]).toBeCloseTo(divergence(1, 1 / 25) - Math.log((0.4 * 3) / 4), 3);
    const logUniform = logUniformDivergence(np.array([Math.log(variance / theta ** 2)])).js() as number[];
    expect(costs[0]![0]).toBeCloseTo(logUniform[0]! - Math.log(0.6), 3);
  });

  it("prunes and shares: weights gather at 0 and around the trained means", async () => {
    const recipe = { epochs: 40, peakRate: 0.01 };
    const strategy = () => improvedBayesianCompression({ samples: 120, components: 5, zero: 0.3 });
    const own = await distanceAtEnd(strategy, recipe, await pretrained());
    const plain = await distanceAtEnd(() => ste(kmeans({ k: 5 })), recipe, await pretrained());
    const share = shareOfZeros(own.weights["first.weight"]!);
    expect(own.apart).toBeLessThan(0.5 * plain.apart);
    expect(share).toBeGreaterThan(0.2);
  });
});
