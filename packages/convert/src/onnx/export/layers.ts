/** Convolutions and dense layers as standard ONNX operators over floats. */
import { type Clamp, decodeWeights, type Graph, type NodeOf, type QuantizedConstant } from "lowbit";
import { floats, transposed } from "../../graph/constants.ts";
import { TO_NCHW, TO_NHWC } from "../context.ts";
import { TensorProto_DataType as DataType } from "../generated/onnx_pb.ts";
import type { OnnxWriter } from "./writer.ts";

type Layer = NodeOf<"conv2d"> | NodeOf<"dense">;

/** A layer's weights as floats: the reals, or (under an int32 result) the integers that its codes stand for. */
function weights(graph: Graph, layer: Layer): Float32Array {
  const constant = graph.constants.get(layer.inputs[1]!)!;
  if (constant.kind === "plain") return constant.data as Float32Array;
  return decodeWeights(isSum(graph, layer) ? unscaled(constant) : constant);
}

function unscaled(constant: QuantizedConstant): QuantizedConstant {
  const { scale: _, scaleShape: __, groupSize: ___, ...codes } = constant;
  return codes;
}

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
  const shape = writer.graph.constants.get(node.inputs[1]!)!.shape;
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
  const weight = transposed(floats(shape, weights(writer.graph, node)), TO_NCHW);
  const inputs = [x, writer.floats(`${node.inputs[1]}/oihw`, weight.shape, weight.data as Float32Array)];
  if (node.inputs[2]) inputs.push(node.inputs[2]);
  const attributes = { kernel_shape: kernel, strides, dilations, pads: ones ? [0, 0, 0, 0] : pads, group: groups };
  const y = writer.node("Transpose", [writer.node("Conv", inputs, near, attributes)], near, { perm: TO_NHWC });
  finish(writer, node, y, clamp);
}

export function exportDense(writer: OnnxWriter, node: NodeOf<"dense">): void {
  const shape = writer.graph.constants.get(node.inputs[1]!)!.shape;
  const near = { near: node.name };
  const weight = transposed(floats(shape, weights(writer.graph, node)), [1, 0]);
  let y = writer.node(
    "MatMul",
    [realInput(writer, node), writer.floats(`${node.inputs[1]}/kn`, weight.shape, weight.data as Float32Array)],
    near,
  );
  if (node.inputs[2]) y = writer.node("Add", [y, node.inputs[2]], near);
  finish(writer, node, y, node.attributes.clamp);
}
