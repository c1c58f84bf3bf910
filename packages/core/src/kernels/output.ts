/** The end of every integer matrix product: int32 sums become what the next layer reads. */
import type { Clamp } from "../graph/types.ts";
import type { Parameters } from "./kernel-object.ts";

/**
 * Per output channel n, with every step rounded once:
 * - `int32`: the sum
 * - `f32`:   clamp(fround(fround(sum * scale[n]) + bias[n]))
 * - `int8`:  clamp(roundTiesToEven(fround(fround(sum + bias[n]) * multiplier[n])) + zeroPoint); uint8 where the clamp lies in 0..255
 * - `bits`:  bit n = sum < thresholds[n], 32 channels to a word
 */
export type Output =
  | { readonly kind: "int32" }
  | { readonly kind: "f32"; readonly scale: Float32Array; readonly bias?: Float32Array; readonly clamp?: Clamp }
  | {
      readonly kind: "int8";
      readonly multiplier: Float32Array;
      /** In units of the sum. */
      readonly bias?: Int32Array;
      readonly zeroPoint: number;
      /** Of the quantized result, inside -128..127 or 0..255. */
      readonly clamp: readonly [min: number, max: number];
    }
  | { readonly kind: "bits"; readonly thresholds: Int32Array };

/** Nothing is cut off. */
export const unclamped: Clamp = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Appends `output` as crates/wasm reads it: kind, then its fields. */
export function writeOutput(parameters: Parameters, output: Output): Parameters {
  switch (output.kind) {
    case "int32":
      return parameters.i32(0);
    case "f32":
      return parameters
        .i32(1)
        .array(output.scale)
        .array(output.bias)
        .f32(...(output.clamp ?? unclamped));
    case "int8":
      return parameters
        .i32(2)
        .array(output.multiplier)
        .array(output.bias)
        .i32(output.zeroPoint, ...output.clamp);
    case "bits":
      return parameters.i32(3).array(output.thresholds);
  }
}
