/** Reductions over any axes, and what follows one axis; see crates/kernels/src/reduce. Every function takes pointers. */
import { type ElementType, elementType } from "./arithmetic.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** In the order of crates/kernels/src/reduce/axes.rs, which has the formulas. */
export const reductions = [
  ...(["sum", "mean", "prod", "max", "min", "l1", "l2", "sumSquare", "logSum", "logSumExp"] as const),
];

export type Reduction = (typeof reductions)[number];

export interface ReduceOptions {
  readonly reduction: Reduction;
  readonly dtype: ElementType;
  /** Up to 8 axes. */
  readonly shape: readonly number[];
  /** Those that are reduced, each 0 to the axes - 1. */
  readonly axes: readonly number[];
}

/** Floats are summed in f64, integers modulo 2^64; the result is rounded or cut once to x's type. */
export class Reduce extends KernelObject {
  constructor(instance: KernelInstance, { reduction, dtype, shape, axes }: ReduceOptions) {
    const parameters = new Parameters(instance)
      .i32(reductions.indexOf(reduction), elementType(dtype))
      .array(Int32Array.from(shape))
      .array(Uint8Array.from(shape, (_, axis) => Number(axes.includes(axis))));
    super(instance, parameters.call(instance.exports.reduce_new));
  }

  run(x: number, y: number): void {
    this.instance.check(this.instance.exports.reduce_run(this.handle, x, y));
  }
}

/** An array seen as [outer, size, inner], of which the middle axis is followed. */
export type Lines = readonly [outer: number, size: number, inner: number];

/** The sum up to each element, or, `exclusive`, before it; `reverse`: from the last one on. Of x's type. */
export function cumSum(
  instance: KernelInstance,
  dtype: ElementType,
  [outer, size, inner]: Lines,
  x: number,
  y: number,
  { exclusive = false, reverse = false }: { readonly exclusive?: boolean; readonly reverse?: boolean } = {},
): void {
  const kind = Number(exclusive) + 2 * Number(reverse);
  instance.check(instance.exports.along_run(kind, elementType(dtype), outer, size, inner, x, y));
}

/** exp(x - largest) / sum, or, `log`, the logarithm of that; of floats of any type, computed in f64. */
export function softmaxOf(
  instance: KernelInstance,
  dtype: ElementType,
  [outer, size, inner]: Lines,
  x: number,
  y: number,
  log: boolean,
): void {
  instance.check(instance.exports.along_run(log ? 5 : 4, elementType(dtype), outer, size, inner, x, y));
}

export interface ArgExtremeOptions {
  readonly smallest: boolean;
  /** Of several, the last one. */
  readonly last: boolean;
}

/** Positions int64 [outer, inner] of the largest or smallest elements; NaN is above all numbers. */
export function argExtreme(
  instance: KernelInstance,
  dtype: ElementType,
  [outer, size, inner]: Lines,
  x: number,
  y: number,
  { smallest, last }: ArgExtremeOptions,
): void {
  const kind = Number(smallest) + 2 * Number(last);
  instance.check(instance.exports.arg_extreme_run(kind, elementType(dtype), outer, size, inner, x, y));
}

export interface BestKOptions {
  readonly dtype: ElementType;
  readonly lines: Lines;
  readonly k: number;
  readonly smallest: boolean;
}

/** The k largest (or smallest) elements of each line in order, and their positions; of equal ones the first. */
export class BestK extends KernelObject {
  constructor(instance: KernelInstance, { dtype, lines, k, smallest }: BestKOptions) {
    const parameters = new Parameters(instance).i32(elementType(dtype), Number(smallest), k, ...lines);
    super(instance, parameters.call(instance.exports.best_new));
  }

  /**
   * @param values [outer, k, inner] of x's type
   * @param positions int64 of the same shape
   */
  run(x: number, values: number, positions: number): void {
    this.instance.check(this.instance.exports.best_run(this.handle, x, values, positions));
  }
}
