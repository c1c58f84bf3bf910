/**
 * The weights as a formula sees them: statistics and codes "per group", where a group is whatever shares a scale. Each
 * method is one pass of a kernel, so that a formula reads as its paper prints it and no weight is looped over in TypeScript.
 */
import { disposeSymbol } from "../dispose.ts";
import { type Grid, type Grouping, groupCount, type InnerLoops, type Resident } from "./inner.ts";
import type { Per } from "./types.ts";

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

  /** Σ x² of the weights or of a part of them, in f64. */
  sumSquares(x: Float32Array = this.#values): number {
    let sum = 0;
    for (let from = 0; from < x.length; from += BLOCK) {
      const part = x.subarray(from, from + BLOCK);
      sum += this.#loops.errorSums(part, part).signal;
    }
    return sum;
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
