import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createModel, Tensor } from "lowbit";
import {
  abcNet,
  absmean,
  admmTernary,
  binary,
  lab,
  laq,
  laqLog,
  stochasticBinary,
  stochasticTernary,
  ternary,
  wage,
} from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../src/autograd.ts";
import { clipped, polynomial } from "../src/estimators/gradients.ts";
import { top1 } from "../src/evaluate.ts";
import { Model } from "../src/model.ts";
import { admm, distance } from "../src/strategies/admm.ts";
import { proximalNewton } from "../src/strategies/proximal-newton.ts";
import type { WeightQuantizer } from "../src/strategies/quantized.ts";
import { straightThroughTraining } from "../src/strategies/straight-through.ts";
import type { Strategy, View } from "../src/strategies/strategy.ts";
import { floatsOf } from "../src/strategies/view.ts";
import { type Fitted, fit } from "../src/train.ts";
import { cloudRecipe, smallNetwork, training, validation } from "./strategy-fixtures.ts";

beforeAll(startEngine);

const ste = (quantizer: WeightQuantizer) => straightThroughTraining({ quantizer });

/** Trains on the clouds; `look` sees every step. */
async function trained(
  strategy: () => Strategy,
  look?: (view: View, step: number, own: Strategy) => unknown,
  epochs = 5,
) {
  let own: Strategy | undefined;
  const watched = (): Strategy => {
    const made = strategy();
    own = made;
    if (look === undefined) return made;
    return Object.create(made, {
      afterStep: {
        value: async (step: number, view: View) => {
          await made.afterStep?.(step, view);
          await look(view, step, made);
        },
      },
    });
  };
  const result = await fit(cloudRecipe({ strategy: watched, epochs }), { training, validation, seed: 1 });
  return { ...result, strategy: own! };
}

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
    () => straightThroughTraining({ quantizer: stochasticBinary(), estimator: clipped, exported: binary() }),
  ],
  [
    "Ternary Connect",
    () => straightThroughTraining({ quantizer: stochasticTernary({ per: "tensor" }), exported: ternary() }),
  ],
  ["ABC-Net", () => straightThroughTraining({ quantizer: abcNet({ bases: 3 }) })],
  ["WAGE", () => straightThroughTraining({ quantizer: wage({ bits: 2 }) })],
  ["BitNet b1.58", () => straightThroughTraining({ quantizer: absmean() })],
  ["LAB", () => proximalNewton({ quantizer: lab() })],
  ["LAT", () => proximalNewton({ quantizer: laq({ bits: 2 }) })],
  ["LAQ, 3 bits, logarithmic", () => proximalNewton({ quantizer: laqLog({ bits: 3 }) })],
  ["ADMM", () => admm({ quantizer: admmTernary(), rho: 0.05, every: 3, growth: 1.3 })],
];

describe.each(all)("%s", (_, strategy) => {
  it("learns, and its packed weights score on the core's kernels what the training loop says", async () => {
    const result = await trained(strategy);
    expect(Object.keys(result.weights)).toEqual(["first.weight", "last.weight"]);
    for (const constant of Object.values(result.weights)) expect(constant.kind).toBe("quantized");
    expect(await packedTop1(result)).toBe(result.log.at(-1)!.validation);
    expect(result.log.at(-1)!.validation).toBeGreaterThan(0.6);
  });

  it("resumes to the same bits", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lowbit-strategy-"));
    const recipe = cloudRecipe({ strategy, epochs: 3 });
    const whole = await fit(recipe, { training, validation, seed: 2 });
    const options = { training, validation, seed: 2, checkpoint: join(folder, "run") };
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

/** The strategy's own quantity, and what plain straight-through training makes of it: the second must fail where the first holds. */
describe("what a strategy is about", () => {
  it("LAB: α is not mean|w| but ‖d ∘ w‖₁ / ‖d‖₁ with d the root of Adam's second moment", async () => {
    const gaps = async (strategy: () => Strategy) => {
      const found: { weighted: number; plain: number }[] = [];
      await trained(strategy, async (view, step, own) => {
        if (step !== 20) return;
        const slot = view.slots[0]!;
        const { data } = view.latent(slot);
        const d = view.second(slot).data.map((v) => Math.sqrt(v) + 1e-8);
        const used = (await own.weightsFor!(step + 1, view)).weights![slot.name]!.data;
        for (let row = 0; row < 8; row++) {
          const part = <T extends Float32Array>(values: T) => values.subarray(row * 12, (row + 1) * 12);
          const sum = (values: Float32Array) => values.reduce((total, x) => total + x, 0);
          const alpha = Math.abs(part(used)[0]!);
          const weighted = sum(part(data).map((w, i) => Math.abs(w) * part(d)[i]!)) / sum(part(d));
          found.push({
            weighted: Math.abs(alpha / weighted - 1),
            plain: Math.abs(alpha / (sum(part(data).map(Math.abs)) / 12) - 1),
          });
        }
      });
      return found;
    };
    const isLab = (found: { weighted: number; plain: number }[]) =>
      found.every(({ weighted }) => weighted < 1e-4) && found.filter(({ plain }) => plain > 1e-3).length > 4;
    expect(isLab(await gaps(() => proximalNewton({ quantizer: lab() })))).toBe(true);
    expect(isLab(await gaps(() => ste(binary())))).toBe(false);
  });

  it("ADMM: ‖W - G‖ / ‖W‖ goes to 0", async () => {
    const apart = async (strategy: () => Strategy) => {
      let last = Number.NaN;
      await trained(
        strategy,
        async (view, step, own) => {
          if (step + 1 !== view.steps) return;
          const constants = await own.export(view);
          const slot = view.slots[0]!;
          const weight = view.latent(slot);
          const { data } = await floatsOf(slot, constants[slot.name]!);
          last = Math.sqrt(distance(weight.data, data) / distance(weight.data));
        },
        12,
      );
      return last;
    };
    expect(await apart(() => admm({ quantizer: admmTernary(), rho: 0.02, every: 3, growth: 1.3 }))).toBeLessThan(0.02);
    expect(await apart(() => ste(admmTernary()))).toBeGreaterThan(0.2);
  });
});
