/**
 * The inner loops of every quantizer: all that touches each weight. Quantizers see them through {@link Weights}
 * (`weights.ts`); what implements them is chosen in one place (`engine.ts`).
 *
 * Numbers, the same for every implementation: sums run in f64 over ascending index and are rounded to f32 once where the
 * result is f32; a quotient `x / scale` is one f32 division; rounding is to nearest, ties to even; ties between
 * levels go to the lowest index; comparisons are exact.
 */
import type { Decoding } from "../graph/types.ts";

/**
 * How weights share statistics and scales: `rows` x `columns`, row-major, split along each row into groups of
 * `groupSize` (the last one shorter where it does not divide). Results "per group" are row-major [rows, groups].
 * One group for the whole tensor is rows = 1, columns = groupSize = every element.
 */
export interface Grouping {
  readonly rows: number;
  readonly columns: number;
  readonly groupSize: number;
}

/** Groups of a row. */
export const groupsPerRow = ({ columns, groupSize }: Grouping): number => Math.ceil(columns / groupSize);

/** All groups. */
export const groupCount = (grouping: Grouping): number => grouping.rows * groupsPerRow(grouping);

/** An unsigned affine grid: code = clamp(roundTiesEven(x / scale[g]) + zeroPoint[g], 0, maxCode). */
export interface Grid {
  /** f32 per group, not negative; a quotient 0 / 0 rounds to 0. */
  readonly scale: Float32Array;
  /** One for all, or int32 per group. */
  readonly zeroPoint: number | Int32Array;
  readonly minCode: number;
  readonly maxCode: number;
}

/** Floats held where the loops run, until disposed. */
export interface Resident extends Disposable {
  readonly length: number;
  /** Largest |x| per group. */
  absMax(grouping: Grouping): Float32Array;
  /** Mean of |x| per group. */
  meanAbs(grouping: Grouping): Float32Array;
  /** Smallest and largest x per group. */
  minMax(grouping: Grouping): { min: Float32Array; max: Float32Array };
  /** Mean of |x| over |x| > threshold[g] per group (0 where none is), and how many those are. */
  meanAbsAbove(grouping: Grouping, threshold: Float32Array): { mean: Float32Array; count: Uint32Array };
  /** 1 where x < 0, else 0 (so -0 counts as positive). */
  signCodes(): Uint8Array;
  gridCodes(grouping: Grouping, grid: Grid): Uint8Array;
  /** Sum over each group of (x - what gridCodes makes of it)², in f64. */
  gridErrors(grouping: Grouping, grid: Grid): Float64Array;
  /**
   * Index of the nearest codebook vector for each sub-vector of `dimension` floats: least sum over ascending index of (x / scale[g] - c)² in f32.
   * `scale`, per group of `grouping`, applies where dimension is 1. codebook [levels, dimension], levels 1..256.
   */
  nearest(codebook: Float32Array, dimension: number, scaling?: { grouping: Grouping; scale: Float32Array }): Uint8Array;
  /** Per cluster: the sum of its sub-vectors, f64 [clusters, dimension], and their count. */
  clusterSums(codes: Uint8Array, dimension: number, clusters: number): { sums: Float64Array; counts: Uint32Array };
  /** 0 at the `pruned` smallest |x|, those of lower index first where they tie, and at all zeros; 1 at the others. */
  magnitudeMask(pruned: number): Uint8Array;
  /** Position of the sub-vector farthest from the codebook vector that its code names; the lowest one on a tie. */
  farthest(codes: Uint8Array, codebook: Float32Array, dimension: number): number;
}

/** Sums over elements in f64, from which every error figure follows. */
export interface ErrorSums {
  /** Sum of (x - y)². */
  readonly noise: number;
  /** Sum of x². */
  readonly signal: number;
  /** Sum of y². */
  readonly power: number;
  /** Sum of x * y. */
  readonly dot: number;
  /** Largest |x - y|; NaN where any difference is. */
  readonly maxAbs: number;
}

/** Codes of a tensor and what they mean; the part of a QuantizedConstant that decoding needs. */
export interface CodedRows {
  readonly rows: number;
  /** Weights of a row. */
  readonly columns: number;
  readonly bits: number;
  readonly codes: Uint8Array;
  readonly decoding: Decoding;
  readonly scale?: Float32Array | undefined;
  readonly scaleShape?: readonly [number, number] | undefined;
  readonly groupSize?: number | undefined;
}

export interface InnerLoops {
  /** Copies x * factor to where the loops run. */
  load(x: Float32Array, factor?: number): Resident;
  /** Index of the first NaN or infinity, -1 where there is none. */
  firstNonFinite(x: Float32Array): number;
  /** The first code that is not below `levels`, -1 where there is none. */
  firstCodeBeyond(codes: Uint8Array, levels: number): number;
  /** Codes [rows, perRow] of `bits` (1..8) each, least significant bit first; every row starts on a byte, spare bits 0. */
  pack(codes: Uint8Array, rows: number, perRow: number, bits: number): Uint8Array;
  unpack(packed: Uint8Array, rows: number, perRow: number, bits: number): Uint8Array;
  /** The elements whose mask is 1, in order. */
  compress(x: Float32Array, mask: Uint8Array): Float32Array;
  /** The way back: 0 where the mask is. */
  expand(kept: Float32Array, mask: Uint8Array): Float32Array;
  /** The same of codes, with `fill` where the mask is 0. */
  expandCodes(kept: Uint8Array, mask: Uint8Array, fill: number): Uint8Array;
  /** The floats that rows [from, to) stand for: fround(level * scale). */
  decode(coded: CodedRows, from: number, to: number): Float32Array;
  errorSums(x: Float32Array, y: Float32Array): ErrorSums;
}
