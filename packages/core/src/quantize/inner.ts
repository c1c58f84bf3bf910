/**
 * The inner loops of every quantizer: all that touches each weight. Quantizers see them through {@link Weights}
 * (`weights.ts`); what implements them is chosen in one place (`engine.ts`).
 *
 * Numbers, the same for every implementation: sums run in f64 over ascending index and are rounded to f32 once where the
 * result is f32; a quotient `x / scale` is one f32 division; rounding is to nearest, ties to even; ties between
 * levels go to the lowest index; comparisons are exact.
 */
import type { Decoding } from "../graph/types.ts";
import type { BlockCodes, BlockType, QuantizerBlock } from "./blocks/layout.ts";
import type { StoredFloat } from "./blocks/stored.ts";
import type { Random } from "./random.ts";
import type { Solver } from "./solve.ts";
import type { CodebookLoops } from "./vector/loops.ts";

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

/** Weights of a group: `groupSize`, or what is left of its row. */
export const groupLength = (grouping: Grouping, group: number): number =>
  Math.min(grouping.groupSize, grouping.columns - (group % groupsPerRow(grouping)) * grouping.groupSize);

/** An unsigned affine grid: code = clamp(roundTiesEven((x - offset[g]) / scale[g]) + zeroPoint[g], minCode, maxCode). */
export interface Grid {
  /** f32 per group, not negative; a quotient 0 / 0 rounds to 0. */
  readonly scale: Float32Array;
  /** One for all, or int32 per group. */
  readonly zeroPoint: number | Int32Array;
  /** f32 per group, where the grid starts from another place than 0: a code stands for (code - zeroPoint) * scale + offset. */
  readonly offset?: Float32Array | undefined;
  readonly minCode: number;
  readonly maxCode: number;
}

/** Whose magnitudes a histogram counts: all, those of x >= 0, those of x < 0. */
export type Side = "both" | "positive" | "negative";

/** Equal parts of 0..top[g]; what lies above is in the last, everything in the first where top[g] is 0. */
export interface Bins {
  readonly side: Side;
  readonly count: number;
  /** f32 per group. */
  readonly top: Float32Array;
}

/**
 * A grid that weights are drawn to: with q = (x - offset[g]) / scale[g] in f64, code = clamp(floor(q) + d + zero, minCode, maxCode), d = 1 with probability
 * q - floor(q), else 0. A q within 2^-22 of itself from an integer is that integer, 0 / 0 is 0.
 */
export interface StochasticGrid {
  /** f32 per group; a negative one counts downwards. */
  readonly scale: Float32Array;
  /** f32 per group; absent: 0. */
  readonly offset?: Float32Array;
  readonly zero: number;
  readonly minCode: number;
  readonly maxCode: number;
}

/** Σ_j π_j N(x; μ_j, 1/λ_j): f64 per component, at most 256. */
export interface Mixture {
  readonly proportion: Float64Array;
  readonly mean: Float64Array;
  readonly precision: Float64Array;
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
  /** Codes of a grid that weights are drawn to: one number of the generator for each weight, u = bits32 / 2^32, d = 1 where u is below the probability. */
  stochasticCodes(grouping: Grouping, grid: StochasticGrid, random: Random): Uint8Array;
  /**
   * The E-step of a mixture: per component Σ r, Σ r(x - μ), Σ r(x - μ)², [components, 3], with r its responsibility; and the log likelihood without its constant. Exponentials are
   * libm's, those below e^-40 of the largest count as 0; sums over components take the last two together, the two before ..., after those that are left over at the front.
   */
  mixtureSums(mixture: Mixture): { sums: Float64Array; logLikelihood: number };
  /** The most responsible component of each x, the lowest on a tie. */
  mixtureCodes(mixture: Mixture): Uint8Array;
  /**
   * Index of the nearest codebook vector for each sub-vector of `dimension` floats: least sum over ascending index of (x / scale[g] - c)² in f32.
   * `scale`, per group of `grouping`, applies where dimension is 1. codebook [levels, dimension], levels 1..256.
   */
  nearest(codebook: Float32Array, dimension: number, scaling?: { grouping: Grouping; scale: Float32Array }): Uint8Array;
  /** Per cluster: the sum of its sub-vectors, f64 [clusters, dimension], and their count. */
  clusterSums(codes: Uint8Array, dimension: number, clusters: number): { sums: Float64Array; counts: Uint32Array };
  /** 0 at the `pruned` smallest |x|, those of lower index first where they tie, and at all zeros; 1 at the others. */
  magnitudeMask(pruned: number): Uint8Array;
  /** Codes and f16 scales of GGUF blocks along rows of `columns`, a shorter last block where they do not divide; offsets with types that have a minimum (`blocks/layout.ts`). */
  blockCodes(type: QuantizerBlock, columns: number): BlockCodes;
  /**
   * What would stand at these ranks (ascending from 0) if each group's x, or |x|, were sorted ascending, -0 before +0: ranks and result [groups, R].
   */
  orderStatistics(grouping: Grouping, of: "values" | "magnitudes", ranks: Uint32Array): Float32Array;
  /** Of the groups of one row: how many |x| lie in each bin floor(|x| * count / top[g]), and the sum of their squares, [groups, count]. */
  histogram(grouping: Grouping, row: number, bins: Bins): { counts: Uint32Array; squares: Float64Array };
  /** How many of at most 255 ascending thresholds are <= x / scale[g]. */
  thresholdCodes(grouping: Grouping, thresholds: Float32Array, scale: Float32Array): Uint8Array;
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
  baseCodes(grouping: Grouping, thresholds: Float32Array, bits: number): Uint8Array;
  /** Σ h x q and Σ h q² per group, in f64, with q = levels[code]; h is the importance of each weight, 1 where absent. */
  scaleSums(
    grouping: Grouping,
    codes: Uint8Array,
    levels: Float32Array,
    importance?: Float32Array,
  ): { dot: Float64Array; power: Float64Array };
  /** Per group the α of the least Σ(x - αt)² over all α >= 0 and t in {-1, 0, +1}. */
  ternaryScale(grouping: Grouping): Float32Array;
  /**
   * Per group a local optimum α of Σ(x - αq)² with q from ± levels, ascending from 0 on, by turns of q = the nearest and α = Σxq / Σq² from `scale` on; of a group whose x are all
   * nearest to 0 the scale that it had.
   */
  levelScale(grouping: Grouping, levels: Float32Array, scale: Float32Array): Float32Array;
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

export interface InnerLoops extends CodebookLoops {
  /** Those that only the module part `quantize` has. */
  readonly solver: Solver;
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
  /** The same of x and what rows [from, to) stand for. */
  decodedErrorSums(x: Float32Array, coded: CodedRows, from: number, to: number): ErrorSums;
  /** The blocks of codes; or the first scale of the first block that the type does not hold. */
  writeBlocks(type: BlockType, coded: BlockCodes): Uint8Array | number;
  /** Codes and scales of whole blocks. */
  readBlocks(type: BlockType, bytes: Uint8Array): BlockCodes;
  /** Floats of another width as f32; exact but for f64, which is rounded once. */
  widen(stored: StoredFloat, bytes: Uint8Array): Float32Array;
  /** A mask of `count` ones: those of `mask`, and the largest |x| beside them, the lowest index first on a tie. */
  largest(x: Float32Array, count: number, mask: Uint8Array): Uint8Array;
  /** y where the mask is not 0, else x. */
  choose(x: Float32Array, y: Float32Array, mask: Uint8Array): Float32Array;
  /** fround((x + weight * y) / (1 + weight)). */
  mix(x: Float32Array, y: Float32Array, weight: number): Float32Array;
  /** Σ|x - y| per group, in f64. */
  absErrors(grouping: Grouping, x: Float32Array, y: Float32Array): Float64Array;
  /** x where curvature·x² >= least (in f64), else 0. */
  prune(x: Float32Array, curvature: Float32Array, least: number): Float32Array;
  /** Adds x to the counts of equally wide bins, `perUnit` of them to 1: x falls into bin floor(x * perUnit) + bins / 2, those beyond into the outermost. */
  tally(x: Float32Array, perUnit: number, counts: Uint32Array): void;
  /** What flows back through a quantizer that clips: dx = g where low < x < high, else 0, and f64 sums of g by where x lies. */
  clipGradients(x: Float32Array, gradient: Float32Array, clip: Clip): ClipGradients;
}

/** The ends of a clipped quantizer and its step, all f32. */
export interface Clip {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

export interface ClipGradients {
  readonly dx: Float32Array;
  /** Σ g over x <= low. */
  readonly below: number;
  /** Σ g over x >= high. */
  readonly above: number;
  /** Σ g (round(x / step) - x / step) over the x between, ties to even. */
  readonly inside: number;
}
