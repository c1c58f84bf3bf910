/** Quantization of activations; see crates/kernels/src/convert. */
import type { KernelInstance } from "./instance.ts";

const unsigned = { int8: 0, uint8: 1 } as const;

/** y = clamp(roundTiesToEven(fround(x / scale)) + zeroPoint) to -128..127 or 0..255; a NaN gives the zero point. */
export function quantizeActivations(
  instance: KernelInstance,
  x: number,
  count: number,
  y: number,
  dtype: "int8" | "uint8",
  scale: number,
  zeroPoint: number,
): void {
  instance.check(instance.exports.quantize_activations(x, y, count, scale, zeroPoint, unsigned[dtype]));
}

/** y = fround((x - zeroPoint) * scale) */
export function dequantizeActivations(
  instance: KernelInstance,
  x: number,
  count: number,
  y: number,
  dtype: "int8" | "uint8",
  scale: number,
  zeroPoint: number,
): void {
  instance.check(instance.exports.dequantize_activations(x, y, count, scale, zeroPoint, unsigned[dtype]));
}

/** How many of `count` f32 are NaN. */
export function countNaNs(instance: KernelInstance, x: number, count: number): number {
  return instance.check(instance.exports.count_nans(x, count));
}

/** Gives every NaN among `count` f32 the bit pattern 0x7fc00000, in place. */
export function canonicalizeNaNs(instance: KernelInstance, x: number, count: number): void {
  instance.check(instance.exports.canonicalize_nans(x, count));
}
