import { type Constant, decodeWeights } from "lowbit";
import { admmTernary, binary, kmeans, lab, lcTernary, pow2, ternary } from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { np, startEngine } from "../src/autograd.ts";
import { dense } from "../src/layers/dense.ts";
import { Model } from "../src/model.ts";
import { adam } from "../src/optimizers/adam.ts";
import { extragradient } from "../src/optimizers/extragradient.ts";
import { sgd } from "../src/optimizers/sgd.ts";
import { Random } from "../src/random.ts";
import type { Recipe } from "../src/recipe.ts";
import { constantRate } from "../src/schedule.ts";
import { admm } from "../src/strategies/admm.ts";
import { bayesianCompression } from "../src/strategies/bayesian-compression.ts";
import { bitwise, bitwiseSign } from "../src/strategies/bitwise.ts";
import { codebookTuning } from "../src/strategies/codebook.ts";
import { distillation } from "../src/strategies/distillation.ts";
import { expectationBackpropagation, expectedSign } from "../src/strategies/expectation.ts";
import { costsOf, improvedBayesianCompression } from "../src/strategies/improved-bayesian.ts";
import { inq } from "../src/strategies/inq.ts";
import { type Lc, lc } from "../src/strategies/lc.ts";
import { lrNets } from "../src/strategies/lr-nets.ts";
import { compileForward } from "../src/strategies/pass.ts";
import { projection } from "../src/strategies/projection.ts";
import { proximalNewton } from "../src/strategies/proximal-newton.ts";
import { distance } from "../src/strategies/pull.ts";
import type { WeightQuantizer } from "../src/strategies/quantized.ts";
import { softWeightSharingTraining } from "../src/strategies/soft-weight-sharing.ts";
import { sparseDropoutTraining } from "../src/strategies/sparse-dropout.ts";
import { straightThroughTraining } from "../src/strategies/straight-through.ts";
import type { Strategy, View } from "../src/strategies/strategy.ts";
import { logAlpha, logUniformDivergence } from "../src/strategies/variational.ts";
import { floatsOf } from "../src/strategies/view.ts";
import { spikeDivergence, vnq } from "../src/strategies/vnq.ts";
import { fit } from "../src/train.ts";
import { type HostTensor, toArrays } from "../src/values.ts";
import { cloudRecipe, pretrained, smallNetwork, training, validation } from "./strategy-fixtures.ts";

/**
 * Each strategy's own quantity. `holds` says whether it is there; it must be for the strategy, and must not be for plain straight-through
 * training in its place.
 */
beforeAll(startEngine);

const ste = (quantizer: WeightQuantizer): Strategy => straightThroughTraining({ quantizer });

/** Trains on the clouds; `look` sees every step. */
async function train(
  strategy: () => Strategy,
  {
    look,
    initial,
    ...recipe
  }: Partial<Recipe> & {
    look?: (view: View, step: number, own: Strategy) => unknown;
    initial?: Record<string, HostTensor>;
  } = {},
) {
  const watched = (): Strategy => {
    const made = strategy();
    return Object.create(made, {
      afterStep: {
        value: async (step: number, view: View) => {
          await made.afterStep?.(step, view);
          await look?.(view, step, made);
        },
      },
    });
  };
  return fit(cloudRecipe({ ...recipe, strategy: watched }), {
    training,
    validation,
    seed: 1,
    ...(initial && { initial }),
  });
}

/** SGD with Nesterov's look-ahead, long enough for a constraint to be met. */
const CONSTRAINED = { optimizer: sgd({ momentum: 0.9, nesterov: true }), peakRate: 0.05, epochs: 24 };

/** ‖w - ŵ‖ / ‖w‖ of the first slot at the end, ŵ what is exported. */
async function distanceAtEnd(
  strategy: () => Strategy,
  recipe: Partial<Recipe> = {},
  initial?: Record<string, HostTensor>,
) {
  let apart = Number.NaN;
  const look = async (view: View, step: number, own: Strategy) => {
    if (step + 1 !== view.steps) return;
    const [slot] = view.slots;
    const { data } = view.latent(slot!);
    const low = await floatsOf(slot!, (await own.export(view))[slot!.name]!);
    apart = Math.sqrt(distance(data, low.data) / distance(data));
  };
  const result = await train(strategy, { ...recipe, look, ...(initial && { initial }) });
  return { apart, ...result };
}

/** Mean and variance of each pre-activation of one dense layer under a strategy, over many equal rows of one training pass; rows of x are signs where `signs`. */
async function moments(strategy: Strategy, rows = 6000) {
  const model = new Model([dense("layer", { from: [6], outputs: 3 })]);
  const state = model.initialize(5, adam(), strategy);
  const parameters = Object.fromEntries(
    Object.entries(state)
      .filter(([name]) => name.startsWith("parameter/"))
      .map(([name, tensor]) => [name.slice(10), tensor]),
  );
  const x = Float32Array.of(0.5, -1, 2, 0.3, -0.7, 1.1);
  const view = {
    slots: model.slots,
    seed: 1,
    steps: 1,
    latent: () => transposed(parameters["layer.weight"]!),
  } as never;
  const given = (await strategy.weightsFor?.(0, view)) ?? {};
  const pass = compileForward(model, strategy, {
    training: true,
    statistics: {},
    parameters: toArrays(parameters),
    given: {
      weights: toArrays(given.weights ?? {}),
      constants: toArrays(given.constants ?? {}),
      seed: np.array([7], { dtype: np.uint32 }).reshape([]),
    },
  });
  const many = Float32Array.from({ length: rows * 6 }, (_, i) => x[i % 6]!);
  const y = pass.run(np.array(many, { shape: [rows, 6] })).dataSync() as Float32Array;
  const of = (column: number) => {
    const values = Array.from({ length: rows }, (_, row) => y[3 * row + column]!);
    const mean = values.reduce((sum, v) => sum + v, 0) / rows;
    return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / rows };
  };
  return { x, parameters, given, columns: [0, 1, 2].map(of) };
}

const transposed = ({ shape, data }: HostTensor): HostTensor => {
  const [k, n] = shape as [number, number];
  return {
    shape: [n, k],
    data: Float32Array.from({ length: n * k }, (_, i) => data[(i % k) * n + Math.floor(i / k)]!),
  };
};

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Mean and variance of Σ w x by drawing weights. */
function sampled(x: Float32Array, draw: (i: number) => number, times = 20_000) {
  let [sum, squares] = [0, 0];
  for (let t = 0; t < times; t++) {
    const y = x.reduce((total, value, i) => total + value * draw(i), 0);
    sum += y;
    squares += y * y;
  }
  return { mean: sum / times, variance: squares / times - (sum / times) ** 2 };
}

/** Whether each column has the moments that drawing gives, within sampling error. */
const agree = (a: readonly { mean: number; variance: number }[], b: readonly { mean: number; variance: number }[]) =>
  a.every(
    ({ mean, variance }, i) =>
      Math.abs(mean - b[i]!.mean) < 0.08 * Math.sqrt(b[i]!.variance) && Math.abs(variance / b[i]!.variance - 1) < 0.08,
  );

describe("proximal Newton", () => {
  it("has α = ‖d ∘ w‖₁ / ‖d‖₁ with d the root of Adam's second moment, which is not mean|w|", async () => {
    const holds = async (strategy: () => Strategy) => {
      const gaps: { weighted: number; plain: number }[] = [];
      const look = async (view: View, step: number, own: Strategy) => {
        if (step !== 20) return;
        const slot = view.slots[0]!;
        const { data } = view.latent(slot);
        const d = view.second(slot).data.map((v) => Math.sqrt(v) + 1e-8);
        const used = (await own.weightsFor!(step + 1, view)).weights![slot.name]!.data;
        const sum = (values: Float32Array) => values.reduce((total, x) => total + x, 0);
        for (let row = 0; row < 8; row++) {
          const part = (values: Float32Array) => values.subarray(row * 12, (row + 1) * 12);
          const alpha = Math.abs(part(used)[0]!);
          const weighted = sum(part(data).map((w, i) => Math.abs(w) * part(d)[i]!)) / sum(part(d));
          const plain = sum(part(data).map(Math.abs)) / 12;
          gaps.push({ weighted: Math.abs(alpha / weighted - 1), plain: Math.abs(alpha / plain - 1) });
        }
      };
      await train(strategy, { look });
      return gaps.every(({ weighted }) => weighted < 1e-4) && gaps.filter(({ plain }) => plain > 1e-3).length > 4;
    };
    expect(await holds(() => proximalNewton({ quantizer: lab() }))).toBe(true);
    expect(await holds(() => ste(binary()))).toBe(false);
  });
});

describe("ADMM", () => {
  it("brings ‖W - G‖ / ‖W‖ to 0", async () => {
    const strategy = () => admm({ quantizer: admmTernary(), rho: 0.1, growth: 1.3 });
    const own = await distanceAtEnd(strategy, CONSTRAINED);
    expect(own.apart).toBeLessThan(0.01);
    expect(own.log.at(-1)!.validation).toBeGreaterThan(0.9);
    expect((await distanceAtEnd(() => ste(admmTernary()), CONSTRAINED)).apart).toBeGreaterThan(0.2);
  });

  it("does so by the paper's extragradient W-steps too", async () => {
    const recipe = { optimizer: extragradient(), peakRate: 0.1, epochs: 80 };
    const strategy = () => admm({ quantizer: admmTernary(), rho: 0.3, growth: 1.12, every: 12 });
    const own = await distanceAtEnd(strategy, recipe);
    expect(own.apart).toBeLessThan(0.01);
    expect(own.log.at(-1)!.validation).toBeGreaterThan(0.9);
    expect((await distanceAtEnd(() => ste(admmTernary()), recipe)).apart).toBeGreaterThan(0.1);
  });
});

describe("LC", () => {
  it("raises μ by its factor, and brings ‖w - Δ(Θ)‖ / ‖w‖ to 0", async () => {
    let made: Lc | undefined;
    const path: number[] = [];
    const strategy = () => {
      made = lc({ quantizer: lcTernary(), mu: 0.1, growth: 1.3 });
      return made;
    };
    await train(strategy, { ...CONSTRAINED, look: () => path.push(made!.residual) });
    expect(made!.mu).toBeCloseTo(0.1 * 1.3 ** 24, 3);
    expect(made!.residual).toBeLessThan(0.01);
    expect(path[5]!).toBeGreaterThan(10 * made!.residual);
    expect((await distanceAtEnd(() => ste(lcTernary()), CONSTRAINED)).apart).toBeGreaterThan(0.2);
  });
});

describe("INQ", () => {
  it("never moves the part that is frozen, and freezes the shares of its schedule", async () => {
    const kept: { values: number[]; shares: number[] } = { values: [], shares: [] };
    const holds = async (strategy: () => Strategy) => {
      let first: Float32Array | undefined;
      let largest: number[] = [];
      let same = true;
      const look = async (view: View, step: number, own: Strategy) => {
        const slot = view.slots[0]!;
        const given = await own.weightsFor!(step + 1, view);
        const used = given.weights![slot.name]!.data;
        if (first === undefined) {
          first = used.slice();
          largest = [...used.keys()].sort((a, b) => Math.abs(first![b]!) - Math.abs(first![a]!)).slice(0, 48);
        }
        same &&= largest.every((i) => used[i] === first![i]);
        const mask = given.constants?.[`mask/${slot.name}`]?.data;
        if (mask) kept.shares.push(mask.reduce((sum, m) => sum + m, 0) / mask.length);
        if (step + 1 !== view.steps) return;
        const exported = await floatsOf(slot, (await own.export(view))[slot.name]!);
        same &&= largest.every((i) => exported.data[i] === first![i]);
        kept.values = [...exported.data];
      };
      await train(strategy, { look, epochs: 6, initial: await pretrained() });
      return same;
    };
    expect(await holds(() => inq({ bits: 5 }))).toBe(true);
    expect([...new Set(kept.shares)]).toEqual([0.5, 0.75, 0.875, 1]);
    for (const value of kept.values) if (value !== 0) expect(Number.isInteger(Math.log2(Math.abs(value)))).toBe(true);
    expect(await holds(() => ste(pow2({ bits: 5 })))).toBe(false);
  });
});

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

describe("expectation backpropagation", () => {
  it("propagates the moments of networks whose weights are drawn", async () => {
    const random = new Random(31);
    // Inputs enough for the central limit theorem.
    const K = 30;
    const holds = async (strategy: Strategy) => {
      const model = new Model([
        dense("a", { from: [K], outputs: 40 }),
        expectedSign("sign"),
        dense("b", { from: [40], outputs: 2 }),
      ]);
      const h = (name: string, k: number, n: number): HostTensor => ({
        shape: [k, n],
        data: Float32Array.from({ length: k * n }, (_, i) => Math.sin(3 * i + name.length)),
      });
      const parameters = { "a.weight": h("a", K, 40), "b.weight": h("bb", 40, 2) };
      const x = Float32Array.from({ length: K }, (_, i) => Math.cos(i));
      const view = {
        slots: model.slots,
        seed: 1,
        latent: (slot: { name: string }) => transposed(parameters[slot.name as "a.weight"]),
      } as never;
      const pass = compileForward(model, strategy, {
        training: true,
        statistics: {},
        parameters: toArrays(parameters),
        given: {
          weights: toArrays((await strategy.weightsFor?.(0, view))?.weights ?? {}),
          constants: {},
          seed: np.array([7], { dtype: np.uint32 }).reshape([]),
        },
      });
      const got = pass.run(np.array(x, { shape: [1, K] })).js() as number[][];
      // The same network with its weights drawn: mean over deviation of each output.
      const draw = ({ data }: HostTensor) => data.map((odds) => (random.uniform() < sigmoid(2 * odds) ? 1 : -1));
      const sums = [0, 0];
      const squares = [0, 0];
      for (let t = 0; t < 4000; t++) {
        const [a, b] = [draw(parameters["a.weight"]), draw(parameters["b.weight"])];
        const hidden = Array.from({ length: 40 }, (_, j) =>
          x.reduce((s, v, i) => s + v * a[i * 40 + j]!, 0) >= 0 ? 1 : -1,
        );
        for (const k of [0, 1]) {
          const y = hidden.reduce((s, v, j) => s + v * b[j * 2 + k]!, 0);
          sums[k]! += y;
          squares[k]! += y * y;
        }
      }
      return [0, 1].every((k) => {
        const mean = sums[k]! / 4000;
        const ratio = mean / Math.sqrt(squares[k]! / 4000 - mean * mean);
        return Math.abs(got[0]![k]! - ratio) < 0.1;
      });
    };
    expect(await holds(expectationBackpropagation())).toBe(true);
    expect(await holds(ste(binary()))).toBe(false);
  });

  it("learns without drawing a number", async () => {
    const layers = () => [
      dense("first", { from: [12], outputs: 30 }),
      expectedSign("sign"),
      dense("last", { from: [30], outputs: 3 }),
    ];
    const { log } = await train(() => expectationBackpropagation(), { layers, epochs: 10, peakRate: 0.03 });
    expect(log.at(-1)!.validation).toBeGreaterThan(0.85);
  });
});

describe("Bitwise networks", () => {
  it("compute with tanh in the first phase and with signs in the second", async () => {
    const model = new Model([
      dense("a", { from: [3], outputs: 2 }),
      bitwiseSign("act"),
      dense("b", { from: [2], outputs: 2 }),
    ]);
    const parameters = {
      "a.weight": { shape: [3, 2], data: Float32Array.of(0.5, -1, 0.2, 0.8, -0.3, 0.1) },
      "b.weight": { shape: [2, 2], data: Float32Array.of(0.4, -0.6, -0.9, 0.7) },
    };
    const x = [0.4, -1.2, 0.9];
    const run = async (strategy: Strategy, step: number) => {
      const view = {
        slots: model.slots,
        seed: 1,
        steps: 10,
        latent: (s: { name: "a.weight" }) => transposed(parameters[s.name]),
      } as never;
      const given = (await strategy.weightsFor?.(step, view)) ?? {};
      return compileForward(model, strategy, {
        training: true,
        statistics: {},
        parameters: toArrays(parameters),
        given: {
          weights: toArrays(given.weights ?? {}),
          constants: toArrays(given.constants ?? {}),
          seed: np.array([7], { dtype: np.uint32 }).reshape([]),
        },
      })
        .run(np.array([x]))
        .js() as number[][];
    };
    const by = (f: (v: number) => number) => {
      const [a, b] = [parameters["a.weight"].data.map(f), parameters["b.weight"].data.map(f)];
      const hidden = [0, 1].map((j) => f(x.reduce((s, v, i) => s + v * a[2 * i + j]!, 0)));
      return [0, 1].map((k) =>
        expect.closeTo(
          hidden.reduce((s, v, j) => s + v * b[2 * j + k]!, 0),
          5,
        ),
      );
    };
    expect((await run(bitwise(), 0))[0]).toEqual(by(Math.tanh));
    expect((await run(bitwise(), 5))[0]).toEqual(by((v) => (v >= 0 ? 1 : -1)));
    expect((await run(ste(binary()), 0))[0]).not.toEqual(by(Math.tanh));
  });
});

describe("codebook tuning", () => {
  it("moves a centroid by the sum of its members' gradients, and no code", async () => {
    const holds = async (strategy: () => Strategy) => {
      const kept: { codes: Float32Array; table: Float32Array; used: Float32Array }[] = [];
      const look = async (view: View, step: number, own: Strategy) => {
        if (step > 1) return;
        const slot = view.slots[0]!;
        const constant = (await own.export(view))[slot.name]!;
        if (constant.kind !== "quantized" || constant.decoding.kind !== "table") return;
        const used = await floatsOf(slot, constant);
        const table = constant.decoding.codebook.slice();
        kept.push({ codes: used.data.map((w) => table.indexOf(w)), table, used: used.data });
      };
      const plain = { optimizer: sgd(), peakRate: 0.1, schedule: constantRate };
      await train(strategy, { ...plain, look, initial: await pretrained() });
      const [before, after] = kept as [(typeof kept)[0], (typeof kept)[0]];
      // The gradients of single weights at ŵ: a float step from there.
      let moved: Float32Array | undefined;
      const from = { ...(await pretrained()) };
      const lookFloat = (view: View, step: number) => {
        if (step === 1) moved = view.latent(view.slots[0]!).data;
        if (step === 0) view.replace(view.slots[0]!, { shape: view.slots[0]!.shape, data: before.used });
      };
      await train(() => ({ name: "float", export: async () => ({}) }), { ...plain, look: lookFloat, initial: from });
      if (!before.codes.every((code, i) => code === after.codes[i])) return false;
      return [...before.table.keys()].every((k) => {
        const sum = before.codes.reduce((total, code, i) => total + (code === k ? moved![i]! - before.used[i]! : 0), 0);
        return Math.abs(after.table[k]! - before.table[k]! - sum) < 2e-2;
      });
    };
    expect(
      await holds(() =>
        codebookTuning({ quantizer: kmeans({ k: 4 }), layers: (slot) => slot.name === "first.weight" }),
      ),
    ).toBe(true);
    expect(await holds(() => ste(kmeans({ k: 4 })))).toBe(false);
  });
});

describe("distillation", () => {
  it("brings the student's answers nearer to the teacher's than labels alone do", async () => {
    const tensors = await pretrained();
    const teacher = new Model(smallNetwork());
    const inner = () => ste(ternary());
    const apart = async (strategy: () => Strategy) => {
      const { tensors: own, weights } = await train(strategy, { epochs: 10 });
      const low = Object.fromEntries(
        await Promise.all(
          teacher.slots.map(
            async (slot) => [slot.name, transposed(await floatsOf(slot, weights[slot.name]!))] as const,
          ),
        ),
      );
      const logits = (of: Record<string, HostTensor>) =>
        teacher
          .forward(toArrays({ x: validation.range(0, 60) }).x!, toArrays(of), {
            training: false,
            statistics: {},
            batchStatistics: {},
          })
          .dataSync() as Float32Array;
      return distance(logits({ ...own, ...low }), logits(tensors));
    };
    const student = await apart(() => distillation({ teacher, tensors, strategy: inner(), temperature: 2, weight: 4 }));
    expect(student).toBeLessThan(0.7 * (await apart(inner)));
  });
});
