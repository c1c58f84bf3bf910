import type { PlainConstant } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import { elementCount, floats } from "../../graph/constants.ts";
import { unpackCodes } from "../../graph/low-bit.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { TensorProto_DataType as T } from "../generated/onnx_pb.ts";
import { blockOf } from "./quantization.ts";

/**
 * com.microsoft GatherBlockQuantized: rows (or slices of another axis) of a table of codes with a scale, and a zero point, for every block of `quantize_axis`. A table
 * of two axes stays codes, of which a row is decoded when it is asked for; others become floats. uint8 holds codes of 2, 4 or 8 bits, packed along the last axis.
 */
function gatherBlockQuantized(node: NodeContext): void {
  const { attributes } = node;
  const type = node.codeType(0);
  const given = node.neededConstant(0, "data");
  const scale = node.neededConstant(2, "scales");
  const zeros = node.constantInput(3, "zero points");
  if (given.dtype !== "int8" && given.dtype !== "uint8")
    node.unsupported(`data of ${given.dtype}`, "INT4, UINT4 or UINT8");
  const isPacked = type !== T.INT4 && type !== T.UINT4;
  const bits = isPacked ? attributes.int("bits", 4) : 4;
  const block = attributes.int("block_size", 128);
  if ((bits !== 2 && bits !== 4 && bits !== 8) || block < 16 || (isPacked && given.dtype !== "uint8"))
    node.unsupported(`${bits} bits in blocks of ${block}`, "2, 4 or 8 bits in blocks of 16 and up");
  const codes = isPacked ? unpacked(given, bits) : given;
  const { shape } = codes;
  const axis = node.axis(attributes.int("quantize_axis", 1), shape.length, "quantize_axis");
  const gatherAxis = node.axis(attributes.int("gather_axis", 0), shape.length, "gather_axis");
  const wanted = shape.map((size, i) => (i === axis ? Math.ceil(size / block) : size));
  if (scale.dtype !== "f32" || scale.shape.join() !== wanted.join())
    throw new ModelFileError(`onnx: ${node.title}`, `scales for blocks of ${block}`, wanted, scale.shape);
  const zeroPoints = zeros && (isPacked ? unpacked(zeros, bits, wanted.at(-1)) : zeros);
  if (zeroPoints && zeroPoints.data.length !== scale.data.length)
    throw new ModelFileError(`onnx: ${node.title}`, "zero points", wanted, zeroPoints.shape);
  const absent = isPacked ? 2 ** (bits - 1) : 0;
  const zeroPoint = Int32Array.from({ length: scale.data.length }, (_, i) => Number(zeroPoints?.data[i] ?? absent));
  const entry = blockOf(shape, axis, block);
  const scales = scale.data as Float32Array;
  const data = Float32Array.from(
    codes.data as Int8Array,
    (code, i) => (code - zeroPoint[entry(i)]!) * scales[entry(i)]!,
  );
  const table = node.storeCodes("table", floats(shape, data), { codes, scale: scales, zeroPoint, axis, block, bits });
  const indices = node.input(1);
  const coded = gatherAxis === 0 ? node.codedTable(table) : undefined;
  if (coded !== undefined) node.bind(node.main("embedding", [indices, coded], {}));
  else node.bind(node.main("gather", [table, indices], { axis: gatherAxis }));
}

/** Codes of a byte's bits, lowest first, as bytes; the last axis may end within a byte. */
function unpacked(constant: PlainConstant, bits: number, length?: number): PlainConstant {
  const { shape, data } = constant;
  if (bits === 8) return constant;
  const bytes = shape.at(-1) ?? 1;
  const last = length ?? (bytes * 8) / bits;
  const outer = shape.slice(0, -1);
  // A length that the bytes do not hold is left for the comparison of sizes.
  if (Math.ceil((last * bits) / 8) !== bytes) return constant;
  return {
    ...constant,
    shape: [...outer, last],
    data: unpackCodes(data as Uint8Array, elementCount(outer), last, bits),
  };
}

export const gatherQuantized: Readonly<Record<string, OperatorImporter>> = {
  "com.microsoft.GatherBlockQuantized": gatherBlockQuantized,
};
