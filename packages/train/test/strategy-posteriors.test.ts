import { type Constant, decodeWeights } from "lowbit";
import { binary, kmeans, pow2, ternary } from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { autograd, np, startEngine } from "../src/autograd.ts";
import { RecipeError } from "../src/errors.ts";
import { binaryWeights } from "../src/estimators/weights.ts";
import { relu } from "../src/layers/activations.ts";
import { conv, convolve } from "../src/layers/conv.ts";
import { dense } from "../src/layers/dense.ts";
import { embedding } from "../src/layers/embedding.ts";
import { Model } from "../src/model.ts";
import { sgd } from "../src/optimizers/sgd.ts";
import { Random } from "../src/random.ts";
import { constantRate } from "../src/schedule.ts";
import { bayesianCompression } from "../src/strategies/bayesian-compression.ts";
import { expectationBackpropagation } from "../src/strategies/expectation.ts";
import { costsOf, improvedBayesianCompression } from "../src/strategies/improved-bayesian.ts";
import { discreteMoments, lrNets } from "../src/strategies/lr-nets.ts";
import { compileForward } from "../src/strategies/pass.ts";
import { projection } from "../src/strategies/projection.ts";
import { softWeightSharingTraining } from "../src/strategies/soft-weight-sharing.ts";
import { sparseDropoutTraining } from "../src/strategies/sparse-dropout.ts";
import type { LayerChoice, Strategy, View } from "../src/strategies/strategy.ts";
import { logAlpha, logUniformDivergence } from "../src/strategies/variational.ts";
import { floatsOf } from "../src/strategies/view.ts";
import { spikeDivergence, vnq } from "../src/strategies/vnq.ts";
import { type Arrays, type HostTensor, type HostTensors, toArray, toArrays, toHostTensor } from "../src/values.ts";
import { agree, distanceAtEnd, moments, pretrained, sampled, sigmoid, ste, train } from "./strategy-fixtures.ts";

/** The own quantity of strategies whose weights are distributions, or have priors; see strategy-quantities.test.ts. */
beforeAll(startEngine);

describe("variational strategies draw pre-activations of the moments that drawing weights gives", () => {
  const random = new Random(12);

  it.each([2, 3] as const)("LR-nets of %d levels", async (levels) => {
    const reference = await moments(lrNets({ levels }));
    const holds = async (strategy: Strategy) => {
      const { x, parameters, columns } = await moments(strategy);
      const scale = rootMeanSquare(parameters["layer.weight"]!.data);
      const odds = (name: string, at: number) => sigmoid(reference.parameters[`layer.weight.${name}`]!.data[at]!);
      const draw = (at: number) => {
        if (levels === 3 && random.uniform() < odds("zero", at)) return 0;
        return random.uniform() < odds("plus", at) ? scale : -scale;
      };
      return agree(
        columns,
        [0, 1, 2].map((column) => sampled(x, (i) => draw(3 * i + column))),
      );
    };
    expect(await holds(lrNets({ levels }))).toBe(true);
    expect(await holds(lrNets({ levels: levels === 2 ? 3 : 2 }))).toBe(false);
    expect(await holds(ste(levels === 2 ? binary() : ternary()))).toBe(false);
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

  it("projection: a projected weight times 1 + 0.2 n, drawn anew at each step for each weight", async () => {
    const holds = async (tried: Strategy) => {
      const { x, parameters, given } = await moments(tried, 1);
      const model = new Model([dense("layer", { from: [6], outputs: 3 })]);
      const run = passesOf(model, tried, parameters, given.weights);
      const over = Array.from({ length: STEPS }, (_, seed) => run({ shape: [1, 6], data: x }, seed));
      const used = given.weights!["layer.weight"]!.data;
      return [0, 1, 2].every((column) => {
        const parts = [...x.keys()].map((i) => used[6 * column + i]! * x[i]!);
        const mean = parts.reduce((sum, part) => sum + part, 0);
        const variance = 0.04 * parts.reduce((sum, part) => sum + part ** 2, 0);
        const got = spreadOf(over.map((y) => y[column]!));
        // Five standard errors of each.
        const [far, wide] = [5 * Math.sqrt(variance / STEPS), 5 * Math.sqrt(2 / STEPS)];
        return Math.abs(got.mean - mean) < far && Math.abs(got.variance / variance - 1) < wide;
      });
    };
    const projections = [pow2({ bits: 4 }), binary()];
    expect(await holds(projection({ projections }))).toBe(true);
    expect(await holds(projection({ projections, noise: 0.15 }))).toBe(false);
    expect(await holds(additive(projection({ projections, noise: 0 })))).toBe(false);
    expect(await holds(ste(binary()))).toBe(false);
  });
});

/** Draws over which a variance is measured. */
const STEPS = 1000;

/** The same with 0.2 n added to each weight, in the place of a factor. */
const additive = (strategy: Strategy): Strategy => ({
  ...strategy,
  weight: (slot, latent, given, scope) =>
    strategy.weight!(slot, latent.ref, given, scope).add(scope.normal(latent.shape).mul(0.2)),
});

const rootMeanSquare = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, w) => sum + w * w, 0) / values.length);

function spreadOf(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, variance: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length };
}

/** Training passes under a strategy, each with a seed of its own. */
function passesOf(model: Model, strategy: Strategy, parameters: HostTensors, weights: HostTensors = {}) {
  const run = autograd.compile((tensors: Arrays, own: Arrays, seed: np.Array, x: np.Array) =>
    compileForward(model, strategy, {
      training: true,
      statistics: {},
      parameters: tensors,
      given: { weights: own, constants: {}, seed },
    }).run(x),
  );
  return (x: HostTensor, seed = 7): Float32Array => {
    const number = np.array([seed], { dtype: np.uint32 }).reshape([]);
    return toHostTensor(run(toArrays(parameters), toArrays(weights), number, toArray(x))).data;
  };
}

describe("LR-nets", () => {
  const slot = new Model([dense("layer", { from: [5], outputs: 4 })]).slots[0]!;
  // -2 .. 1.8 times a scale that is not 1.
  const weight: HostTensor = { shape: [5, 4], data: Float32Array.from({ length: 20 }, (_, i) => 0.03 * (i - 10)) };
  const scale = rootMeanSquare(weight.data);

  it.each([
    { levels: 3, exact: 0.23, most: 0.855 },
    { levels: 2, exact: 0.89, most: 0.9 },
  ] as const)("start from given weights: of $levels levels E w = w up to $exact s", ({ levels, exact, most }) => {
    const start = lrNets({ levels }).initialize!([slot], { [slot.name]: weight }, new Random(1));
    const mean = toHostTensor(discreteMoments(toArrays(start), slot).mean).data;
    expect(start[`${slot.name}.level`]!.data[0]).toBeCloseTo(scale, 6);
    for (const [i, w] of weight.data.entries()) {
      const u = Math.abs(w) / scale;
      if (u <= exact) expect(mean[i]).toBeCloseTo(w, 5);
      else expect(Math.abs(mean[i]! / w)).toBeLessThanOrEqual(1);
      if (u >= 1) expect(mean[i]).toBeCloseTo(Math.sign(w) * most * scale, 5);
    }
    expect([...mean].every((m, i) => i === 0 || m >= mean[i - 1]!)).toBe(true);
  });

  it.each([2, 3] as const)("of %d levels train probabilities, not weights or scales", async (levels) => {
    const named = (view: View, part: string) => view.parameter(`${view.slots[0]!.name}.${part}`).data;
    const seen: { latent: Float32Array; level: Float32Array; plus: Float32Array }[] = [];
    const look = (view: View) =>
      seen.push({
        latent: view.latent(view.slots[0]!).data,
        level: named(view, "level"),
        plus: named(view, "plus"),
      });
    await train(() => lrNets({ levels }), { look, epochs: 2 });
    expect(seen.at(-1)!.latent).toEqual(seen[0]!.latent);
    expect(seen.at(-1)!.level).toEqual(seen[0]!.level);
    expect(seen.at(-1)!.plus).not.toEqual(seen[0]!.plus);
    expect(seen[0]!.level[0]).toBeCloseTo(rootMeanSquare(seen[0]!.latent), 6);
    // Decay of all parameters, which moves what has a rate.
    seen.length = 0;
    await train(() => lrNets({ levels }), { look, epochs: 2, optimizer: sgd({ decay: 0.1, decays: () => true }) });
    expect(seen.at(-1)!.latent).not.toEqual(seen[0]!.latent);
    expect(seen.at(-1)!.level).toEqual(seen[0]!.level);
  });

  it.each([2, 3] as const)("of %d levels export the most probable value of each weight", async (levels) => {
    const holds = async (strategy: () => Strategy) => {
      let same = false;
      const look = async (view: View, step: number, own: Strategy) => {
        if (step + 1 !== view.steps) return;
        const { name } = view.slots[0]!;
        const column = (part: string) =>
          view.compute(view.slots[0]!, (parameters) => (parameters[`${name}.${part}`] ?? parameters[name]!).ref).data;
        const [plus, zero] = [column("plus").map(sigmoid), column("zero").map(sigmoid)];
        const level = rootMeanSquare(view.latent(view.slots[0]!).data);
        const likely = plus.map((p, i) => {
          const odds = levels === 2 ? 0 : zero[i]!;
          const [up, down] = [p * (1 - odds), (1 - p) * (1 - odds)];
          if (odds >= Math.max(up, down)) return 0;
          return up >= down ? level : -level;
        });
        const constant = (await own.export(view))[name]!;
        if (constant.kind !== "quantized") throw new Error("expected codes");
        expect(constant.decoding.kind).toBe(levels === 2 ? "sign" : "affine");
        const used = decodeWeights(constant);
        same = likely.every((w, i) => Math.abs(w - used[i]!) < 1e-6);
      };
      await train(strategy, { look, epochs: 3, initial: await pretrained() });
      return same;
    };
    expect(await holds(() => lrNets({ levels }))).toBe(true);
    expect(await holds(() => ste(levels === 2 ? binary() : ternary()))).toBe(false);
  });

  it("has the penalty Σ a² + b² of 3 levels, Σ p (1 - p) of 2", () => {
    const odds = { [`${slot.name}.zero`]: [-1, 2], [`${slot.name}.plus`]: [0.5, -3] };
    const penalty = (levels: 2 | 3) => {
      const kept = Object.entries(odds).filter(([name]) => levels === 3 || name.endsWith("plus"));
      const parameters = Object.fromEntries(kept.map(([name, values]) => [name, np.array(values)]));
      const scope = { slots: new Map([[slot.name, slot]]), parameters } as never;
      return lrNets({ levels, decay: 0.1 }).penalty!(scope, undefined as never).item();
    };
    expect(penalty(3)).toBeCloseTo(0.1 * (1 + 4 + 0.25 + 9), 5);
    const [p, q] = [sigmoid(0.5), sigmoid(-3)];
    expect(penalty(2)).toBeCloseTo(0.1 * (p * (1 - p) + q * (1 - q)), 6);
  });
});

describe("a weight that a strategy draws but no layer multiplies by", () => {
  const layers = () => [embedding("table", { tokens: 2, size: 4 }), dense("last", { from: [12, 4, 1], outputs: 3 })];
  const but: LayerChoice = ({ name }) => name !== "table.weight";
  const strategies: readonly (readonly [string, (own: { readonly layers?: LayerChoice }) => Strategy])[] = [
    ["LR-nets", (own) => lrNets(own)],
    ["sparse variational dropout", (own) => sparseDropoutTraining({ samples: 120, ...own })],
    ["VNQ", (own) => vnq({ samples: 120, ...own })],
    ["Bayesian compression", (own) => bayesianCompression({ samples: 120, ...own })],
    ["improved Bayesian compression", (own) => improvedBayesianCompression({ samples: 120, components: 5, ...own })],
    ["expectation backpropagation", (own) => expectationBackpropagation(own)],
  ];

  it.each(strategies)("is refused: %s of an embedding", async (_, strategy) => {
    const refused = train(() => strategy({}), { layers, epochs: 1 });
    await expect(refused).rejects.toThrow(RecipeError);
    await expect(refused).rejects.toThrow(
      /multiplies by table\.weight .* layers: \(slot\) => slot\.name !== "table\.weight"/,
    );
    const { weights } = await train(() => strategy({ layers: but }), { layers, epochs: 1 });
    expect(Object.keys(weights)).toEqual(["last.weight"]);
  });

  it("is not refused where a layer has a rule of its own, whose weight is no slot", async () => {
    const ruled = () => [
      dense("first", { from: [12], outputs: 8, weights: binaryWeights }),
      relu("relu"),
      dense("last", { from: [8], outputs: 3 }),
    ];
    const { weights } = await train(() => sparseDropoutTraining({ samples: 120 }), { layers: ruled, epochs: 1 });
    expect(Object.keys(weights)).toEqual(["last.weight"]);
  });
});

describe("Bayesian compression of a convolution with a border of +1", () => {
  const z = [1.5, -0.5];
  const model = new Model([conv("c", { inputs: 2, outputs: 3, border: 1 })]);
  const draw = new Random(6);
  const x: HostTensor = {
    shape: [1, 3, 3, 2],
    data: Float32Array.from({ length: 18 }, () => (draw.uniform() < 0.5 ? -1 : 1)),
  };
  const parameters = (logVariance: number): HostTensors => ({
    "c.weight": { shape: [9, 2, 3], data: Float32Array.from({ length: 54 }, () => draw.uniform() - 0.5) },
    "c.weight.logvar": { shape: [9, 2, 3], data: new Float32Array(54).fill(logVariance) },
    "c.weight.z": { shape: [2], data: Float32Array.from(z) },
    "c.weight.z.logvar": { shape: [2], data: Float32Array.of(-30, -30) },
  });

  it("scales the border as it scales the image, which is what the exported weights do", () => {
    const tensors = parameters(-30);
    const scaled = toArray(tensors["c.weight"]!).mul(np.array(z).reshape([2, 1]));
    const exported = toHostTensor(convolve(toArray(x), scaled, 1, false)).data;
    const data = passesOf(model, bayesianCompression({ samples: 10 }), tensors)(x);
    for (const [i, y] of data.entries()) expect(Math.abs(y - exported[i]!)).toBeLessThan(1e-3);
  });

  it("has the noise of weights at the border as within", () => {
    const tensors = parameters(-2);
    const rows = 4000;
    const many: HostTensor = {
      shape: [rows, 3, 3, 2],
      data: Float32Array.from({ length: 18 * rows }, (_, i) => x.data[i % 18]!),
    };
    const data = passesOf(model, bayesianCompression({ samples: 10 }), tensors)(many);
    const variance = 9 * Math.exp(-2) * (z[0]! ** 2 + z[1]! ** 2);
    for (let at = 0; at < 27; at++) {
      const got = spreadOf(Array.from({ length: rows }, (_, row) => data[27 * row + at]!));
      expect(Math.abs(got.variance / variance - 1)).toBeLessThan(5 * Math.sqrt(2 / rows));
    }
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

describe.each([
  ["vnq", vnq],
  ["sparse dropout", sparseDropoutTraining],
  ["improved Bayesian compression", improvedBayesianCompression],
] as const)("%s that settles", (_, strategy) => {
  it("draws at first, and computes in the last share of a run with what is exported; what is 0 stays 0", async () => {
    const phases: string[] = [];
    let zeros = new Map<string, Float32Array>();
    await train(() => strategy({ samples: 12, varianceRate: 30, settle: 0.5 }), {
      look: async (view, step, own) => {
        const { weights, constants } = await own.weightsFor!(step, view);
        phases.push(weights ? "settled" : `share ${constants!.share!.data[0]! > 0}`);
        if (!weights) return;
        for (const slot of view.slots) {
          const { data } = weights[slot.name]!;
          zeros.get(slot.name)?.forEach((was, i) => {
            if (was === 0) expect(data[i]).toBe(0);
          });
        }
        zeros = new Map(view.slots.map(({ name }) => [name, weights[name]!.data]));
        if (step + 1 < view.steps) return;
        const exported = await own.export(view);
        for (const slot of view.slots) expect(weights![slot.name]).toEqual(await floatsOf(slot, exported[slot.name]!));
      },
    });
    expect(phases).toEqual([...Array(15).fill("share true"), ...Array(15).fill("settled")]);
    expect([...zeros.values()].some((data) => data.includes(0))).toBe(true);
  });
});
