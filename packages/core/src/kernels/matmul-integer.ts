/** Products of two activations of 8 bits, and their sums to 8 bits; see crates/kernels/src/matmul_integer. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject } from "./kernel-object.ts";

type ByteType = "int8" | "uint8";

export interface MatmulIntegerOptions {
  readonly m: number;
  readonly n: number;
  /** At most 2^14: sums stay in int32. */
  readonly k: number;
  readonly a: ByteType;
  readonly b: ByteType;
  /** Zero points of a matrix: 1 or m of a, 1 or n of b. */
  readonly zeroPoints: readonly [a: number, b: number];
  /** Whether one matrix serves the whole batch. */
  readonly single: readonly [a: boolean, b: boolean];
  /** Whether a's zero points come with every matrix. */
  readonly zeroPointsByMatrix: boolean;
}

/** y[m, n] = sum over k of (a[m, k] - aZero[m]) * (b[k, n] - bZero[n]), exact in int32. */
export class MatmulInteger extends KernelObject {
  constructor(instance: KernelInstance, options: MatmulIntegerOptions) {
    const { m, n, k, a, b, zeroPoints, single, zeroPointsByMatrix } = options;
    const bits = [a === "uint8", b === "uint8", ...single, zeroPointsByMatrix];
    const flags = bits.reduce((flags, bit, i) => flags + (bit ? 1 << i : 0), 0);
    super(instance, instance.check(instance.exports.matmul_integer_new(m, n, k, ...zeroPoints, flags)));
  }

  /** @param a [batch, m, k] @param b [batch, k, n] @param y int32 [batch, m, n] */
  run(a: number, aZero: number, b: number, bZero: number, y: number, batch: number): void {
    this.instance.check(this.instance.exports.matmul_integer_run(this.handle, a, aZero, b, bZero, y, batch));
  }
}

export interface Requantization {
  readonly rows: number;
  readonly columns: number;
  /** Whether there is one multiplier, not one per column. */
  readonly single: boolean;
  readonly to: ByteType;
}

/**
 * y = clamp(roundTiesToEven(fround(fround(x + bias[n]) * multiplier[n])) + zeroPoint) for x int32 [rows, columns].
 * @param bias int32 [columns], or 0 @param zeroPoint one of y's type
 */
export function requantize(
  instance: KernelInstance,
  { rows, columns, single, to }: Requantization,
  x: number,
  bias: number,
  multiplier: number,
  zeroPoint: number,
  y: number,
): void {
  const flags = (to === "uint8" ? 1 : 0) + (single ? 2 : 0);
  instance.check(instance.exports.requantize(x, y, rows, columns, bias, multiplier, zeroPoint, flags));
}
