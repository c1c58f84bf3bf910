import type { ActivationQuantization, PlainConstant } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import { elementCount, floats } from "../../graph/constants.ts";
import { roundTiesToEven } from "../../graph/numbers.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { TensorProto_DataType as T } from "../generated/onnx_pb.ts";
import { dtypeOf } from "../tensor.ts";
import { eightBits, isEightBits } from "./elementwise.ts";

/** Limits of the code types. */
const LIMITS = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767], uint16: [0, 65535] } as const;
type CodeType = keyof typeof LIMITS;
const isCodeType = (type: string): type is CodeType => Object.hasOwn(LIMITS, type);

/** Scale and zero point (inputs 1 and 2), one of each or one per entry of an axis or block. Stored codes may have any finite scale: blocks of zeros have 0, GGUF's are of either sign. */
function parameters(node: NodeContext, isStored = false): { scale: Float32Array; zeroPoint: Int32Array } {
  const scale = node.neededConstant(1, "scale");
  const zeroPoint = node.constantInput(2, "zero point");
  const scales = scale.data as Float32Array;
  if (scale.dtype !== "f32" || scales.some((value) => !Number.isFinite(value) || (value <= 0 && !isStored))) {
    throw new ModelFileError(
      `onnx: ${node.title}`,
      "scale",
      isStored ? "finite floats" : "positive floats",
      Array.from(scales, Number),
    );
  }
  const zeros = Int32Array.from({ length: scales.length }, (_, i) => Number(zeroPoint?.data[i] ?? 0));
  return { scale: scales, zeroPoint: zeros };
}

/** The channel of every element along `axis`, as a function of its flat index. */
function channelOf(shape: readonly number[], axis: number, count: number): (flat: number) => number {
  if (count === 1) return () => 0;
  const inner = elementCount(shape.slice(axis + 1));
  return (flat) => Math.floor(flat / inner) % count;
}

/** The block of every element, blocks of `block` along `axis`, as a function of its flat index. */
export function blockOf(shape: readonly number[], axis: number, block: number): (flat: number) => number {
  const inner = elementCount(shape.slice(axis + 1));
  const size = shape[axis]!;
  const blocks = Math.ceil(size / block);
  return (flat) => {
    const row = Math.floor(flat / inner);
    return (Math.floor(row / size) * blocks + Math.floor((row % size) / block)) * inner + (flat % inner);
  };
}

/** Whether scale and zero point are numbers that are known. */
const isKnown = (node: NodeContext): boolean =>
  [1, 2].every((index) => node.optional(index) === undefined || node.constantOf(node.input(index)) !== undefined);

/** Whether they are, and of no blocks. */
const isStatic = (node: NodeContext): boolean => isKnown(node) && node.attributes.int("block_size", 0) === 0;

function quantizeLinear(node: NodeContext): void {
  const given = node.input(0);
  const x = node.info(given).dtype === "int32" ? node.step("float", "cast", [given], { to: "f32" }) : node.float(0);
  const zero = node.optional(2);
  const declared = node.attributes.has("output_dtype") ? dtypeOf(node.attributes.int("output_dtype", 0)) : undefined;
  const type = (zero === undefined ? undefined : node.info(zero).dtype) ?? declared ?? "uint8";
  const narrow = floatCodes(node, x, node.codeType(2) ?? node.attributes.int("output_dtype", 0));
  if (narrow !== undefined) {
    node.bind(narrow);
    return;
  }
  if (!isCodeType(type)) node.unsupported(`codes of type ${type}`, Object.keys(LIMITS).join(", "));
  const isByte =
    (type === "int8" && rangeOf(node, type)[0] === -128) || (type === "uint8" && rangeOf(node, type)[1] === 255);
  if (!isStatic(node) || !isByte || (!node.constantOf(x) && node.shape(node.input(1)).some((size) => size !== 1))) {
    linear(node, x, "quantizeLinear", type);
    return;
  }
  const { scale, zeroPoint } = parameters(node);
  const constant = node.constantOf(x);
  if (constant) {
    node.bind(node.store("codes", quantizeConstant(node, constant, type as "int8" | "uint8", scale, zeroPoint)));
    return;
  }
  const quantization: ActivationQuantization = { scale: scale[0]!, zeroPoint: zeroPoint[0]! };
  node.bind(node.main("quantize", [x], {}, { dtype: type, quantization }));
}

/** Codes that are floats of 8 bits: x / scale, rounded to one of them; undefined for other types. */
function floatCodes(node: NodeContext, x: string, type: number): string | undefined {
  if (!isEightBits(type)) return undefined;
  return eightBits(node, node.step("scaled", "div", [x, floatScale(node, x)], {}), type);
}

/** The scale of codes that are floats, in the shape of one for each entry of its axis. Their zero points are 0. */
function floatScale(node: NodeContext, x: string): string {
  const scale = node.float(1);
  const sizes = node.shape(scale);
  if (node.attributes.int("block_size", 0) !== 0 || sizes.length > 1)
    node.unsupported("blocks of floats of 8 bits", "one scale, or one per entry of an axis");
  if (node.constantInput(2, "zero point")?.data.some((value) => Number(value) !== 0))
    node.unsupported("a zero point of floats", "0");
  if (sizes.length === 0 || sizes[0] === 1) return node.step("scale", "reshape", [scale], { shape: [] });
  const rank = node.shape(x).length;
  const behind = new Array<number>(rank - 1 - node.axis(node.attributes.int("axis", 1), rank)).fill(1);
  return node.step("scale", "reshape", [scale], { shape: [sizes[0]!, ...behind] });
}

function quantizeConstant(
  node: NodeContext,
  x: PlainConstant,
  dtype: "int8" | "uint8",
  scale: Float32Array,
  zeroPoint: Int32Array,
): PlainConstant {
  const channel = channelOf(x.shape, axisOf(node, x.shape, scale.length), scale.length);
  const [least, most] = LIMITS[dtype];
  const data = dtype === "int8" ? new Int8Array(x.data.length) : new Uint8Array(x.data.length);
  for (let i = 0; i < data.length; i++) {
    const c = channel(i);
    const code = roundTiesToEven(Math.fround(Number(x.data[i]) / scale[c]!)) + zeroPoint[c]!;
    data[i] = Math.min(Math.max(code, least), most);
  }
  return { kind: "plain", dtype, shape: x.shape, data };
}

/** Stored codes become floats; codes of an activation stay, with their scale in the value's type. */
function dequantizeLinear(node: NodeContext): void {
  const x = node.input(0);
  const constant = node.constantOf(x);
  if (node.info(x).dtype === "f32") {
    node.bind(node.main("mul", [x, floatScale(node, x)], {}));
    return;
  }
  if (constant && isKnown(node)) {
    node.bind(storedFloats(node, constant));
    return;
  }
  if (!isStatic(node)) {
    linear(node, x, "dequantizeLinear");
    return;
  }
  const { scale, zeroPoint } = parameters(node);
  const { dtype, quantization } = node.info(x);
  const own = { scale: scale[0]!, zeroPoint: zeroPoint[0]! };
  const fits =
    quantization === undefined || (quantization.scale === own.scale && quantization.zeroPoint === own.zeroPoint);
  if (scale.length !== 1 || (dtype !== "int8" && dtype !== "uint8") || !fits) {
    linear(node, x, "dequantizeLinear");
    return;
  }
  if (quantization === undefined) node.declare(x, own);
  node.bind(node.main("dequantize", [x], {}));
}

/** What stored codes stand for, and the codes with it. */
function storedFloats(node: NodeContext, constant: PlainConstant): string {
  const { scale, zeroPoint } = parameters(node, true);
  const { shape } = constant;
  const block = node.attributes.int("block_size", 0);
  const axis = block > 0 ? blockedAxis(node, shape, block) : axisOf(node, shape, scale.length);
  const entry = block > 0 ? blockOf(shape, axis, block) : channelOf(shape, axis, scale.length);
  const data = Float32Array.from({ length: constant.data.length }, (_, i) => {
    const at = entry(i);
    return (Number(constant.data[i]) - zeroPoint[at]!) * scale[at]!;
  });
  const made = floats(shape, data);
  if (constant.dtype !== "int8" && constant.dtype !== "uint8") return node.store("floats", made);
  const type = node.codeType(0);
  const isNarrow = type === T.INT4 || type === T.UINT4;
  const codes = {
    codes: constant,
    scale,
    zeroPoint,
    axis,
    ...(block > 0 && { block }),
    ...(isNarrow && { bits: 4 as const }),
  };
  return node.storeCodes("floats", made, codes);
}

/** The axis along which blocks run, where there is a scale for each. */
function blockedAxis(node: NodeContext, shape: readonly number[], block: number): number {
  const axis = node.axis(node.attributes.int("axis", 1), shape.length);
  const wanted = shape.map((size, i) => (i === axis ? Math.ceil(size / block) : size));
  const scale = node.neededConstant(1, "scale");
  if (scale.shape.length !== wanted.length || scale.shape.some((size, i) => size !== wanted[i]))
    throw new ModelFileError(`onnx: ${node.title}`, `scales for blocks of ${block}`, wanted, scale.shape);
  return axis;
}

/** By scales that are values, of any shape: one, one per entry of an axis, or one per block along it. */
function linear(node: NodeContext, x: string, op: "quantizeLinear" | "dequantizeLinear", type?: CodeType): void {
  const rank = node.shape(x).length;
  const scale = node.float(1);
  const block = node.attributes.int("block_size", 0);
  const one = block === 0 && node.shape(scale).every((size) => size === 1);
  const axis = one ? 0 : node.axis(node.attributes.int("axis", 1), rank);
  const zero = node.optional(2);
  const inputs = zero === undefined ? [x, scale] : [x, scale, zero];
  if (op === "dequantizeLinear") node.bind(node.main(op, inputs, { axis, block }));
  else node.bind(node.main(op, inputs, { axis, block, to: type!, range: rangeOf(node, type!) }));
}

/** Codes of 4 bits lie in bytes. */
function rangeOf(node: NodeContext, type: CodeType): readonly [number, number] {
  const declared = node.codeType(2) ?? node.attributes.int("output_dtype", 0);
  if (declared === T.INT4) return [-8, 7];
  return declared === T.UINT4 ? [0, 15] : LIMITS[type];
}

function axisOf(node: NodeContext, shape: readonly number[], count: number): number {
  if (count === 1) return 0;
  const axis = node.axis(node.attributes.int("axis", 1), shape.length);
  if (shape[axis] !== count)
    throw new ModelFileError(`onnx: ${node.title}`, `scales for axis ${axis}`, shape[axis], count);
  return axis;
}

export const quantization: Readonly<Record<string, OperatorImporter>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: (node) => {
    const outputs = node.steps("codes", "dynamicQuantizeLinear", [node.float(0)], {}, 3);
    for (const [index, output] of outputs.entries()) node.bind(output, index);
  },
};
