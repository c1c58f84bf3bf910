/**
 * Weights of codes in an ONNX file: integers behind a DequantizeLinear (by one scale, one per row or one per block of a row), or in onnxruntime's MatMulNBits. Both give the very
 * floats that the codes stand for; what has neither form (codebooks, sums of bases) is written as those floats.
 */
import { decodeWeights, type PlainConstant, type QuantizedConstant } from "lowbit";
import { elementCount, floats, transposed } from "../../graph/constants.ts";
import { packCodes, unpackCodes } from "../../graph/low-bit.ts";
import { TO_NCHW } from "../context.ts";
import { TensorProto_DataType as T } from "../generated/onnx_pb.ts";
import type { OnnxWriter } from "./writer.ts";

/** [N, K] as MatMul multiplies by it ([K, N]), as Conv does (channels first), or as it is. */
export type WeightOrder = "matrix" | "image" | "rows";

/** w = (value - zero) * scale. */
interface Integers {
  /** One byte each, row-major in the constant's shape. */
  readonly values: PlainConstant;
  /** Bits of an element in the file. */
  readonly bits: 4 | 8;
  /** [rows, groups]: [1, 1], [N, 1] or [N, groups]. */
  readonly scale: PlainConstant;
  /** As scale; absent where all are 0. */
  readonly zero: PlainConstant | undefined;
  readonly groupSize: number;
}

const bytes = (shape: readonly number[], data: Int8Array | Uint8Array): PlainConstant => ({
  kind: "plain",
  dtype: data instanceof Int8Array ? "int8" : "uint8",
  shape,
  data,
});

/** Codes as integers of 4 or 8 bits; undefined where the decoding is not affine, or its zero points leave the type. */
function integersOf(constant: QuantizedConstant): Integers | undefined {
  const { bits, decoding, shape, groupSize } = constant;
  if (decoding.kind !== "affine" && decoding.kind !== "sign") return undefined;
  const [n, k] = [shape[0]!, elementCount(shape.slice(1))];
  const [rows, groups] = scaleSize(constant);
  const codes = unpackCodes(constant.codes, n, k, bits);
  const wide = bits > 4 ? 8 : 4;
  const whole = groups === 1;
  const scales = constant.scale ?? Float32Array.of(1);
  const common = {
    bits: wide,
    groupSize: whole ? k : groupSize!,
    scale: floats([rows, groups], spread(scales, rows, groups)),
  } as const;
  if (decoding.kind === "sign") {
    const values = Int8Array.from(codes, (code) => 1 - 2 * code);
    return { ...common, values: bytes(shape, values), zero: undefined };
  }
  const { zeroPoint } = decoding;
  const half = 2 ** (wide - 1);
  if (typeof zeroPoint === "number" && zeroPoint <= half && 2 ** bits - 1 - zeroPoint < half) {
    const values = Int8Array.from(codes, (code) => code - zeroPoint);
    return { ...common, values: bytes(shape, values), zero: undefined };
  }
  const zeros = typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint;
  if (zeros.some((zero) => zero < 0 || zero >= 2 * half)) return undefined;
  const zero = bytes([rows, groups], Uint8Array.from(spread(zeros, rows, groups)));
  return { ...common, values: bytes(shape, codes), zero };
}

/** Rows and groups of the scales in the file: one row for the tensor only where there is a single scale. */
function scaleSize({ shape, scaleShape = [1, 1] }: QuantizedConstant): readonly [number, number] {
  const [rows, groups] = scaleShape;
  return groups === 1 ? [rows, 1] : [shape[0]!, groups];
}

/** One number, or one row of them, for every row. */
function spread<A extends Float32Array | Int32Array>(given: A, rows: number, groups: number): A {
  if (given.length === rows * groups) return given;
  const all = new (given.constructor as new (length: number) => A)(rows * groups);
  for (let at = 0; at < all.length; at += given.length) all.set(given, at);
  return all;
}

/** The floats of a layer's weights as a value of the file. */
export function writeWeights(
  writer: OnnxWriter,
  name: string,
  constant: QuantizedConstant | PlainConstant,
  order: WeightOrder,
): string {
  const integers =
    constant.kind === "quantized" && writer.options.weights !== "floats" ? integersOf(constant) : undefined;
  if (integers) return writeIntegers(writer, name, integers, order);
  const data = constant.kind === "plain" ? (constant.data as Float32Array) : decodeWeights(constant);
  const placed = permuted(floats(constant.shape, data), order);
  return writer.floats(`${name}/floats`, placed.shape, placed.data as Float32Array);
}

function permuted(constant: PlainConstant, order: WeightOrder): PlainConstant {
  if (order === "rows") return constant;
  return transposed(constant, order === "matrix" ? [1, 0] : TO_NCHW);
}

function writeIntegers(writer: OnnxWriter, name: string, integers: Integers, order: WeightOrder): string {
  const { values, bits, scale, zero, groupSize } = integers;
  const type = values.dtype === "int8" ? (bits === 4 ? T.INT4 : T.INT8) : bits === 4 ? T.UINT4 : T.UINT8;
  const [rows, groups] = scale.shape as readonly [number, number];
  const near = { near: name };
  const dequantized = (codes: PlainConstant, axis: number, parameters: (constant: PlainConstant) => PlainConstant) => {
    const inputs = [writer.typed(`${name}/codes`, type, codes)];
    inputs.push(writer.typed(`${name}/scale`, T.FLOAT, parameters(scale)));
    if (zero) inputs.push(writer.typed(`${name}/zero_point`, type, parameters(zero)));
    const attributes = rows * groups === 1 ? {} : groups === 1 ? { axis } : { axis, block_size: groupSize };
    return writer.node("DequantizeLinear", inputs, near, attributes);
  };
  if (groups === 1) {
    const flat = (constant: PlainConstant) => ({ ...constant, shape: rows === 1 ? [] : [rows] });
    return dequantized(permuted(values, order), order === "matrix" ? 1 : 0, flat);
  }
  writer.needs(21);
  if (order === "matrix") return dequantized(permuted(values, order), 0, (constant) => transposed(constant, [1, 0]));
  // Blocks run along a whole row, which an image's weights have as three axes.
  const { shape } = values;
  const matrix = dequantized({ ...values, shape: [rows, elementCount(shape.slice(1))] }, 1, (constant) => constant);
  if (shape.length === 2) return matrix;
  const image = writer.node("Reshape", [matrix, writer.integers(`${name}/shape`, shape)], near);
  return order === "image" ? writer.node("Transpose", [image], near, { perm: TO_NCHW }) : image;
}

/**
 * x times the weights as com.microsoft's MatMulNBits, which multiplies codes of 4 or 8 bits without making floats of all of them; undefined where the weights are others, or
 * their groups no power of two of 16 and up.
 */
export function writeMatMulNBits(writer: OnnxWriter, name: string, x: string, weight: string): string | undefined {
  const constant = writer.graph.constants.get(weight);
  if (!writer.options.contrib || constant?.kind !== "quantized" || constant.shape.length !== 2) return undefined;
  const { bits, decoding, shape, groupSize, scale } = constant;
  const [n, k] = shape as readonly [number, number];
  const block = groupSize ?? k;
  if (decoding.kind !== "affine" || (bits !== 4 && bits !== 8) || scale === undefined) return undefined;
  if (block < 16 || (block & (block - 1)) !== 0) return undefined;
  const groups = Math.ceil(k / block);
  const blob = (block * bits) / 8;
  const [rowBytes, blobs] = [Math.ceil((k * bits) / 8), groups * blob];
  const padded = new Uint8Array(n * blobs);
  for (let row = 0; row < n; row++)
    padded.set(constant.codes.subarray(row * rowBytes, (row + 1) * rowBytes), row * blobs);
  const inputs = [
    x,
    writer.initializer(`${weight}/codes`, T.UINT8, [n, groups, blob], padded),
    writer.initializer(`${weight}/scale`, T.FLOAT, [n, groups], spread(scale, n, groups)),
  ];
  const { zeroPoint } = decoding;
  if (zeroPoint !== 2 ** (bits - 1)) {
    const zeros = spread(typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint, n, groups);
    if (zeros.some((zero) => zero < 0 || zero >= 2 ** bits)) return undefined;
    const packed = packCodes(Uint8Array.from(zeros), n, groups, bits);
    inputs.push(writer.initializer(`${weight}/zero_points`, T.UINT8, [packed.length], packed));
  }
  const attributes = { K: k, N: n, bits, block_size: block };
  return writer.node("com.microsoft.MatMulNBits", inputs, { near: name }, attributes);
}
