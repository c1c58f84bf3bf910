/**
 * The weights as a formula sees them: statistics and codes "per group", where a group is whatever shares a scale. Each
 * method is one pass of a kernel, so that a formula reads as its paper prints it and no weight is looped over in TypeScript.
 */
import { disposeSymbol } from "../dispose.ts";
import type { BlockCodes, QuantizerBlock } from "./blocks/layout.ts";
import {
  type Bases,
  type Bins,
  type Grid,
  type Grouping,
  groupCount,
  groupLength,
  type InnerLoops,
  type Resident,
  type StochasticGrid,
} from "./inner.ts";
import type { Random } from "./random.ts";
import type { Solver } from "./solve.ts";
import type { Per } from "./types.ts";
import type { CurvedNumbers, CurvedWeights, SortedValues, Vectors } from "./vector/loops.ts";

/** Rows N and columns K of a shape: axis 0 by the rest. */
export function matrixOf(shape: readonly number[]): { rows: number; columns: number } {
  let columns = 1;
  for (const size of shape.slice(1)) columns *= size;
  return { rows: shape[0] ?? 1, columns };
}

/** Groups of an [N, K] matrix. One per tensor spans row ends, so it is a single row of N * K. */
export function groupingOf(per: Per, rows: number, columns: number): Grouping {
  if (per === "tensor") return { rows: 1, columns: rows * columns, groupSize: rows * columns };
  return { rows, columns, groupSize: per === "channel" ? columns : Math.min(per.group, columns) };
}

/** Floats that a pass with several operands copies at a time, so that memory stays at the tensor and its codes. */
export const BLOCK = 65536;

export class Weights implements Disposable {
  readonly rows: number;
  readonly columns: number;
  /** Number of groups; every result "per group" has this length, in row-major order [rows, groups of a row]. */
  readonly groups: number;
  /** How {@link groups} divide the weights. */
  readonly grouping: Grouping;
  readonly #values: Float32Array;
  #kept: Resident | undefined;
  readonly #loops: InnerLoops;
  readonly #per: Per;

  constructor(loops: InnerLoops, values: Float32Array, rows: number, columns: number, per: Per) {
    this.rows = rows;
    this.columns = columns;
    this.grouping = groupingOf(per, rows, columns);
    this.groups = groupCount(this.grouping);
    this.#values = values;
    this.#loops = loops;
    this.#per = per;
  }

  get length(): number {
    return this.#values.length;
  }

  /** The floats themselves, row-major; not to be written to. */
  values(): Float32Array {
    return this.#values;
  }

  /** max |w| per group. */
  absMax(): Float32Array {
    return this.#resident.absMax(this.grouping);
  }

  /** E |w| per group. */
  meanAbs(): Float32Array {
    return this.#resident.meanAbs(this.grouping);
  }

  /** min w and max w per group. */
  minMax(): { min: Float32Array; max: Float32Array } {
    return this.#resident.minMax(this.grouping);
  }

  /** E[ |w| : |w| > threshold ] per group, 0 where no weight is above. */
  meanAbsAbove(threshold: Float32Array): Float32Array {
    return this.#resident.meanAbsAbove(this.grouping, threshold).mean;
  }

  /** Code 1 where w < 0, else 0. */
  signCodes(): Uint8Array {
    return this.#resident.signCodes();
  }

  /** Σ w² per group. */
  power(): Float64Array {
    const { groups } = this;
    // What a grid of nothing but 0 misses.
    return this.gridErrors({ scale: new Float32Array(groups).fill(1), zeroPoint: 0, minCode: 0, maxCode: 0 });
  }

  /** Number of weights of each group. */
  lengths(): Uint32Array {
    return Uint32Array.from({ length: this.groups }, (_, group) => groupLength(this.grouping, group));
  }

  /** What stands at these ranks (ascending from 0) where each group's w, or |w|, are sorted: ranks and result [groups, R]. */
  orderStatistics(of: "values" | "magnitudes", ranks: Uint32Array): Float32Array {
    return this.#resident.orderStatistics(this.grouping, of, ranks);
  }

  /** Of the groups of one row of {@link grouping}: how many |w| lie in each of `count` equal parts of 0..top, and the sum of their squares, [groups, count]. */
  histogram(row: number, bins: Bins): { counts: Uint32Array; squares: Float64Array } {
    return this.#resident.histogram(this.grouping, row, bins);
  }

  /** How many of at most 255 ascending thresholds are <= w / scale (scale per group, > 0). */
  thresholdCodes(thresholds: Float32Array, scale = new Float32Array(this.groups).fill(1)): Uint8Array {
    return this.#resident.thresholdCodes(this.grouping, thresholds, scale);
  }

  /** The sum of the weights with each code below `levels`, and their number. */
  sumsByCode(codes: Uint8Array, levels: number): { sums: Float64Array; counts: Uint32Array } {
    return this.#resident.clusterSums(codes, 1, levels);
  }

  /** Rounds to a grid per group: clamp(round((w - offset) / scale) + zeroPoint, minCode, maxCode), ties to even; 0 / 0 counts as 0. */
  gridCodes(grid: Grid): Uint8Array {
    return this.#resident.gridCodes(this.grouping, grid);
  }

  /** Σ (w - what the grid makes of it)² per group. */
  gridErrors(grid: Grid): Float64Array {
    return this.#resident.gridErrors(this.grouping, grid);
  }

  /** Draws to a grid per group, so that the mean of the codes' values is w: one number of `random` for each weight, in order. */
  stochasticCodes(grid: StochasticGrid, random: Random): Uint8Array {
    return this.#resident.stochasticCodes(this.grouping, grid, random);
  }

  /** Other weights of the same shape and groups: w where curvature·w² >= least, else 0. The caller disposes of them. */
  pruned(curvature: Float32Array, least: number): Weights {
    const kept = new Float32Array(this.length);
    for (let from = 0; from < this.length; from += BLOCK) {
      const to = from + BLOCK;
      kept.set(this.#loops.prune(this.#values.subarray(from, to), curvature.subarray(from, to), least), from);
    }
    return new Weights(this.#loops, kept, this.rows, this.columns, this.#per);
  }

  /** Per code, the sum of the weights that have it, in f64, and their number. */
  codeSums(codes: Uint8Array, levels: number): { sums: Float64Array; counts: Uint32Array } {
    return this.#resident.clusterSums(codes, 1, levels);
  }

  /** Index of the level nearest to w / scale (scale per group, > 0), the lowest index on a tie. */
  nearest(levels: Float32Array, scale?: Float32Array): Uint8Array {
    return scale === undefined
      ? this.#resident.nearest(levels, 1)
      : this.#resident.nearest(levels, 1, { grouping: this.grouping, scale });
  }

  /** Sub-vectors of `dimension` weights along the rows, times `factor`, for searches that pass over them many times; the caller disposes of them. */
  vectors(dimension: number, factor: number): Vectors {
    this.release();
    return this.#loops.vectors(this.#values, factor, dimension);
  }

  /** The weights times `factor` in ascending order, with a weight each (at least `floor`; absent: 1); the caller disposes of them. */
  sorted(factor: number, weights?: Float32Array, floor?: number): SortedValues {
    this.release();
    return this.#loops.sorted(this.#values, factor, weights, floor);
  }

  /** Numbers (the weights, or a sample of them) times `factor`, with their curvature (absent: 1) times `ratio`; the caller disposes of them. */
  curved(factor: number, numbers: CurvedNumbers): CurvedWeights {
    this.release();
    return this.#loops.curved(factor, numbers);
  }

  /** Codes [count, n], codebook after codebook, to the order [n, count] of `additive` decoding. */
  interleave(codes: Uint8Array, count: number): Uint8Array {
    return this.#loops.interleave(codes, count);
  }

  /** Per shared value of weights hashed by `seed`: the mean of ±w times `factor`; 0 where there is none. */
  hashedMeans(seed: number, factor: number, values: number): Float32Array {
    this.release();
    return this.#loops.hashedMeans(this.#values, seed, factor, values);
  }

  /** The largest magnitude among other numbers, such as the curvature of the weights. */
  largest(x: Float32Array): number {
    this.release();
    using held = this.#loops.load(x);
    return held.absMax({ rows: 1, columns: x.length, groupSize: x.length })[0]!;
  }

  /** 0 at the `pruned` smallest |w|, those of lower index first where they tie, and at all zeros; 1 at the others. */
  magnitudeMask(pruned: number): Uint8Array {
    return this.#resident.magnitudeMask(pruned);
  }

  /** Of `values` (one per weight) those whose mask is 1. */
  compress(values: Float32Array, mask: Uint8Array): Float32Array {
    return this.#loops.compress(values, mask);
  }

  /** The way back: 0 where the mask is. */
  expand(kept: Float32Array, mask: Uint8Array): Float32Array {
    return this.#loops.expand(kept, mask);
  }

  /** The same of codes, with `fill` where the mask is 0. */
  expandCodes(kept: Uint8Array, mask: Uint8Array, fill: number): Uint8Array {
    return this.#loops.expandCodes(kept, mask, fill);
  }

  /** Other weights of `rows` rows, on the same loops; the caller disposes of them. */
  others(values: Float32Array, rows: number, per: Per): Weights {
    return new Weights(this.#loops, values, rows, values.length / rows, per);
  }

  /** Sum and number of the weights of each code below `clusters`. */
  clusterSums(codes: Uint8Array, clusters: number): { sums: Float64Array; counts: Uint32Array } {
    return this.#resident.clusterSums(codes, 1, clusters);
  }

  /** Mean and standard deviation per group, in f64. */
  moments(): { mean: Float64Array; deviation: Float64Array } {
    return this.#resident.moments(this.grouping);
  }

  /** What the bases leave, r = w - Σ ±a_i: their codes with one more bit, set where r < 0, and E|r| per group. */
  residualSigns(bases: Bases): { codes: Uint8Array; mean: Float32Array } {
    return this.#resident.residualSigns(this.grouping, bases);
  }

  /** argmin over a of ‖w - Σ a_i b_i‖² per group for `count` (1..8) bases of given codes: [groups, count]. */
  fitBases(codes: Uint8Array, count: number): Float32Array {
    return this.#resident.fitBases(this.grouping, codes, count);
  }

  /** The code of the nearest of the 2^count sums ±a_0 ±a_1 ... of each weight's group. */
  nearestBases(coefficients: Float32Array, count: number): Uint8Array {
    return this.#resident.nearestBases(this.grouping, coefficients, count);
  }

  /** Bit i of a code set where w lies below threshold i of its group: thresholds [groups, bits]. */
  baseCodes(thresholds: Float32Array, bits: number): Uint8Array {
    return this.#resident.baseCodes(this.grouping, thresholds, bits);
  }

  /** Σ h w q and Σ h q² per group, q = levels[code]: their quotient is the scale of least Σ h (w - α q)². h is 1 where absent. */
  scaleSums(
    codes: Uint8Array,
    levels: Float32Array,
    importance?: Float32Array,
  ): { dot: Float64Array; power: Float64Array } {
    return this.#resident.scaleSums(this.grouping, codes, levels, importance);
  }

  /** argmin over α >= 0 of the error of -α, 0, +α per group, by a sorted pass. */
  ternaryScale(): Float32Array {
    return this.#resident.ternaryScale(this.grouping);
  }

  /** The scales at which alternating between the nearest of ± levels (ascending from 0 on) and α = Σwq / Σq² settles, per group, from `scale` on. */
  levelScale(levels: Float32Array, scale: Float32Array): Float32Array {
    return this.#resident.levelScale(this.grouping, levels, scale);
  }

  /** Codes, scales and, for Q4_K, offsets of the GGUF blocks of `type`, per group of its size. */
  blockCodes(type: QuantizerBlock): BlockCodes {
    return this.#resident.blockCodes(type, this.columns);
  }

  /** Σ x² of the weights or of a part of them, in f64. */
  sumSquares(x: Float32Array = this.#values): number {
    let sum = 0;
    for (let from = 0; from < x.length; from += BLOCK) {
      const part = x.subarray(from, from + BLOCK);
      sum += this.#loops.errorSums(part, part).signal;
    }
    return sum;
  }

  /** Matrices of the layer's inputs, and searches that round by them. */
  get solver(): Solver {
    return this.#loops.solver;
  }

  /** A copy of x times `factor` for searches that pass over it many times (`lloyd.ts`); the caller disposes of it. */
  resident(x: Float32Array, factor: number): Resident {
    return this.#loops.load(x, factor);
  }

  /** Frees the copy that the methods above work on; the next one of them makes it anew. */
  release(): void {
    this.#kept?.[disposeSymbol]();
    this.#kept = undefined;
  }

  [disposeSymbol](): void {
    this.release();
  }

  get #resident(): Resident {
    this.#kept ??= this.#loops.load(this.#values);
    return this.#kept;
  }
}
