import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createModel, Tensor } from "lowbit";
import {
  abcNet,
  absmean,
  admmTernary,
  binary,
  kmeans,
  lab,
  laq,
  laqLog,
  lcTernary,
  lloydMax,
  pow2,
  stochasticBinary,
  stochasticTernary,
  ternary,
  wage,
} from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../src/autograd.ts";
import { RecipeError } from "../src/errors.ts";
import { clipped, type GradientEstimator, identity, polynomial } from "../src/estimators/gradients.ts";
import { top1 } from "../src/evaluate.ts";
import { Model } from "../src/model.ts";
import { sgd } from "../src/optimizers/sgd.ts";
import { admm } from "../src/strategies/admm.ts";
import { bayesianCompression } from "../src/strategies/bayesian-compression.ts";
import { bitwise } from "../src/strategies/bitwise.ts";
import { codebookTuning } from "../src/strategies/codebook.ts";
import { improvedBayesianCompression } from "../src/strategies/improved-bayesian.ts";
import { inq } from "../src/strategies/inq.ts";
import { lc } from "../src/strategies/lc.ts";
import { dorefaTraining, lsqTraining, ttqTraining } from "../src/strategies/learned-levels.ts";
import { lrNets } from "../src/strategies/lr-nets.ts";
import { projection } from "../src/strategies/projection.ts";
import { proximalNewton } from "../src/strategies/proximal-newton.ts";
import { unitSigns, type WeightQuantizer } from "../src/strategies/quantized.ts";
import { softWeightSharingTraining } from "../src/strategies/soft-weight-sharing.ts";
import { sparseDropoutTraining } from "../src/strategies/sparse-dropout.ts";
import { straightThroughTraining } from "../src/strategies/straight-through.ts";
import type { Strategy } from "../src/strategies/strategy.ts";
import { floatsOf } from "../src/strategies/view.ts";
import { vnq } from "../src/strategies/vnq.ts";
import { type Fitted, fit } from "../src/train.ts";
import { cloudRecipe, pretrained, smallNetwork, train, training, validation } from "./strategy-fixtures.ts";

beforeAll(startEngine);

const ste = (quantizer: WeightQuantizer) => straightThroughTraining({ quantizer });

/** Accuracy of the packed weights on the kernels of the core. */
async function packedTop1({ tensors, weights }: Fitted): Promise<number> {
  const graph = new Model(smallNetwork()).toGraph(tensors, {
    name: "clouds",
    input: { name: "x", dtype: "f32", shape: [12] },
    weights,
  });
  using model = await createModel(graph);
  const { shape, data } = validation.range(0, validation.count);
  const { logits } = await model.run({ x: new Tensor("f32", [...shape], data) });
  return top1(logits!.data as Float32Array, validation.labels);
}

const all: readonly (readonly [string, () => Strategy])[] = [
  ["BWN", () => ste(binary())],
  ["BWN, clipped", () => straightThroughTraining({ quantizer: binary(), estimator: clipped })],
  ["BWN, polynomial", () => straightThroughTraining({ quantizer: binary(), estimator: polynomial })],
  ["TWN", () => ste(ternary())],
  [
    "BinaryConnect",
    () => straightThroughTraining({ quantizer: stochasticBinary(), estimator: clipped, exported: unitSigns() }),
  ],
  [
    "Ternary Connect",
    () => straightThroughTraining({ quantizer: stochasticTernary({ per: "tensor" }), exported: ternary() }),
  ],
  ["BinaryConnect, deterministic", () => straightThroughTraining({ quantizer: unitSigns(), estimator: clipped })],
  ["ABC-Net", () => straightThroughTraining({ quantizer: abcNet({ bases: 3 }) })],
  ["WAGE", () => straightThroughTraining({ quantizer: wage({ bits: 2 }) })],
  ["BitNet b1.58", () => straightThroughTraining({ quantizer: absmean() })],
  ["LAB", () => proximalNewton({ quantizer: lab() })],
  ["LAT", () => proximalNewton({ quantizer: laq({ bits: 2 }) })],
  ["LAQ, 3 bits, logarithmic", () => proximalNewton({ quantizer: laqLog({ bits: 3 }) })],
  ["ADMM", () => admm({ quantizer: admmTernary(), rho: 0.05, every: 3, growth: 1.3 })],
  ["LC", () => lc({ quantizer: lcTernary(), mu: 0.05, every: 3, growth: 1.3 })],
  ["LC, adaptive codebook", () => lc({ quantizer: lloydMax({ levels: 4 }), mu: 0.05, every: 3, growth: 1.3 })],
  ["INQ", () => inq({ bits: 5 })],
  ["LR-nets", () => lrNets()],
  ["LR-nets, binary", () => lrNets({ levels: 2 })],
  ["DoReFa-Net", () => dorefaTraining({ bits: 2 })],
  ["TTQ", () => ttqTraining()],
  ["LSQ", () => lsqTraining({ bits: 3 })],
  ["sparse variational dropout", () => sparseDropoutTraining({ samples: 120 })],
  ["VNQ", () => vnq({ samples: 120 })],
  ["VNQ that settles", () => vnq({ samples: 120, settle: 0.5, level: 2 })],
  ["Bayesian compression", () => bayesianCompression({ samples: 120 })],
  ["soft weight-sharing", () => softWeightSharingTraining({ samples: 120, components: 5, zero: 0.3 })],
  ["improved Bayesian compression", () => improvedBayesianCompression({ samples: 120, components: 5, zero: 0.3 })],
  ["Bitwise NN", () => bitwise()],
  ["projection", () => projection({ projections: [ternary(), pow2({ bits: 4 })] })],
  ["codebook tuning", () => codebookTuning({ quantizer: kmeans({ k: 8 }) })],
];

describe.each(all)("%s", (_, strategy) => {
  it("learns, and its packed weights score on the core's kernels what the training loop says", async () => {
    const result = await fit(cloudRecipe({ strategy }), { training, validation, seed: 1, initial: await pretrained() });
    expect(Object.keys(result.weights)).toEqual(["first.weight", "last.weight"]);
    for (const constant of Object.values(result.weights)) expect(constant.kind).toBe("quantized");
    expect(await packedTop1(result)).toBe(result.log.at(-1)!.validation);
    expect(result.log.at(-1)!.validation).toBeGreaterThan(0.6);
  });

  it("resumes to the same bits", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lowbit-strategy-"));
    const recipe = cloudRecipe({ strategy, epochs: 3 });
    const initial = await pretrained();
    const whole = await fit(recipe, { training, validation, seed: 2, initial });
    const options = { training, validation, seed: 2, initial, checkpoint: join(folder, "run") };
    const controller = new AbortController();
    const stopped = fit(recipe, {
      ...options,
      signal: controller.signal,
      onProgress: ({ epoch, step }) => epoch === 2 && step === 3 && controller.abort(new Error("enough")),
    });
    await expect(stopped).rejects.toThrow("enough");
    const resumed = await fit(recipe, options);
    expect(resumed.tensors).toEqual(whole.tensors);
    expect(resumed.weights).toEqual(whole.weights);
    await rm(folder, { recursive: true });
  });
});

/** The largest latent weight after steps so large that plain weights run away. */
async function largestLatent(strategy: () => Strategy): Promise<number> {
  let largest = 0;
  await train(strategy, {
    peakRate: 0.3,
    look: (view) => {
      for (const slot of view.slots) largest = Math.max(largest, ...view.latent(slot).data.map(Math.abs));
    },
  });
  return largest;
}

describe("latent weights", () => {
  const by = (estimator: GradientEstimator, quantizer: WeightQuantizer = binary()) =>
    largestLatent(() => straightThroughTraining({ quantizer, estimator }));

  it("stay within what the estimator sees: beyond it they would have no gradient, and never come back", async () => {
    expect(await by(clipped)).toBe(1);
    expect(await by(polynomial)).toBe(1);
    expect(await by(identity)).toBeGreaterThan(1.5);
  });

  it("stay within the levels of a quantizer that has its own", async () => {
    expect(await by(identity, stochasticBinary())).toBe(1);
    expect(await largestLatent(() => projection({ projections: [binary()] }))).toBe(1);
  });
});

describe.each([
  ["BinaryConnect", () => straightThroughTraining({ quantizer: stochasticBinary(), exported: unitSigns() })],
  ["Bitwise NN", () => bitwise()],
] as const)("%s", (_, strategy) => {
  it("exports the ±1 that its last steps computed with, without a scale", async () => {
    const { weights } = await train(strategy);
    for (const slot of new Model(smallNetwork()).slots) {
      const { data } = await floatsOf(slot, weights[slot.name]!);
      expect([...new Set(data)].sort()).toEqual([-1, 1]);
    }
  });
});

describe("proximalNewton", () => {
  it("refuses an optimizer without a second moment, under which every weight would count the same", async () => {
    const run = train(() => proximalNewton({ quantizer: lab() }), { optimizer: sgd({ momentum: 0.9 }) });
    await expect(run).rejects.toThrow(RecipeError);
    await expect(run).rejects.toThrow(/second moment.*has velocity/);
  });
});

describe("strategies of distributions", () => {
  it("refuse `layers` that chooses no weight", async () => {
    const layers = () => false;
    for (const strategy of [
      () => vnq({ samples: 120, layers }),
      () => lrNets({ layers }),
      () => softWeightSharingTraining({ samples: 120, layers }),
    ])
      await expect(train(strategy)).rejects.toThrow(/`layers` chooses none of first.weight, last.weight/);
  });
});

describe("a strategy's name", () => {
  it("says the quantizer, the estimator and what is exported, for runs are told apart by it", () => {
    const names = [
      ste(binary()),
      straightThroughTraining({ quantizer: binary(), layers: ({ name }) => name !== "first.weight" }),
      straightThroughTraining({ quantizer: ternary(), estimator: clipped }),
      straightThroughTraining({ quantizer: stochasticBinary(), exported: unitSigns() }),
      straightThroughTraining({ quantizer: binary(), estimator: (hard, latent) => identity(hard, latent) }),
    ].map(({ name }) => name);
    expect(names).toEqual([
      "ste:binary",
      "ste:binary",
      "ste:ternary:clipped",
      "ste:stochastic:binary>sign",
      "ste:binary:own",
    ]);
  });

  it("leaves float the slots that `layers` does not choose", async () => {
    const { weights } = await train(() =>
      straightThroughTraining({ quantizer: binary(), layers: ({ name }) => name !== "first.weight" }),
    );
    expect(Object.keys(weights)).toEqual(["last.weight"]);
  });
});
