import { type Graph, type Node, type NodeOf, type Op, UnsupportedError, validateGraph } from "lowbit";
import { TO_NCHW, TO_NHWC } from "../context.ts";
import { TensorProto_DataType as DataType } from "../generated/onnx_pb.ts";
import { clip, codeParameters, exportConv, exportDense } from "./layers.ts";
import { TRANSFORMER } from "./transformer.ts";
import { ELEMENT_TYPE, type OnnxExportOptions, OnnxWriter } from "./writer.ts";

export type { OnnxExportOptions } from "./writer.ts";

type Exporters = { [K in Op]: (writer: OnnxWriter, node: NodeOf<K>) => void };

/** A node as one ONNX operator of the same inputs. */
const plain =
  (opType: string): ((writer: OnnxWriter, node: Node) => void) =>
  (writer, node) => {
    writer.node(opType, node.inputs, node.outputs[0]!);
  };

const EXPORTERS: Exporters = {
  conv2d: exportConv,
  dense: exportDense,
  matmul: plain("MatMul"),
  add: plain("Add"),
  sub: plain("Sub"),
  mul: plain("Mul"),
  div: plain("Div"),
  sigmoid: plain("Sigmoid"),
  tanh: plain("Tanh"),
  sign: plain("Sign"),
  maxPool: (writer, node) => pool(writer, node, "MaxPool", {}),
  avgPool: (writer, node) =>
    pool(writer, node, "AveragePool", { count_include_pad: node.attributes.countIncludePad ? 1 : 0 }),
  globalAvgPool: (writer, { name, inputs, outputs }) => {
    const mean = writer.node(
      "GlobalAveragePool",
      [writer.node("Transpose", inputs, { near: name }, { perm: TO_NCHW })],
      { near: name },
    );
    writer.node("Transpose", [mean], outputs[0]!, { perm: TO_NHWC });
  },
  threshold(writer, { name, inputs, outputs }) {
    // x < t is -1, else +1: the sign of x - (t - 1/2), which is never 0.
    const { data } = writer.graph.constants.get(inputs[1]!) as { data: Int32Array };
    const edges = writer.floats(
      `${name}/edge`,
      [data.length],
      Float32Array.from(data, (t) => t - 0.5),
    );
    writer.node("Sign", [writer.node("Sub", [inputs[0]!, edges], { near: name })], outputs[0]!);
  },
  affine(writer, { name, inputs, outputs, attributes }) {
    const scaled = writer.node("Mul", [inputs[0]!, inputs[1]!], { near: name });
    if (!attributes.clamp) writer.node("Add", [scaled, inputs[2]!], outputs[0]!);
    else clip(writer, name, writer.node("Add", [scaled, inputs[2]!], { near: name }), attributes.clamp, outputs[0]!);
  },
  batchNorm(writer, { name, inputs, outputs, attributes }) {
    // ONNX has the channels at axis 1; here they are last, where plain broadcasting does it.
    const [x, scale, bias, mean, variance] = inputs as [string, string, string, string, string];
    const { data } = writer.graph.constants.get(variance) as { data: Float32Array };
    const deviation = data.map((value) => Math.sqrt(Math.fround(value + Math.fround(attributes.epsilon))));
    const centred = writer.node("Sub", [x, mean], { near: name });
    const normal = writer.node("Div", [centred, writer.floats(`${name}/deviation`, [data.length], deviation)], {
      near: name,
    });
    writer.node("Add", [writer.node("Mul", [normal, scale], { near: name }), bias], outputs[0]!);
  },
  quantize(writer, { name, inputs, outputs }) {
    const { dtype, quantization } = writer.graph.values.get(outputs[0]!)!;
    writer.node(
      "QuantizeLinear",
      [inputs[0]!, ...codeParameters(writer, name, dtype as "int8", quantization!)],
      outputs[0]!,
    );
  },
  dequantize(writer, { name, inputs, outputs }) {
    const { dtype, quantization } = writer.graph.values.get(inputs[0]!)!;
    writer.node(
      "DequantizeLinear",
      [inputs[0]!, ...codeParameters(writer, name, dtype as "int8", quantization!)],
      outputs[0]!,
    );
  },
  clip(writer, { op, name, inputs, outputs, attributes }) {
    const { dtype } = writer.graph.values.get(inputs[0]!)!;
    if (dtype !== "f32") throw new UnsupportedError("exportOnnx", [`${op} "${name}" of ${dtype}`], "clips of f32");
    clip(writer, name, inputs[0]!, [attributes.min, attributes.max], outputs[0]!);
  },
  leakyRelu: (writer, { inputs, outputs, attributes }) =>
    writer.node("LeakyRelu", inputs, outputs[0]!, { alpha: { float: attributes.alpha } }),
  softmax: (writer, { inputs, outputs, attributes }) =>
    writer.node("Softmax", inputs, outputs[0]!, { axis: attributes.axis }),
  reshape(writer, { op, name, inputs, outputs, attributes }) {
    // One dynamic size can be left to the reader; it is computed from the others.
    const dynamic = attributes.shape.filter((size) => typeof size === "string");
    if (dynamic.length + attributes.shape.filter((size) => size === -1).length > 1) {
      throw new UnsupportedError(
        "exportOnnx",
        [`${op} "${name}" to [${attributes.shape}]`],
        "at most one dynamic size",
      );
    }
    const shape = attributes.shape.map((size) => (typeof size === "string" ? -1 : size));
    writer.node("Reshape", [inputs[0]!, writer.integers(`${name}/shape`, shape)], outputs[0]!);
  },
  transpose: (writer, { inputs, outputs, attributes }) =>
    writer.node("Transpose", inputs, outputs[0]!, { perm: attributes.permutation }),
  concat: (writer, { inputs, outputs, attributes }) =>
    writer.node("Concat", inputs, outputs[0]!, { axis: attributes.axis }),
  pad(writer, { name, inputs, outputs, attributes }) {
    const type = ELEMENT_TYPE[writer.graph.values.get(inputs[0]!)!.dtype];
    const { value } = attributes;
    const fill =
      type === DataType.INT8
        ? Int8Array.of(value)
        : type === DataType.UINT8
          ? Uint8Array.of(value)
          : Float32Array.of(value);
    const pads = writer.integers(`${name}/pads`, attributes.pads);
    writer.node("Pad", [inputs[0]!, pads, writer.initializer(`${name}/value`, type, [], fill)], outputs[0]!);
  },
  cast: (writer, { inputs, outputs, attributes }) =>
    writer.node("Cast", inputs, outputs[0]!, { to: writer.typeOf(outputs[0]!, attributes.to) }),
};

function pool(
  writer: OnnxWriter,
  node: NodeOf<"maxPool"> | NodeOf<"avgPool">,
  opType: string,
  own: Readonly<Record<string, number>>,
): void {
  const { kernel, strides, dilations, pads } = node.attributes;
  if (opType === "AveragePool" && dilations.some((size) => size !== 1)) {
    throw new UnsupportedError("exportOnnx", [`${node.op} "${node.name}" with dilations`], "pooling without dilations");
  }
  const near = { near: node.name };
  const x = writer.node("Transpose", node.inputs, near, { perm: TO_NCHW });
  const spread = opType === "MaxPool" ? { dilations } : {};
  const y = writer.node(opType, [x], near, { kernel_shape: kernel, strides, pads, ...spread, ...own });
  writer.node("Transpose", [y], node.outputs[0]!, { perm: TO_NHWC });
}

/** Inputs that an exporter hands on; it writes the others (weights, tables, thresholds, variances) in a form of its own. */
function readAsTheyAre({ op, inputs }: Node): readonly string[] {
  const own: Partial<Record<string, number>> = {
    ...{ conv2d: 1, dense: 1, embedding: 1, addPositions: 1 },
    ...{ threshold: 1, batchNorm: 4 },
  };
  return inputs.filter((_, index) => index !== own[op]);
}

const ALL: Readonly<Record<string, (writer: OnnxWriter, node: never) => void>> = { ...EXPORTERS, ...TRANSFORMER };

/**
 * A Graph as an .onnx file of standard operators, under its own value names: of operator set 13, or 21 where weights of 4 bits or in groups, or normalization of rows ask for it.
 * Weights stay codes behind DequantizeLinear where that gives the same floats bit for bit, and are those floats else; int8 activations are QuantizeLinear and DequantizeLinear, bits
 * and sums floats, thresholds Sub and Sign.
 *
 * @throws GraphError for a graph that breaks a rule, UnsupportedError naming every node that has no such form
 */
export function exportOnnx(graph: Graph, options: OnnxExportOptions = {}): Uint8Array<ArrayBuffer> {
  validateGraph(graph);
  const without = graph.nodes.filter(({ op }) => !Object.hasOwn(ALL, op)).map(({ op, name }) => `${op} "${name}"`);
  if (without.length > 0) throw new UnsupportedError("exportOnnx", without, Object.keys(ALL).join(", "));
  const writer = new OnnxWriter(graph, options);
  for (const name of new Set(graph.nodes.flatMap(readAsTheyAre))) {
    const constant = graph.constants.get(name);
    if (constant?.kind === "plain") writer.constant(name, constant);
  }
  for (const node of graph.nodes) (ALL[node.op] as (writer: OnnxWriter, node: Node) => void)(writer, node);
  return writer.encode();
}
