import type { Decoding, QuantizedConstant } from "lowbit";
import { elementCount } from "./constants.ts";

/**
 * Packs [rows, columns] codes as a QuantizedConstant holds them: least significant bit first, each row from a byte on.
 */
export function packCodes(codes: Uint8Array, rows: number, columns: number, bits: number): Uint8Array {
  const rowBytes = Math.ceil((columns * bits) / 8);
  const packed = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const code = codes[row * columns + column]!;
      const bit = column * bits;
      const at = row * rowBytes + (bit >> 3);
      const shifted = code << (bit & 7);
      packed[at]! |= shifted;
      // A code may span two bytes (3, 5, 6 or 7 bits).
      if (shifted > 0xff) packed[at + 1]! |= shifted >> 8;
    }
  }
  return packed;
}

/** The reverse of {@link packCodes}. */
export function unpackCodes(packed: Uint8Array, rows: number, columns: number, bits: number): Uint8Array {
  const rowBytes = Math.ceil((columns * bits) / 8);
  const codes = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const bit = column * bits;
      const at = row * rowBytes + (bit >> 3);
      const pair = packed[at]! | ((bit & 7) + bits > 8 ? packed[at + 1]! << 8 : 0);
      codes[row * columns + column] = (pair >> (bit & 7)) & ((1 << bits) - 1);
    }
  }
  return codes;
}

/**
 * A constant with one scale per output channel, or for the tensor where they are all the same. `codes` are unpacked,
 * one per weight.
 */
export function perChannelConstant(
  scheme: string,
  shape: readonly number[],
  bits: number,
  codes: Uint8Array,
  decoding: Decoding,
  scale: Float32Array,
): QuantizedConstant {
  const rows = shape[0]!;
  const columns = elementCount(shape.slice(1));
  const shared = scale.every((value) => value === scale[0]);
  return {
    kind: "quantized",
    scheme,
    shape,
    bits,
    codes: packCodes(codes, rows, columns, bits),
    decoding,
    scale: shared ? scale.slice(0, 1) : scale,
    scaleShape: [shared ? 1 : rows, 1],
    groupSize: columns,
  };
}

/** The scales with one entry per output channel, whatever the constant shares; undefined where groups split a row. */
export function rowScales(constant: QuantizedConstant): Float32Array | undefined {
  const rows = constant.shape[0]!;
  const { scale, scaleShape } = constant;
  if (scale === undefined) return new Float32Array(rows).fill(1);
  const [scaleRows, groups] = scaleShape ?? [rows, scale.length / rows];
  if (groups !== 1) return undefined;
  return scaleRows === rows ? scale : new Float32Array(rows).fill(scale[0]!);
}

/** Whether kernels of integer activations take the weights: ±1, or unsigned codes around one integer. */
export function isIntegerWeight(constant: QuantizedConstant): boolean {
  const { decoding } = constant;
  return decoding.kind === "sign" || (decoding.kind === "affine" && typeof decoding.zeroPoint === "number");
}

/** Negates the weights of one output channel in place of `codes` (packed); false where its codes have no negative. */
export function negateRow(constant: QuantizedConstant, codes: Uint8Array, row: number): boolean {
  const { bits, decoding } = constant;
  const columns = elementCount(constant.shape.slice(1));
  const rowBytes = Math.ceil((columns * bits) / 8);
  const part = codes.subarray(row * rowBytes, (row + 1) * rowBytes);
  const unpacked = unpackCodes(part, 1, columns, bits);
  if (decoding.kind === "sign") for (let i = 0; i < columns; i++) unpacked[i] = 1 - unpacked[i]!;
  else if (decoding.kind === "affine" && typeof decoding.zeroPoint === "number") {
    const twice = 2 * decoding.zeroPoint;
    if (unpacked.some((code) => twice - code < 0 || twice - code >= 1 << bits)) return false;
    for (let i = 0; i < columns; i++) unpacked[i] = twice - unpacked[i]!;
  } else return false;
  part.set(packCodes(unpacked, 1, columns, bits));
  return true;
}
