/** Codebooks of score-aware product quantization (Guo et al. 2020, arXiv 1908.10396). */
import { anisotropicEncode, anisotropicFit, type KernelInstance } from "lowbit/kernels";
import type { Vectors } from "./prepare.ts";

/** Rounds of codes and codebooks: the loss falls by a few percent in the first, hardly behind the last. */
const ROUNDS = 6;

/**
 * What is lost along a vector weighs eta times what is lost across it, where inner products of T times its length or more count: (D - 1) T² / (1 - T²), the limit of the paper's theorem for many
 * coordinates; 1, as without directions, where that is below.
 */
export const etaOf = (threshold: number, dimension: number): number =>
  Math.max(1, ((dimension - 1) * threshold * threshold) / (1 - threshold * threshold));

/** What is fitted. */
export interface ScoreAware {
  /** What is coded, f32 [n, D]. */
  readonly sample: Vectors;
  /** The vectors whose directions count: those of the sample, or before a centroid was taken off. */
  readonly whole: Float32Array;
  /** f32 [M, K, D / M], where the search begins. */
  readonly codebooks: Float32Array;
  readonly subspaces: number;
  readonly bits: 4 | 8;
  readonly eta: number;
}

/** By turns codes for the codebooks that there are, and the codebooks of least loss for these codes. */
export function fitScoreAware(
  instance: KernelInstance,
  { sample, whole, codebooks, subspaces, bits, eta }: ScoreAware,
): Float32Array {
  const [n = 0, dimension = 1] = sample.shape;
  const [x, directions] = [instance.upload(sample.data), instance.upload(whole)];
  const [pointer, codes] = [instance.upload(codebooks), instance.alloc(n * subspaces)];
  const part = dimension / subspaces;
  const books = { codebooks: pointer, entries: codebooks.length, subspaces, dimension: part, four: bits === 4 };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      anisotropicEncode(instance, { x, n, dimension }, { books, whole: directions, eta }, codes);
      anisotropicFit(instance, { x, n, dimension }, { books, whole: directions, eta }, codes);
    }
    return instance.f32(pointer, codebooks.length).slice();
  } finally {
    if (!instance.ended) {
      instance.free(x, sample.data.byteLength);
      instance.free(directions, whole.byteLength);
      instance.free(pointer, codebooks.byteLength);
      instance.free(codes, n * subspaces);
    }
  }
}
