import { magnitudeMasks } from "lowbit/quantize";
import { np } from "./autograd.ts";
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

/** Masks for the parameters that are pruned, by full name, each parameter by itself; the parameters stay alive. */
export async function masksOf({ fractions }: Pruning, parameters: Readonly<Arrays>, share: number): Promise<Arrays> {
  const masks: Arrays = {};
  for (const [name, fraction] of Object.entries(fractions)) {
    const weights = parameters[name] as np.Array;
    const [mask = new Uint8Array()] = await magnitudeMasks([weights.ref.dataSync() as Float32Array], fraction * share);
    masks[name] = np.array(Float32Array.from(mask), { shape: weights.shape, dtype: np.float32 });
  }
  return masks;
}
