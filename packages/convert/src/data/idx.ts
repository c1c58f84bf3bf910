/** The IDX format of the MNIST files, plain or gzipped. */

import { gunzipSync } from "fflate";
import { arrayOf, Tensor } from "lowbit";
import { FileError } from "../errors.ts";
import { checkInflatedSize } from "./inflate.ts";

/**
 * IDX type bytes, all big-endian. int16 and float64 do not occur in the data sets that are published in this format.
 */
const TYPES: Readonly<Record<number, { readonly dtype: "uint8" | "int8" | "int32" | "f32"; readonly bytes: number }>> =
  {
    8: { dtype: "uint8", bytes: 1 },
    9: { dtype: "int8", bytes: 1 },
    12: { dtype: "int32", bytes: 4 },
    13: { dtype: "f32", bytes: 4 },
  };

/**
 * Reads an IDX file: magic 0, 0, type, rank; `rank` big-endian 32-bit sizes; the elements.
 *
 * @param name for messages
 * @throws FileError
 */
export function readIdx(bytes: Uint8Array, name = "array"): Tensor {
  const op = `idx "${name}"`;
  const data = isGzip(bytes) ? gunzip(bytes, op) : bytes;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.length < 4 || data[0] !== 0 || data[1] !== 0)
    throw new FileError(op, "file", "an IDX array", "another file");
  const type = TYPES[data[2]!];
  const rank = data[3]!;
  if (type === undefined) throw new FileError(op, "type byte", Object.keys(TYPES).join(", "), data[2]);
  if (rank === 0 || rank > 8) throw new FileError(op, "rank", "1 to 8", rank);
  const start = 4 + 4 * rank;
  if (data.length < start) throw new FileError(op, "header (bytes)", start, data.length);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = shape.reduce((product, size) => product * BigInt(size), BigInt(type.bytes));
  if (expected !== BigInt(data.length - start)) {
    throw new FileError(op, `bytes of [${shape}] ${type.dtype}`, expected, data.length - start);
  }
  const count = (data.length - start) / type.bytes;
  if (type.dtype === "uint8") return new Tensor("uint8", shape, data.slice(start));
  if (type.dtype === "int8") return new Tensor("int8", shape, new Int8Array(data.slice(start).buffer));
  const wide = new arrayOf[type.dtype](count);
  for (let i = 0; i < count; i++) {
    wide[i] = type.dtype === "int32" ? view.getInt32(start + 4 * i) : view.getFloat32(start + 4 * i);
  }
  return new Tensor(type.dtype, shape, wide);
}

/** First bytes of a gzip member. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Inflates one gzip member; its last four bytes announce the size, and are checked before they are believed. */
function gunzip(bytes: Uint8Array, op: string): Uint8Array {
  if (bytes.length < 18) throw new FileError(op, "gzip file (bytes, at least)", 18, bytes.length);
  checkInflatedSize(
    op,
    bytes.length,
    new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true),
  );
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new FileError(op, "file", "a gzip stream", cause instanceof Error ? cause.message : cause, cause);
  }
}
