/** Convolutions and dense layers as standard ONNX operators: floats between DequantizeLinear and QuantizeLinear. */
import type { Clamp, Graph, NodeOf, QuantizedConstant } from "lowbit";
import { TO_NCHW, TO_NHWC } from "../context.ts";
import { TensorProto_DataType as DataType } from "../generated/onnx_pb.ts";
import { type WeightOrder, writeMatMulNBits, writeWeights } from "./codes.ts";
import type { OnnxWriter } from "./writer.ts";

type Layer = NodeOf<"conv2d"> | NodeOf<"dense">;

/** A layer's weights: those of the reals, or (under an int32 result) of the integers that its codes stand for. */
function weights(writer: OnnxWriter, layer: Layer, order: WeightOrder): string {
  const name = layer.inputs[1]!;
  const constant = writer.graph.constants.get(name)!;
  const sums = constant.kind === "quantized" && isSum(writer.graph, layer);
  return writeWeights(writer, name, sums ? unscaled(constant) : constant, order);
}

const unscaled = (constant: QuantizedConstant): QuantizedConstant =>
  constant.scale ? { ...constant, scale: new Float32Array(constant.scale.length).fill(1) } : constant;

const isSum = (graph: Graph, layer: Layer): boolean => graph.values.get(layer.outputs[0]!)!.dtype === "int32";

/** x as floats: codes through DequantizeLinear, for a sum with scale 1. */
function realInput(writer: OnnxWriter, layer: Layer): string {
  const x = layer.inputs[0]!;
  const { dtype, quantization } = writer.graph.values.get(x)!;
  if ((dtype !== "int8" && dtype !== "uint8") || quantization === undefined) return x;
  const scale = isSum(writer.graph, layer) ? 1 : quantization.scale;
  return writer.node(
    "DequantizeLinear",
    [x, ...codeParameters(writer, layer.name, dtype, { ...quantization, scale })],
    { near: layer.name },
  );
}

/** Initializers of QuantizeLinear and DequantizeLinear. */
export function codeParameters(
  writer: OnnxWriter,
  near: string,
  dtype: "int8" | "uint8",
  { scale, zeroPoint }: { readonly scale: number; readonly zeroPoint: number },
): [string, string] {
  const zero = dtype === "int8" ? Int8Array.of(zeroPoint) : Uint8Array.of(zeroPoint);
  return [
    writer.floats(`${near}/scale`, [], [scale]),
    writer.initializer(`${near}/zero_point`, dtype === "int8" ? DataType.INT8 : DataType.UINT8, [], zero),
  ];
}

/**
 * Clip and QuantizeLinear behind a layer, as its clamp and its output's type ask; the last one writes the layer's
 * value.
 */
function finish(writer: OnnxWriter, layer: Layer, y: string, clamp: Clamp | undefined): void {
  const output = layer.outputs[0]!;
  const { dtype, quantization } = writer.graph.values.get(output)!;
  const codes = dtype === "int8" || dtype === "uint8" ? dtype : undefined;
  let value = y;
  if (clamp) value = clip(writer, layer.name, value, clamp, codes ? { near: layer.name } : output);
  if (codes)
    writer.node("QuantizeLinear", [value, ...codeParameters(writer, layer.name, codes, quantization!)], output);
  else if (!clamp) writer.node("Identity", [value], output);
}

/** Clip with the limits that are finite. */
export function clip(
  writer: OnnxWriter,
  near: string,
  x: string,
  [min, max]: Clamp,
  output: string | { readonly near: string },
): string {
  const limit = (value: number) => (Number.isFinite(value) ? writer.floats(`${near}/limit`, [], [value]) : "");
  const limits = [limit(min), limit(max)];
  return writer.node("Clip", limits[1] === "" ? [x, limits[0]!] : [x, ...limits], output);
}

export function exportConv(writer: OnnxWriter, node: NodeOf<"conv2d">): void {
  const { kernel, strides, dilations, pads, groups, padding, clamp } = node.attributes;
  const near = { near: node.name };
  let x = writer.node("Transpose", [realInput(writer, node)], near, { perm: TO_NCHW });
  const ones = padding === "one" && pads.some((size) => size > 0);
  if (ones)
    x = writer.node(
      "Pad",
      [
        x,
        writer.integers(`${node.name}/pads`, [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]]),
        writer.floats(`${node.name}/border`, [], [1]),
      ],
      near,
    );
  const inputs = [x, weights(writer, node, "image")];
  if (node.inputs[2]) inputs.push(node.inputs[2]);
  const attributes = { kernel_shape: kernel, strides, dilations, pads: ones ? [0, 0, 0, 0] : pads, group: groups };
  const y = writer.node("Transpose", [writer.node("Conv", inputs, near, attributes)], near, { perm: TO_NHWC });
  finish(writer, node, y, clamp);
}

export function exportDense(writer: OnnxWriter, node: NodeOf<"dense">): void {
  const near = { near: node.name };
  const rows = node.attributes.activations ? quantizedRows(writer, node) : undefined;
  const x = rows?.codes ?? realInput(writer, node);
  let y =
    (isSum(writer.graph, node) ? undefined : writeMatMulNBits(writer, node.name, x, node.inputs[1]!)) ??
    writer.node("MatMul", [x, weights(writer, node, "matrix")], near);
  if (rows) y = writer.node("Mul", [y, rows.step], near);
  if (node.inputs[2]) y = writer.node("Add", [y, node.inputs[2]], near);
  finish(writer, node, y, node.attributes.clamp);
}

/** Every row of x as integers of -127 to 127 (in floats), and the step between them: max |x| / 127. */
function quantizedRows(writer: OnnxWriter, { name, inputs }: NodeOf<"dense">): { codes: string; step: string } {
  writer.needs(21);
  const [x = ""] = inputs;
  const add = (opType: string, inputs: readonly string[]) => writer.node(opType, inputs, { near: name });
  const levels = writer.floats(`${name}/levels`, [], [127]);
  const largest = add("ReduceMax", [add("Abs", [x]), writer.integers(`${name}/axes`, [-1])]);
  // A row of zeros has no step, and any factor will do.
  const none = add("Equal", [largest, writer.floats(`${name}/zero`, [], [0])]);
  const divisor = add("Where", [none, levels, largest]);
  const codes = add("Round", [add("Mul", [x, add("Div", [levels, divisor])])]);
  return { codes, step: add("Div", [largest, levels]) };
}
