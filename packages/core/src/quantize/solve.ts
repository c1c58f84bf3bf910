/**
 * The inner loops of calibrated quantizers: matrices of the layer's inputs, and the searches that round weights by them. Formulas see them as `w.solver`
 * (`weights.ts`); `kernels/solve.ts` implements them on crates/kernels/src/solve.
 *
 * Numbers, the same for every implementation: sums run in f64, each over one ascending index (samples, then columns), and are rounded once where the result is f32.
 */
import type { Grid, Grouping } from "./inner.ts";
import type { Calibration } from "./types.ts";
import type { AdditiveCodes } from "./vector/loops.ts";

/** A grid over weights [rows, columns], as the searches round to it. */
export interface GridProblem {
  /** Row-major [rows, columns]. */
  readonly w: Float32Array;
  readonly grouping: Grouping;
  readonly grid: Grid;
}

/** Figures of every column of a matrix, f64. */
export interface ColumnFigures {
  /** Rows that they are of. */
  readonly rows: number;
  readonly sum: Float64Array;
  readonly sumAbs: Float64Array;
  readonly maxAbs: Float64Array;
  readonly sumSquares: Float64Array;
}

/** AdaRound's search; see `calibrated/adaround.ts`. */
export interface AdaroundSearch {
  readonly iterations: number;
  readonly rate: number;
  readonly weight: number;
  readonly beta: readonly [from: number, to: number];
}

/** HQQ's search; see `calibrated/hqq.ts`. */
export interface HqqSearch {
  readonly maxCode: number;
  readonly norm: number;
  readonly beta: number;
  readonly growth: number;
  readonly rounds: number;
}

/** H = 2/n XᵀX of n samples, held where the loops run until disposed: K² f64. */
export interface Gram extends Disposable {
  readonly columns: number;
  /** H_kk by the order in which it was made. */
  readonly diagonal: Float64Array;
  /** Makes it H + λI from here on, with H as it was made: λ = 0 is the way back. */
  damp(lambda: number): void;
  /**
   * GPTQ's codes: columns in the order of the Gram matrix, each to the level nearest to what the errors before it left; of rows that rounding to the nearest level serves
   * better, those. H + damping I must be positive definite. Spends the matrix: nothing else can be asked of it afterwards.
   */
  gptq(problem: GridProblem, damping: number): Uint8Array;
  /** AdaRound's codes, or per row those of the nearest levels where they make less error; the Gram matrix must have the columns' own order. */
  adaround(problem: GridProblem, search: AdaroundSearch): Uint8Array;
  /** Per group d H_gg dᵀ with d = w - what the grid makes of it. */
  gridErrors(problem: GridProblem): Float64Array;
  /**
   * AQLM's steps on weights [rows, columns]: `steps` of conjugate gradients over the codebooks, then a search for codes with a beam of that many codings of a row (0: none).
   * `error` is Σ d H dᵀ of what is left.
   */
  additive(
    w: Float32Array,
    start: AdditiveCodes & { readonly dimension: number },
    effort: { readonly steps: number; readonly beam: number },
  ): AdditiveCodes & { readonly error: number };
  /** Per row d H dᵀ with d = x - y, both [rows, columns]: twice the mean squared error of the row's output. */
  errors(x: Float32Array, y: Float32Array): Float64Array;
}

export interface Solver {
  /** @param order columns in the order that H has them; absent: their own. */
  gram(calibration: Calibration, columns: number, order?: Uint32Array): Gram;
  columnFigures(x: Float32Array, columns: number): ColumnFigures;
  /** Scale and offset per group and codes of every weight. */
  hqq(
    w: Float32Array,
    grouping: Grouping,
    search: HqqSearch,
  ): { scale: Float32Array; offset: Float32Array; codes: Uint8Array };
  /** A rotated copy of x [rows, columns]: blocks of `size` (a power of two that divides the columns) by H D / sqrt(size), `inverse` by its transpose; D negative where a sign is 1. */
  hadamard(x: Float32Array, columns: number, size: number, signs: Uint8Array, inverse: boolean): Float32Array;
  /** A copy of w [rows, columns] times rows[n] * channels[k mod their number]. */
  scale(w: Float32Array, columns: number, rows: Float64Array, channels: Float64Array): Float32Array;
  /** Σ_k w[n, k] x[k] per row. */
  rowDots(w: Float32Array, x: Float64Array): Float64Array;
  /** x^exponent for x >= 0, by the same libm everywhere. */
  powers(x: Float64Array, exponent: number): Float64Array;
}
