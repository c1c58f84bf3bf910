/** The loops over whole gradients, beside those of weights; implemented by kernels (`kernels/gradients.ts`). Numbers as in `inner.ts`. */
import type { CodedRows, Grouping, InnerLoops } from "../inner.ts";

export interface QsgdCoding {
  /** Numbers that share a norm. */
  readonly bucket: number;
  /** s, 1..65535 */
  readonly levels: number;
  /** Every number has a code; else only those that are not 0, and the distances between them. */
  readonly dense: boolean;
}

/** What is sent, and what is lost by it. */
export interface OneBit {
  /** 1 where gradient + residual < 0. */
  readonly codes: Uint8Array;
  /** [groups, 2]: of code 0, of code 1. */
  readonly levels: Float32Array;
  readonly residual: Float32Array;
}

export interface GradientLoops extends InnerLoops {
  /**
   * clamp(floor(x / scale[g] + zero + u), 0, maxCode), u uniform in [0, 1) from 32 bits of `new Random(seed)` for each x, the sum in f64; a scale of 0 is that
   * of zeros.
   */
  randomCodes(
    x: Float32Array,
    grouping: Grouping,
    scale: Float32Array,
    zero: number,
    maxCode: number,
    seed: number,
  ): Uint8Array;
  /** Codes 0..2, five to a byte, the first one the lowest digit of a number in base 3. */
  packTrits(codes: Uint8Array): Uint8Array;
  /** Back; or the position of the first byte that is not of packTrits. */
  unpackTrits(bytes: Uint8Array, count: number): Uint8Array | number;
  /**
   * Of v = x + residual and each run of `group` of them: the means of the v >= 0 and of the v < 0, `symmetric`: ± the mean of |v|; the new residual is v less
   * its level. Sums in f64, all else rounded to f32 at each step.
   */
  oneBit(x: Float32Array, residual: Float32Array, group: number, symmetric: boolean): OneBit;
  /** The level of each code of {@link oneBit}. */
  twoLevels(codes: Uint8Array, group: number, levels: Float32Array): Float32Array;
  /** Words 2i (v_i > τ) and 2i + 1 (v_i < -τ) of v = x + residual in ascending order; the new residual is v ∓ τ there and v elsewhere. */
  thresholdTake(
    x: Float32Array,
    residual: Float32Array,
    threshold: number,
  ): { readonly words: Uint32Array; readonly residual: Float32Array };
  /** ±τ by the words, 0 elsewhere; or the position of the first word that is not above the one before or beyond `count`. */
  thresholdApply(words: Uint32Array, threshold: number, count: number): Float32Array | number;
  /** Of `voters` rows of packed signs the sign of each sum, plus on a tie. */
  majority(signs: Uint8Array, voters: number, count: number): Uint8Array;
  /** Norms per bucket (f32, rounded up) and the coded levels floor(s |x| / norm + u), u as in {@link randomCodes}. */
  qsgdEncode(
    x: Float32Array,
    coding: QsgdCoding,
    seed: number,
  ): { readonly norms: Float32Array; readonly bytes: Uint8Array };
  qsgdDecode(
    norms: Float32Array,
    bytes: Uint8Array,
    coding: QsgdCoding,
    count: number,
  ): Float32Array | "truncated" | "corrupt";
  /** Σ_i first_i (second_i · x - b_i) / samples of the rows of [samples, K], sums in f64. */
  leastSquaresGradient(first: Float32Array, second: Float32Array, x: Float32Array, b: Float32Array): Float32Array;
}

/** The gradient that packed codes under one scale stand for. */
export function scaledLevels(
  loops: InnerLoops,
  count: number,
  scale: Float32Array,
  coded: Pick<CodedRows, "bits" | "codes" | "decoding">,
): Float32Array {
  return loops.decode({ rows: 1, columns: count, ...coded, scale, scaleShape: [1, 1], groupSize: count }, 0, 1);
}
