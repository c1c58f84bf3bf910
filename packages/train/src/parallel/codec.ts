import { type GradientCodec, type GradientQuantizer, gradientCodec } from "lowbit/quantize";

/** The codec of a quantizer, or of none: floats as they are. @throws what loading the core's own module may (LoadError) */
export async function codecOf(
  quantizer: GradientQuantizer | undefined,
  seed = 0,
): Promise<Pick<GradientCodec, "encode" | "decode">> {
  if (quantizer !== undefined) return gradientCodec(quantizer, { seed });
  return {
    encode: (gradient) => new Uint8Array(gradient.buffer, gradient.byteOffset, gradient.byteLength),
    decode: (bytes) => new Float32Array(bytes.slice().buffer),
  };
}
