import type { Border } from "../layers/conv.ts";
import type { HostTensor } from "../values.ts";

/**
 * A network after training, in the terms that exporters and runtimes know: channels first, weights [O, I, size, size] and [O, K],
 * quantized weights as the two or three values that they have left. Images are [N, 1, 28, 28] of pixels 0..255.
 */
export type FrozenLayer =
  /** (x - mean) / std */
  | { readonly kind: "normalize"; readonly name: string; readonly mean: number; readonly std: number }
  /** scale * (clamp(roundTiesToEven(x / scale) + zeroPoint, -128, 127) - zeroPoint): real values of int8 codes. */
  | { readonly kind: "quantize"; readonly name: string; readonly scale: number; readonly zeroPoint: number }
  /** Square, stride 1; `border` on each side so that the image keeps its size, or none. */
  | {
      readonly kind: "conv";
      readonly name: string;
      readonly weight: HostTensor;
      readonly border: Border;
      readonly bias?: HostTensor;
    }
  | { readonly kind: "flatten"; readonly name: string }
  | { readonly kind: "dense"; readonly name: string; readonly weight: HostTensor; readonly bias?: HostTensor }
  /** (x - mean) / sqrt(variance + epsilon) * scale + bias per channel */
  | {
      readonly kind: "batchNorm";
      readonly name: string;
      readonly scale: HostTensor;
      readonly bias: HostTensor;
      readonly mean: HostTensor;
      readonly variance: HostTensor;
      readonly epsilon: number;
    }
  | { readonly kind: "relu"; readonly name: string }
  | { readonly kind: "sign"; readonly name: string }
  /** 2x2, stride 2 */
  | { readonly kind: "maxPool"; readonly name: string };
