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
  /** Position of the sub-vector farthest from the codebook vector that its code names; the lowest one on a tie. */
  farthest(codes: Uint8Array, codebook: Float32Array, dimension: number): number;
  /** Mean and standard deviation, sqrt(Σ(x - mean)² / n), per group, in f64. */
  moments(grouping: Grouping): { mean: Float64Array; deviation: Float64Array };
  /**
   * One more binary base: `codes` with bit `bases` set where the residual x - Σ ±a_i (f64, ascending i) of the `bases` (0..7) before is below 0 and cleared where not,
   * and the mean |residual| per group. coefficients [groups, bases]; bit i of a code set means -a_i.
   */
  residualSigns(grouping: Grouping, bases: Bases): { codes: Uint8Array; mean: Float32Array };
  /** Least-squares coefficients [groups, count] of codes of `count` (1..8) bases; 0 for a base that depends on those before it. */
  fitBases(grouping: Grouping, codes: Uint8Array, count: number): Float32Array;
  /** The code of the nearest of the 2^count sums ±a_0 ±a_1 ... per group: by the midpoints in f64, the lowest code of equally near ones. */
  nearestBases(grouping: Grouping, coefficients: Float32Array, count: number): Uint8Array;
  /** Bit i of a code set where x < thresholds[g, i], for `bits` (1..8) thresholds per group. */
  thresholdCodes(grouping: Grouping, thresholds: Float32Array, bits: number): Uint8Array;
  /** Σ h x q and Σ h q² per group, in f64, with q = levels[code]; h is the importance of each weight, 1 where absent. */
  scaleSums(
    grouping: Grouping,
    codes: Uint8Array,
    levels: Float32Array,
    importance?: Float32Array,
  ): { dot: Float64Array; power: Float64Array };
  /** Per group the α of the least Σ(x - αt)² over all α >= 0 and t in {-1, 0, +1}. */
  ternaryScale(grouping: Grouping): Float32Array;
  /** Sorts in place, ascending, -0 before +0. */
  sort(): void;
  /** The element at a position. */
  at(position: number): number;
  /** Cuts ascending x at ascending thresholds; part p is what lies above threshold p - 1 and not above threshold p. Positions behind the parts and their sums. */
  parts(thresholds: Float64Array): { ends: Uint32Array; sums: Float64Array };
}

/** Sums of binary bases: w ≈ Σ ±a_i per group. */
export interface Bases {
  /** Bit i of a code is base i: 0 for +a_i, 1 for -a_i. */
  readonly codes: Uint8Array;
  /** [groups, count] */
  readonly coefficients: Float32Array;
  readonly count: number;
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
  /** The floats that rows [from, to) stand for: fround(level * scale). */
  decode(coded: CodedRows, from: number, to: number): Float32Array;
  errorSums(x: Float32Array, y: Float32Array): ErrorSums;
}
