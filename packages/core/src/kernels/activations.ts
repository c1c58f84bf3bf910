/** Quantization of activations; see crates/kernels/src/convert. */
import type { ActivationQuantization } from "../graph/types.ts";
import type { KernelInstance } from "./instance.ts";

const unsigned = { int8: 0, uint8: 1 } as const;

/** y = clamp(roundTiesToEven(fround(x / scale)) + zeroPoint) to -128..127 or 0..255; a NaN gives the zero point. */
export function quantizeActivations(
  instance: KernelInstance,
  x: number,
  count: number,
  y: number,
  dtype: "int8" | "uint8",
  { scale, zeroPoint }: ActivationQuantization,
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
  { scale, zeroPoint }: ActivationQuantization,
): void {
  instance.check(instance.exports.dequantize_activations(x, y, count, scale, zeroPoint, unsigned[dtype]));
}
