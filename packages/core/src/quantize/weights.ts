/**
 * The weights as a formula sees them: statistics and codes "per group", where a group is whatever shares a scale. Each
 * method is one pass of a kernel, so that a formula reads as its paper prints it and no weight is looped over in TypeScript.
 */
import { disposeSymbol } from "../dispose.ts";
import { type Grid, type Grouping, groupCount, type InnerLoops, type Resident } from "./inner.ts";
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

  constructor(loops: InnerLoops, values: Float32Array, rows: number, columns: number, per: Per) {
    this.rows = rows;
    this.columns = columns;
    this.grouping = groupingOf(per, rows, columns);
    this.groups = groupCount(this.grouping);
    this.#values = values;
    this.#loops = loops;
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

  /** Rounds to a grid per group: clamp(round(w / scale) + zeroPoint, minCode, maxCode), ties to even; 0 / 0 counts as 0. */
  gridCodes(grid: Grid): Uint8Array {
    return this.#resident.gridCodes(this.grouping, grid);
  }

  /** Σ (w - what the grid makes of it)² per group. */
  gridErrors(grid: Grid): Float64Array {
    return this.#resident.gridErrors(this.grouping, grid);
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

  /** Per shared value of weights hashed by `seed`: Σ ±w times `factor`, and how many they are. */
  hashedSums(seed: number, factor: number, values: number): { sums: Float64Array; counts: Uint32Array } {
    this.release();
    return this.#loops.hashedSums(this.#values, seed, factor, values);
  }

  /** The largest magnitude among other numbers, such as the curvature of the weights. */
  largest(x: Float32Array): number {
    using held = this.#loops.load(x);
    return held.absMax({ rows: 1, columns: x.length, groupSize: x.length })[0]!;
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
