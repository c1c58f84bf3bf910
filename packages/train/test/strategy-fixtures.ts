import { np } from "../src/autograd.ts";
import type { Batch, Dataset } from "../src/data/dataset.ts";
import { relu } from "../src/layers/activations.ts";
import { dense } from "../src/layers/dense.ts";
import type { Layer } from "../src/layers/layer.ts";
import { Model } from "../src/model.ts";
import { adam } from "../src/optimizers/adam.ts";
import { Random } from "../src/random.ts";
import type { Recipe } from "../src/recipe.ts";
import { compileForward } from "../src/strategies/pass.ts";
import { distance } from "../src/strategies/pull.ts";
import type { WeightQuantizer } from "../src/strategies/quantized.ts";
import { straightThroughTraining } from "../src/strategies/straight-through.ts";
import { floatTraining, type Strategy, type View } from "../src/strategies/strategy.ts";
import { floatsOf } from "../src/strategies/view.ts";
import { fit } from "../src/train.ts";
import { type HostTensor, toArray, toArrays } from "../src/values.ts";

/** Points of `classes` clouds in `size` dimensions: something that a small dense network learns in a second. */
export function clouds(count: number, seed: number, { size = 12, classes = 3, spread = 0.5 } = {}): Dataset {
  const centres = new Random(77);
  const middle = Float32Array.from({ length: classes * size }, () => 2 * centres.uniform() - 1);
  const random = new Random(seed);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  const data = Float32Array.from(
    { length: count * size },
    (_, at) => middle[labels[Math.floor(at / size)]! * size + (at % size)]! + spread * (2 * random.uniform() - 1),
  );
  const batchOf = (order: readonly number[] | Uint32Array): Batch => {
    const x = new Float32Array(order.length * size);
    const oneHot = new Float32Array(order.length * classes);
    for (const [row, i] of order.entries()) {
      x.set(data.subarray(i * size, (i + 1) * size), row * size);
      oneHot[row * classes + labels[i]!] = 1;
    }
    return { x: { shape: [order.length, size], data: x }, labels: { shape: [order.length, classes], data: oneHot } };
  };
  return {
    count,
    labels,
    *epoch({ batch, seed: own, epoch }) {
      const order = new Random(own, 1, epoch).permutation(count);
      for (let start = 0; start + batch <= count; start += batch) yield batchOf(order.subarray(start, start + batch));
    },
    range: (from, to) => batchOf(Array.from({ length: to - from }, (_, i) => from + i)).x,
  };
}

export const smallNetwork = (): Layer[] => [
  dense("first", { from: [12], outputs: 8, bias: true }),
  relu("relu"),
  dense("last", { from: [8], outputs: 3, bias: true }),
];

export const training = clouds(120, 1);
export const validation = clouds(60, 2);

/** A recipe for the clouds. */
export const cloudRecipe = (more: Partial<Recipe> & Pick<Recipe, "strategy">): Recipe => ({
  name: "clouds",
  description: "for tests",
  layers: smallNetwork,
  epochs: 5,
  batch: 20,
  peakRate: 0.02,
  warmup: 0,
  shift: 0,
  ...more,
});

let trainedBefore: Promise<Record<string, HostTensor>> | undefined;

/** The small network after float training, where strategies that compress a trained network begin. */
export function pretrained(): Promise<Record<string, HostTensor>> {
  trainedBefore ??= fit(cloudRecipe({ strategy: () => floatTraining }), { training, validation, seed: 9 }).then(
    ({ tensors }) => tensors,
  );
  return trainedBefore;
}

export const ste = (quantizer: WeightQuantizer): Strategy => straightThroughTraining({ quantizer });

/** Trains on the clouds; `look` sees every step. */
export async function train(
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

/** ‖w - ŵ‖ / ‖w‖ of the first slot at the end, ŵ what is exported. */
export async function distanceAtEnd(
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
export async function moments(strategy: Strategy, rows = 6000) {
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

export const transposed = ({ shape, data }: HostTensor): HostTensor => {
  const [k, n] = shape as [number, number];
  return {
    shape: [n, k],
    data: Float32Array.from({ length: n * k }, (_, i) => data[(i % k) * n + Math.floor(i / k)]!),
  };
};

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Mean and variance of Σ w x by drawing weights. */
export function sampled(x: Float32Array, draw: (i: number) => number, times = 20_000) {
  let [sum, squares] = [0, 0];
  for (let t = 0; t < times; t++) {
    const y = x.reduce((total, value, i) => total + value * draw(i), 0);
    sum += y;
    squares += y * y;
  }
  return { mean: sum / times, variance: squares / times - (sum / times) ** 2 };
}

/** Whether each column has the moments that drawing gives, within sampling error. */
export const agree = (
  a: readonly { mean: number; variance: number }[],
  b: readonly { mean: number; variance: number }[],
) =>
  a.every(
    ({ mean, variance }, i) =>
      Math.abs(mean - b[i]!.mean) < 0.08 * Math.sqrt(b[i]!.variance) && Math.abs(variance / b[i]!.variance - 1) < 0.08,
  );

/** What a step from here would compute with in the first slot, and what would be exported here. */
export async function computedAndExported(view: View, step: number, own: Strategy) {
  const [slot] = view.slots;
  const given = (await own.weightsFor?.(step + 1, view))?.weights?.[slot!.name];
  const computed = view.compute(slot!, (parameters) =>
    own.weight!(slot!, parameters[slot!.name]!.ref, given && toArray(given), { parameters } as never),
  ).data;
  const constant = (await own.export(view))[slot!.name]!;
  if (constant.kind !== "quantized") throw new Error("expected codes");
  return { computed, constant, exported: (await floatsOf(slot!, constant)).data, latent: view.latent(slot!).data };
}

/** Whether something holds of the first slot before the last step; `parameter` is NaN where the strategy has none of that name. */
export async function holdsAtLast(
  strategy: () => Strategy,
  holds: (
    found: Awaited<ReturnType<typeof computedAndExported>>,
    parameter: (part: string) => number,
    view: View,
  ) => boolean | Promise<boolean>,
  recipe: Parameters<typeof train>[1] = {},
): Promise<boolean> {
  let held = false;
  const look = async (view: View, step: number, own: Strategy) => {
    if (step + 2 !== view.steps) return;
    const parameter = (part: string): number => {
      try {
        return view.parameter(`${view.slots[0]!.name}.${part}`).data[0]!;
      } catch {
        return Number.NaN;
      }
    };
    held = await holds(await computedAndExported(view, step, own), parameter, view);
  };
  await train(strategy, { look, ...recipe });
  return held;
}

export const near = (a: ArrayLike<number>, b: ArrayLike<number>, by = 1e-6): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Math.abs(value - b[i]!) <= by);
