/** Typed arrays as the tensors of a file, and back. */
import { FormatError, type RawTensor } from "lowbit";

const bytesOf = (data: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

export const floatTensor = (data: Float32Array, shape: readonly number[]): RawTensor => ({
  dtype: "F32",
  shape,
  bytes: bytesOf(data),
});

export const byteTensor = (data: Uint8Array): RawTensor => ({
  dtype: "U8",
  shape: [data.length],
  bytes: bytesOf(data),
});

export const wordTensor = (data: Uint32Array): RawTensor => ({
  dtype: "U32",
  shape: [data.length],
  bytes: bytesOf(data),
});

function tensor(tensors: ReadonlyMap<string, RawTensor>, name: string, dtype: string): Uint8Array<ArrayBuffer> {
  const found = tensors.get(name);
  if (found?.dtype !== dtype) throw new FormatError("tensor-missing", `tensor ${name}`, dtype, found?.dtype);
  return found.bytes;
}

export function readFloats(tensors: ReadonlyMap<string, RawTensor>, name: string): Float32Array {
  return new Float32Array(tensor(tensors, name, "F32").slice().buffer);
}

export function readWords(tensors: ReadonlyMap<string, RawTensor>, name: string): Uint32Array<ArrayBuffer> {
  return new Uint32Array(tensor(tensors, name, "U32").slice().buffer);
}

export const readBytes = (tensors: ReadonlyMap<string, RawTensor>, name: string): Uint8Array =>
  tensor(tensors, name, "U8");
