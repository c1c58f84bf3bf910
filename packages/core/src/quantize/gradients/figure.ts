/** What a row of the table of methods says of a gradient method. */
import { compareFloats } from "../quantize.ts";
import { gradientCodec } from "./codec.ts";
import type { GradientQuantizer } from "./types.ts";

/** Bits a number and the relative squared error of the first message for `vector`. */
export async function figureOf(quantizer: GradientQuantizer, vector: Float32Array): Promise<string> {
  const codec = await gradientCodec(quantizer);
  const bytes = codec.encode(vector);
  const { relativeMse } = await compareFloats(vector, codec.decode(bytes));
  return `${relativeMse.toPrecision(3)} with ${((8 * bytes.length) / vector.length).toFixed(2)} bits a number`;
}
