import type { ActivationQuantization, PlainConstant } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import { elementCount, floats } from "../../graph/constants.ts";
import { roundTiesToEven } from "../../graph/numbers.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { dtypeOf } from "../tensor.ts";

/** Limits of the two code types. */
const LIMITS = { int8: [-128, 127], uint8: [0, 255] } as const;
type CodeType = keyof typeof LIMITS;

/** Scale and zero point (inputs 1 and 2), one of each or one per entry of an axis. */
function parameters(node: NodeContext): { scale: Float32Array; zeroPoint: Int32Array; dtype: string | undefined } {
  const scale = node.constantInput(1, "scale")!;
  const zeroPoint = node.constantInput(2, "zero point");
  const scales = scale.data as Float32Array;
  if (scale.dtype !== "f32" || scales.some((value) => !(value > 0 && value < Number.POSITIVE_INFINITY))) {
    throw new ModelFileError(`onnx: ${node.title}`, "scale", "positive floats", Array.from(scales, Number));
  }
  const zeros = Int32Array.from({ length: scales.length }, (_, i) => Number(zeroPoint?.data[i] ?? 0));
  return { scale: scales, zeroPoint: zeros, dtype: zeroPoint?.dtype };
}

/** The channel of every element along `axis`, as a function of its flat index. */
function channelOf(shape: readonly number[], axis: number, count: number): (flat: number) => number {
  if (count === 1) return () => 0;
  const inner = elementCount(shape.slice(axis + 1));
  return (flat) => Math.floor(flat / inner) % count;
}

function quantizeLinear(node: NodeContext): void {
  const x = node.float(0);
  const { scale, zeroPoint, dtype } = parameters(node);
  const declared = node.attributes.has("output_dtype") ? dtypeOf(node.attributes.int("output_dtype", 0)) : undefined;
  const type = dtype ?? declared ?? "uint8";
  if (type !== "int8" && type !== "uint8") node.unsupported(`codes of type ${type}`, "int8 or uint8");
  const constant = node.constantOf(x);
  if (constant) {
    node.bind(node.store("codes", quantizeConstant(node, constant, type, scale, zeroPoint)));
    return;
  }
  if (scale.length !== 1) node.unsupported("activations with a scale per channel", "one scale");
  const quantization: ActivationQuantization = { scale: scale[0]!, zeroPoint: zeroPoint[0]! };
  node.bind(node.main("quantize", [x], {}, { dtype: type, quantization }));
}

function quantizeConstant(
  node: NodeContext,
  x: PlainConstant,
  dtype: CodeType,
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
  const { scale, zeroPoint } = parameters(node);
  const constant = node.constantOf(x);
  if (constant) {
    const channel = channelOf(constant.shape, axisOf(node, constant.shape, scale.length), scale.length);
    const data = Float32Array.from({ length: constant.data.length }, (_, i) => {
      const c = channel(i);
      return (Number(constant.data[i]) - zeroPoint[c]!) * scale[c]!;
    });
    node.bind(node.store("floats", floats(constant.shape, data)));
    return;
  }
  if (scale.length !== 1) node.unsupported("activations with a scale per channel", "one scale");
  const { dtype, quantization } = node.info(x);
  if (dtype !== "int8" && dtype !== "uint8") node.unsupported(`codes of type ${dtype}`, "int8 or uint8");
  if (quantization === undefined) node.declare(x, { scale: scale[0]!, zeroPoint: zeroPoint[0]! });
  else if (quantization.scale !== scale[0] || quantization.zeroPoint !== zeroPoint[0]) {
    node.unsupported(
      `scale ${scale[0]}, zero point ${zeroPoint[0]}`,
      `those of its input: ${quantization.scale}, ${quantization.zeroPoint}`,
    );
  }
  node.bind(node.main("dequantize", [x], {}));
}

function axisOf(node: NodeContext, shape: readonly number[], count: number): number {
  if (node.attributes.int("block_size", 0) !== 0)
    node.unsupported("blocked scales", "one scale, or one per entry of an axis");
  if (count === 1) return 0;
  const axis = node.axis(node.attributes.int("axis", 1), shape.length);
  if (shape[axis] !== count)
    throw new ModelFileError(`onnx: ${node.title}`, `scales for axis ${axis}`, shape[axis], count);
  return axis;
}

export const quantization: Readonly<Record<string, OperatorImporter>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
};
