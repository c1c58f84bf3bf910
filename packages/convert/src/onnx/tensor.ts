import { arrayOf, type DataOf, type PlainConstant } from "lowbit";
import { ModelFileError } from "../errors.ts";
import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType } from "./generated/onnx_pb.ts";
import { type MINIFLOATS, widen } from "./minifloat.ts";

const T = TensorProto_DataType;

/** How one ONNX element type is stored and what it becomes. */
interface ElementType {
  readonly dtype: keyof DataOf;
  /** Bits of an element in `raw_data`. */
  readonly bits: number;
  /** The typed field that holds the elements where `raw_data` does not. */
  readonly field: "floatData" | "int32Data" | "int64Data" | "doubleData" | "uint64Data";
  readonly minifloat?: keyof typeof MINIFLOATS;
}

/** Floats of 16 bits and fewer become f32, integers of 4 bits those of 8. */
const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [T.FLOAT, { dtype: "f32", bits: 32, field: "floatData" }],
  [T.DOUBLE, { dtype: "f64", bits: 64, field: "doubleData" }],
  [T.FLOAT16, { dtype: "f32", bits: 16, field: "int32Data", minifloat: "float16" }],
  [T.BFLOAT16, { dtype: "f32", bits: 16, field: "int32Data", minifloat: "bfloat16" }],
  [T.FLOAT8E4M3FN, { dtype: "f32", bits: 8, field: "int32Data", minifloat: "float8e4m3fn" }],
  [T.FLOAT8E4M3FNUZ, { dtype: "f32", bits: 8, field: "int32Data", minifloat: "float8e4m3fnuz" }],
  [T.FLOAT8E5M2, { dtype: "f32", bits: 8, field: "int32Data", minifloat: "float8e5m2" }],
  [T.FLOAT8E5M2FNUZ, { dtype: "f32", bits: 8, field: "int32Data", minifloat: "float8e5m2fnuz" }],
  [T.FLOAT4E2M1, { dtype: "f32", bits: 4, field: "int32Data", minifloat: "float4e2m1" }],
  [T.INT8, { dtype: "int8", bits: 8, field: "int32Data" }],
  [T.UINT8, { dtype: "uint8", bits: 8, field: "int32Data" }],
  [T.INT4, { dtype: "int8", bits: 4, field: "int32Data" }],
  [T.UINT4, { dtype: "uint8", bits: 4, field: "int32Data" }],
  [T.INT16, { dtype: "int16", bits: 16, field: "int32Data" }],
  [T.UINT16, { dtype: "uint16", bits: 16, field: "int32Data" }],
  [T.INT32, { dtype: "int32", bits: 32, field: "int32Data" }],
  [T.INT64, { dtype: "int64", bits: 64, field: "int64Data" }],
  [T.UINT32, { dtype: "uint32", bits: 32, field: "uint64Data" }],
  [T.UINT64, { dtype: "uint64", bits: 64, field: "uint64Data" }],
  [T.BOOL, { dtype: "bool", bits: 8, field: "int32Data" }],
]);

/** `FLOAT16` for 10; the number itself where it is no type. */
export function typeName(type: number): string {
  return T[type] ?? `type ${type}`;
}

/** Our dtype for an ONNX element type; undefined where there is none (strings, complex numbers). */
export function dtypeOf(type: number): keyof DataOf | undefined {
  return ELEMENT_TYPES.get(type)?.dtype;
}

/** Reads a tensor after checking that the file holds exactly the elements that its dims announce. */
export function readTensor(tensor: TensorProto, op: string): PlainConstant {
  const type = ELEMENT_TYPES.get(tensor.dataType);
  if (type === undefined) {
    throw new ModelFileError(op, "element type", "a number type of ONNX", typeName(tensor.dataType));
  }
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL || tensor.externalData.length > 0) {
    const location = tensor.externalData.find((entry) => entry.key === "location")?.value ?? "";
    throw new ModelFileError(
      op,
      "data",
      "data inside the .onnx file (importFrom reads others)",
      `external data in "${location}"`,
    );
  }
  if (tensor.segment !== undefined) throw new ModelFileError(op, "data", "a whole tensor", "a segment of one");
  const shape = readDims(tensor.dims, op);
  const count = BigInt(shape.reduce((product, size) => product * BigInt(size), 1n));
  const typed = tensor[type.field];
  const raw = tensor.rawData;
  if (raw.length > 0 || typed.length === 0) {
    const bytes = (count * BigInt(type.bits) + 7n) / 8n;
    if (bytes !== BigInt(raw.length)) {
      throw new ModelFileError(
        op,
        `raw_data of ${typeName(tensor.dataType)} [${shape}]`,
        `${bytes} bytes`,
        `${raw.length} bytes`,
      );
    }
    return { kind: "plain", dtype: type.dtype, shape, data: fromRaw(raw, tensor.dataType, type, Number(count)) };
  }
  const entries = type.bits === 4 ? (count + 1n) / 2n : count;
  if (entries !== BigInt(typed.length)) {
    throw new ModelFileError(
      op,
      `${snake(type.field)} of [${shape}]`,
      `${entries} elements`,
      `${typed.length} elements`,
    );
  }
  return { kind: "plain", dtype: type.dtype, shape, data: fromTyped(typed, tensor.dataType, type, Number(count)) };
}

/** Dims as numbers: none negative, product below 2^53 (the comparison with the data is the caller's). */
export function readDims(dims: readonly bigint[], op: string): number[] {
  if (dims.length > 32) throw new ModelFileError(op, "rank", "at most 32 dims", dims.length);
  let product = 1n;
  for (const size of dims) {
    if (size < 0n) throw new ModelFileError(op, "dims", "sizes of 0 or more", dims.join(", "));
    product *= size === 0n ? 1n : size;
    if (product > BigInt(Number.MAX_SAFE_INTEGER))
      throw new ModelFileError(op, "dims", "fewer than 2^53 elements", dims.join(", "));
  }
  return dims.map(Number);
}

function fromRaw(raw: Uint8Array, onnxType: number, type: ElementType, count: number): DataOf[keyof DataOf] {
  if (type.bits === 4) return fourBit(raw, onnxType, type, count);
  // A copy: the view into the file may be unaligned, and the file's memory may be released.
  const { buffer } = new Uint8Array(raw);
  if (type.minifloat) return widen(type.bits === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer), type.minifloat);
  if (type.dtype === "bool") return new Uint8Array(buffer).map((value) => (value ? 1 : 0));
  return new arrayOf[type.dtype](buffer);
}

function fromTyped(
  data: readonly number[] | readonly bigint[],
  onnxType: number,
  type: ElementType,
  count: number,
): DataOf[keyof DataOf] {
  if (type.bits === 4) return fourBit(data as readonly number[], onnxType, type, count);
  if (type.minifloat) return widen(data as readonly number[], type.minifloat);
  if (type.dtype === "bool") return Uint8Array.from(data as readonly number[], (value) => (value ? 1 : 0));
  // Whether it takes numbers or bigints follows from the field.
  const Data = arrayOf[type.dtype] as { from(data: readonly (number | bigint)[]): DataOf[keyof DataOf] };
  return Data.from(type.dtype === "uint32" ? (data as readonly bigint[]).map(Number) : data);
}

/** Two elements a byte, the first in the low half. */
function fourBit(bytes: ArrayLike<number>, onnxType: number, type: ElementType, count: number): DataOf[keyof DataOf] {
  const codes = new Uint8Array(count);
  for (let i = 0; i < count; i++) codes[i] = (bytes[i >> 1]! >> ((i & 1) * 4)) & 15;
  if (type.minifloat) return widen(codes, type.minifloat);
  return onnxType === T.INT4 ? Int8Array.from(codes, (code) => (code << 28) >> 28) : codes;
}

const snake = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
