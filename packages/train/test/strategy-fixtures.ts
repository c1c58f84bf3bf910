import type { Batch, Dataset } from "../src/data/dataset.ts";
import { relu } from "../src/layers/activations.ts";
import { dense } from "../src/layers/dense.ts";
import type { Layer } from "../src/layers/layer.ts";
import { Random } from "../src/random.ts";
import type { Recipe } from "../src/recipe.ts";
import { floatTraining } from "../src/strategies/strategy.ts";
import { fit } from "../src/train.ts";
import type { HostTensor } from "../src/values.ts";

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
