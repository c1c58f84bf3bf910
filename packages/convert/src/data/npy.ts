/** NumPy's .npy: arrays in and out, checked against the file's length. */
import { Tensor, type TensorDType } from "lowbit";
import { dump, parse } from "npyjs";
import { FileError } from "../errors.ts";
import { elementCount, sameKind, transposedIndex } from "../graph/constants.ts";
import { widen } from "../onnx/minifloat.ts";

/** NumPy's type codes that have a dtype here; wider floats and integers are narrowed or widened as ONNX tensors are. */
const CONVERSIONS: Readonly<Record<string, (data: ArrayLike<number | bigint>) => Tensor["data"]>> = {
  b1: (data) => Uint8Array.from(data as ArrayLike<number>, (value) => (value ? 1 : 0)),
  i1: (data) => data as Int8Array,
  u1: (data) => data as Uint8Array,
  i2: (data) => Int32Array.from(data as ArrayLike<number>),
  u2: (data) => Int32Array.from(data as ArrayLike<number>),
  i4: (data) => data as Int32Array,
  u4: (data) => BigInt64Array.from(data as ArrayLike<number>, BigInt),
  i8: (data) => data as BigInt64Array,
  f2: (data) => widen(data as Uint16Array, "float16"),
  f4: (data) => data as Float32Array,
  f8: (data) => Float32Array.from(data as ArrayLike<number>),
};

const DTYPES: Readonly<Record<string, TensorDType>> = {
  b1: "bool",
  i1: "int8",
  u1: "uint8",
  i2: "int32",
  u2: "int32",
  i4: "int32",
  u4: "int64",
  i8: "int64",
  f2: "f32",
  f4: "f32",
  f8: "f32",
};

/**
 * Reads an .npy file: f2, f4, f8 (as f32), signed and unsigned integers, bool; little-endian. Fortran order is brought
 * into row-major order.
 *
 * @param name for messages
 * @throws FileError where the file is no array, is cut off, or holds another type
 */
export function readNpy(bytes: Uint8Array, name = "array"): Tensor {
  const op = `npy "${name}"`;
  let array: ReturnType<typeof parse>;
  try {
    // A copy, aligned to 0: NumPy pads the header so that the data behind it is aligned too.
    array = parse(new Uint8Array(bytes).buffer, { convertFloat16: false });
  } catch (cause) {
    throw new FileError(op, "file", "a NumPy array", cause instanceof Error ? cause.message : cause, cause);
  }
  // A header that lost one of them would be read as row-major, or as a number.
  const header = headerOf(bytes);
  for (const field of [/'fortran_order'\s*:\s*(True|False)/, /'shape'\s*:\s*\([^)]*\)/])
    if (!field.test(header)) throw new FileError(op, "header", "descr, fortran_order and shape", "not all of them");
  const dtype = DTYPES[array.dtype];
  if (dtype === undefined) throw new FileError(op, "type", Object.keys(DTYPES).join(", "), array.dtype);
  if (array.shape.length > 16 || !array.shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new FileError(op, "shape", "at most 16 sizes of 0 or more", array.shape);
  }
  const raw = array.data as unknown as ArrayLike<number | bigint>;
  if (elementCount(array.shape) !== raw.length) {
    throw new FileError(op, `elements of shape [${array.shape}]`, elementCount(array.shape), raw.length);
  }
  const data = CONVERSIONS[array.dtype]!(raw);
  return array.fortranOrder ? rowMajor(dtype, array.shape, data) : new Tensor(dtype, array.shape, data);
}

/** The dictionary in front of the data, in ASCII: behind 6 bytes of magic, 2 of version, and its length in 2 or 4. */
function headerOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, length] = view.getUint8(6) > 1 ? [12, view.getUint32(8, true)] : [10, view.getUint16(8, true)];
  return new TextDecoder("latin1").decode(bytes.subarray(start, start + length)).trim();
}

/** Column-major data is the row-major data of the array with its axes reversed. */
function rowMajor(dtype: TensorDType, shape: readonly number[], data: Tensor["data"]): Tensor {
  const reversed = [...shape].reverse();
  const order = transposedIndex(
    reversed,
    reversed.map((_, axis) => shape.length - 1 - axis),
  );
  const sorted = sameKind(data, data.length);
  for (let i = 0; i < order.length; i++) sorted[i] = data[order[i]!]!;
  return new Tensor(dtype, shape, sorted);
}

/** Writes an .npy file (version 1.0, row-major). f16 is written as its bit patterns' type, f2. */
export function writeNpy(tensor: Tensor): Uint8Array<ArrayBuffer> {
  if (tensor.dtype === "f16")
    return new Uint8Array(dump(tensor.data as Uint16Array, [...tensor.shape], { dtype: "f2" }));
  if (tensor.dtype === "bool")
    return new Uint8Array(dump(Array.from(tensor.data as Uint8Array), [...tensor.shape], { dtype: "b1" }));
  return new Uint8Array(dump(tensor.data as Float32Array, [...tensor.shape]));
}
