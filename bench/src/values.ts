/** The elements of tensors: how each kind is drawn. One byte of {@link SplitMix64} makes one element, four make an f32. */
import { SplitMix64 } from "./random.ts";

/**
 * - `sign`  -1 where bit 0 of the byte is set, else +1 (int8)
 * - `trit`  byte mod 3 - 1 (int8)
 * - `int2`, `int4`  the low 2 or 4 bits, minus 2 or 8 (int8)
 * - `int8`, `uint8` the byte
 * - `weight8` the byte as int8, with -128 made -127: the symmetric weights that every runtime takes (int8)
 * - `odd2`, `odd3`  sums of 2 or 3 sign planes, 2 * (the low 2 or 3 bits) minus 3 or 7 (int8)
 * - `f32`   ((word >>> 8) / 2^23) - 1, in [-1, 1) (float32)
 */
export type Values = "sign" | "trit" | "int2" | "int4" | "int8" | "uint8" | "weight8" | "odd2" | "odd3" | "f32";

/** How many planes of ±1, with powers of two as coefficients, such values are. */
export const signPlanes: Partial<Record<Values, number>> = { sign: 1, odd2: 2, odd3: 3 };

export type TypedArray = Int8Array | Uint8Array | Int32Array | Uint32Array | Float32Array | BigInt64Array;

/** `length` elements of stream `stream` of a seed: the same in every engine. */
export function draw(
  values: Values,
  length: number,
  seed: number,
  stream: number,
): Int8Array | Uint8Array | Float32Array {
  const bytes = new Uint8Array(values === "f32" ? 4 * length : length);
  new SplitMix64(seed, stream).fill(bytes);
  if (values === "uint8") return bytes;
  if (values === "f32") {
    const words = new DataView(bytes.buffer);
    const y = new Float32Array(length);
    // No `from` with a callback: it would take a microsecond an element.
    for (let i = 0; i < length; i++) y[i] = (words.getUint32(4 * i, true) >>> 8) / 0x800000 - 1;
    return y;
  }
  const y = new Int8Array(bytes.buffer);
  switch (values) {
    case "sign":
      for (let i = 0; i < length; i++) y[i] = 1 - 2 * (bytes[i]! & 1);
      break;
    case "trit":
      for (let i = 0; i < length; i++) y[i] = (bytes[i]! % 3) - 1;
      break;
    case "int2":
      for (let i = 0; i < length; i++) y[i] = (bytes[i]! & 3) - 2;
      break;
    case "int4":
      for (let i = 0; i < length; i++) y[i] = (bytes[i]! & 15) - 8;
      break;
    case "odd2":
      for (let i = 0; i < length; i++) y[i] = 2 * (bytes[i]! & 3) - 3;
      break;
    case "odd3":
      for (let i = 0; i < length; i++) y[i] = 2 * (bytes[i]! & 7) - 7;
      break;
    case "weight8":
      for (let i = 0; i < length; i++) if (y[i] === -128) y[i] = -127;
      break;
  }
  return y;
}
