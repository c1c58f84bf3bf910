/** How values lie in WASM memory. */
import type { DType } from "../graph/types.ts";
import { bytesOf, sizeOf } from "../tensor.ts";

/** Words of a row of `bits` bits. */
export const wordsPerRow = (bits: number): number => Math.ceil(bits / 32);

/** Rows along all axes but the last. */
export const rowsOf = (shape: readonly number[]): number => sizeOf(shape.slice(0, -1));

/**
 * Bytes of a value. Bits and trits are packed along the last axis: each row is whole 32-bit words, a trit row its sign
 * plane and then its non-zero plane.
 */
export function bytesOfValue(dtype: DType, shape: readonly number[]): number {
  if (dtype !== "bit" && dtype !== "trit") return sizeOf(shape) * bytesOf[dtype];
  return rowsOf(shape) * wordsPerRow(shape.at(-1) ?? 1) * (dtype === "bit" ? 4 : 8);
}
