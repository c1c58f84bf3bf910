/** From an operator's real-valued end (scale, bias, clamp) to the integer kernels' output transforms. */
import type { ActivationQuantization, Clamp, ValueInfo } from "../../graph/types.ts";
import type { Output } from "../../kernels/output.ts";

/** Rounds to the nearest integer, ties to even; exact for |x| < 2^52. */
export function roundTiesToEven(x: number): number {
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction !== 0.5) return fraction < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

const limits = { int8: [-128, 127], uint8: [0, 255] } as const;

/** The clamp of quantized values that a clamp of real ones amounts to. */
export function quantizedClamp(
  dtype: "int8" | "uint8",
  { scale, zeroPoint }: ActivationQuantization,
  clamp: Clamp | undefined,
): readonly [min: number, max: number] {
  const [low, high] = limits[dtype];
  if (!clamp) return [low, high];
  const quantize = (real: number): number => {
    const q = Math.fround(real / scale);
    return Math.min(high, Math.max(low, Number.isFinite(q) ? roundTiesToEven(q) + zeroPoint : q));
  };
  return [quantize(clamp[0]), quantize(clamp[1])];
}

export interface RealEnd {
  /** [n]: what one unit of the int32 sum is worth. */
  readonly scale: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly clamp: Clamp | undefined;
}

/** The bias in units of the sum: roundTiesToEven(bias / scale), kept inside int32; 0 where a row's scale is 0. */
function integerBias(bias: Float32Array, scale: Float32Array): Int32Array {
  return Int32Array.from(bias, (b, n) => {
    const unit = scale[n]!;
    if (unit === 0) return 0;
    return Math.min(2 ** 30, Math.max(-(2 ** 30), roundTiesToEven(b / unit)));
  });
}

/** The output transform of an integer product whose result is the value `y`. */
export function outputOf(y: ValueInfo, { scale, bias, clamp }: RealEnd): Output | undefined {
  switch (y.dtype) {
    case "int32":
      return { kind: "int32" };
    case "f32":
      return { kind: "f32", scale, ...(bias && { bias }), ...(clamp && { clamp }) };
    case "int8":
    case "uint8": {
      const { quantization } = y;
      if (!quantization) return undefined;
      return {
        kind: "int8",
        multiplier: scale.map((s) => s / quantization.scale),
        ...(bias && { bias: integerBias(bias, scale) }),
        zeroPoint: quantization.zeroPoint,
        clamp: quantizedClamp(y.dtype, quantization, clamp),
      };
    }
    default:
      return undefined;
  }
}
