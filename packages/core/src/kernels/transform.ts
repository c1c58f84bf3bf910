/** Operators that move elements without computing; see crates/kernels/src/transform. */
import type { CastType } from "../graph/types.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

type ElementBytes = 1 | 2 | 4 | 8;

export interface TransposeOptions {
  /** Up to 8 axes. */
  readonly shape: readonly number[];
  /** Axis i of y is axis permutation[i] of x. */
  readonly permutation: readonly number[];
  readonly elementBytes: ElementBytes;
}

export class Transpose extends KernelObject {
  constructor(instance: KernelInstance, { shape, permutation, elementBytes }: TransposeOptions) {
    const parameters = new Parameters(instance).i32(elementBytes);
    parameters.array(Int32Array.from(shape)).array(Int32Array.from(permutation));
    super(instance, parameters.call(instance.exports.transpose_new));
  }

  run(x: number, y: number): void {
    this.instance.check(this.instance.exports.transpose_run(this.handle, x, y));
  }
}

export interface PadOptions {
  /** Up to 8 axes. */
  readonly shape: readonly number[];
  /** Elements before each axis, then after each axis, all 0 or more. */
  readonly pads: readonly number[];
  /** One element as its bytes, little-endian. */
  readonly value: Uint8Array;
}

export class Pad extends KernelObject {
  constructor(instance: KernelInstance, { shape, pads, value }: PadOptions) {
    const parameters = new Parameters(instance).array(Int32Array.from(shape)).array(Int32Array.from(pads)).array(value);
    super(instance, parameters.call(instance.exports.pad_new));
  }

  run(x: number, y: number): void {
    this.instance.check(this.instance.exports.pad_run(this.handle, x, y));
  }
}

/**
 * Copies `rows` rows of `rowBytes` bytes into y, `yStride` bytes apart: one input of a concatenation, whose part of a row starts at
 * the pointer `y`. Rows of x lie side by side.
 */
export function copyRows(
  instance: KernelInstance,
  x: number,
  rows: number,
  rowBytes: number,
  y: number,
  yStride: number,
): void {
  instance.check(instance.exports.copy_rows(x, y, rows, rowBytes, yStride));
}

const dtypes: Record<CastType, number> = { f32: 0, f16: 1, int8: 2, uint8: 3, int32: 4, int64: 5, bool: 6 };

/**
 * Converts `count` elements. Float to integer truncates towards 0, saturates, and makes 0 of a NaN; integer to a narrower integer wraps; to bool is x != 0; f32 to f16
 * rounds to nearest, ties to even.
 */
export function cast(
  instance: KernelInstance,
  from: CastType,
  x: number,
  count: number,
  to: CastType,
  y: number,
): void {
  instance.check(instance.exports.cast(x, y, count, dtypes[from], dtypes[to]));
}
