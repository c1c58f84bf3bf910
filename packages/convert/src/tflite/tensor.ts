import type { DataOf, PlainConstant } from "lowbit";
import { ModelFileError } from "../errors.ts";
import { widen } from "../onnx/minifloat.ts";
import { TensorType as T, typeName } from "./schema.ts";

/** How an element type of TFLite is stored, and what it becomes: floats of every width f32, integers the next of ours that holds them. */
const ELEMENTS: ReadonlyMap<number, { readonly dtype: keyof DataOf; readonly bits: number }> = new Map([
  [T.FLOAT32, { dtype: "f32", bits: 32 }],
  [T.FLOAT16, { dtype: "f32", bits: 16 }],
  [T.BFLOAT16, { dtype: "f32", bits: 16 }],
  [T.FLOAT64, { dtype: "f32", bits: 64 }],
  [T.INT4, { dtype: "int8", bits: 4 }],
  [T.INT8, { dtype: "int8", bits: 8 }],
  [T.UINT8, { dtype: "uint8", bits: 8 }],
  [T.INT16, { dtype: "int32", bits: 16 }],
  [T.UINT16, { dtype: "int32", bits: 16 }],
  [T.INT32, { dtype: "int32", bits: 32 }],
  [T.UINT32, { dtype: "int64", bits: 32 }],
  [T.INT64, { dtype: "int64", bits: 64 }],
  [T.BOOL, { dtype: "bool", bits: 8 }],
] as const);

/** Our dtype for a TFLite element type; undefined where there is none (strings, complex numbers, resources). */
export const dtypeOf = (type: number): keyof DataOf | undefined => ELEMENTS.get(type)?.dtype;

/** The elements of a constant, after checking that the buffer holds exactly those that the shape announces. */
export function readConstant(type: number, shape: readonly number[], data: Uint8Array, op: string): PlainConstant {
  const element = ELEMENTS.get(type);
  if (element === undefined) throw new ModelFileError(op, "element type", "a number type", typeName(type));
  const count = shape.reduce((product, size) => product * size, 1);
  const expected = Math.ceil((count * element.bits) / 8);
  if (data.length !== expected)
    throw new ModelFileError(op, `data of ${typeName(type)} [${shape}]`, `${expected} bytes`, `${data.length} bytes`);
  return { kind: "plain", dtype: element.dtype, shape, data: elements(type, data, count) };
}

function elements(type: number, data: Uint8Array, count: number): DataOf[keyof DataOf] {
  switch (type) {
    case T.INT8:
      return new Int8Array(data.buffer, data.byteOffset, count);
    case T.UINT8:
      return data;
    case T.INT4:
      // Two in a byte, the first in the low half.
      return Int8Array.from({ length: count }, (_, i) => (data[i >> 1]! << (i % 2 === 0 ? 28 : 24)) >> 28);
    case T.BOOL:
      return data.map((value) => (value ? 1 : 0));
  }
  // A copy: in the file it may be unaligned.
  const { buffer } = data.slice();
  switch (type) {
    case T.FLOAT32:
      return new Float32Array(buffer);
    case T.FLOAT64:
      return Float32Array.from(new Float64Array(buffer));
    case T.FLOAT16:
      return widen(new Uint16Array(buffer), "float16");
    case T.BFLOAT16:
      return widen(new Uint16Array(buffer), "bfloat16");
    case T.INT16:
      return Int32Array.from(new Int16Array(buffer));
    case T.UINT16:
      return Int32Array.from(new Uint16Array(buffer));
    case T.UINT32:
      return BigInt64Array.from(new Uint32Array(buffer), BigInt);
    case T.INT64:
      return new BigInt64Array(buffer);
    default:
      return new Int32Array(buffer);
  }
}
