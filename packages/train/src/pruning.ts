import { numpy as np } from "@jax-js/jax";
import type { Arrays } from "./values.ts";

/** Magnitude pruning while training, gradually (Zhu, Gupta 2017). */
export interface Pruning {
  /** Share of each parameter that ends as 0, by full name; others stay dense. */
  readonly fractions: Readonly<Record<string, number>>;
  /** Epochs (from 1) whose first step prunes first, and whose last step has pruned all. */
  readonly epochs: readonly [first: number, last: number];
}

/** Steps between two looks at the weights. */
export const PRUNING_INTERVAL = 100;

/**
 * Share of the final fraction that is pruned before step `taken`: 1 - (1 - t)³ with t = 0..1 over the pruning epochs
 * (Zhu, Gupta 2017, equation 1, from 0).
 */
export function prunedShare({ epochs: [first, last] }: Pruning, taken: number, stepsPerEpoch: number): number {
  const begin = (first - 1) * stepsPerEpoch;
  const t = Math.min(1, Math.max(0, (taken - begin) / (last * stepsPerEpoch - begin)));
  return 1 - (1 - t) * (1 - t) * (1 - t);
}

/** 0 for the floor(fraction * length) smallest magnitudes, the lowest index first where they tie; 1 for the others. */
export function magnitudeMask(weights: Float32Array, fraction: number): Float32Array<ArrayBuffer> {
  const mask = new Float32Array(weights.length).fill(1);
  const pruned = Math.floor(fraction * weights.length);
  if (pruned === 0) return mask;
  const magnitudes = weights.map(Math.abs);
  const threshold = magnitudes.slice().sort()[pruned - 1]!;
  let left = pruned;
  for (let i = 0; i < mask.length; i++)
    if (magnitudes[i]! < threshold) {
      mask[i] = 0;
      left--;
    }
  for (let i = 0; left > 0; i++)
    if (magnitudes[i] === threshold) {
      mask[i] = 0;
      left--;
    }
  return mask;
}

/** Masks for the parameters that are pruned, by full name; the parameters stay alive. */
export function masksOf({ fractions }: Pruning, parameters: Readonly<Arrays>, share: number): Arrays {
  return Object.fromEntries(
    Object.entries(fractions).map(([name, fraction]) => {
      const weights = parameters[name] as np.Array;
      const mask = magnitudeMask(weights.ref.dataSync() as Float32Array, fraction * share);
      return [name, np.array(mask, { shape: weights.shape, dtype: np.float32 })];
    }),
  );
}
