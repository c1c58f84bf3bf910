/** Which weights magnitude pruning keeps, for training: multiply by the masks after each step. */
import { NotFiniteError, OutOfRangeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";

/** Weights that a fraction of `count` prunes: the whole number below. @throws OutOfRangeError unless 0 <= fraction < 1 */
export function prunedCount(op: string, fraction: number, count: number): number {
  if (!(fraction >= 0 && fraction < 1)) throw new OutOfRangeError(op, "fraction", "0 or more, below 1", fraction);
  return Math.floor(fraction * count);
}

/**
 * 0 at the floor(fraction * count) smallest magnitudes and at all zeros, 1 at the others; where magnitudes tie, at those that come first.
 *
 * @param tensors finite f32; the fraction is of all of them together (one global threshold). Give one to prune it by itself.
 * @returns a mask for each, as long
 * @throws OutOfRangeError, NotFiniteError
 */
export async function magnitudeMasks(
  tensors: readonly Float32Array[],
  fraction: number,
  kernels?: KernelInstance,
): Promise<Uint8Array[]> {
  const op = "magnitudeMasks";
  const count = tensors.reduce((sum, { length }) => sum + length, 0);
  const pruned = prunedCount(op, fraction, count);
  const loops = await innerLoops(kernels);
  const all = tensors.length === 1 ? tensors[0]! : new Float32Array(count);
  if (tensors.length > 1) {
    let at = 0;
    for (const tensor of tensors) {
      all.set(tensor, at);
      at += tensor.length;
    }
  }
  const position = loops.firstNonFinite(all);
  if (position >= 0) throw new NotFiniteError(op, "weights", position);
  using resident = loops.load(all);
  const mask = resident.magnitudeMask(pruned);
  let end = 0;
  return tensors.map(({ length }) => {
    end += length;
    return mask.slice(end - length, end);
  });
}
