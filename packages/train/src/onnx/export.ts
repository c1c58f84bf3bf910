import {
  AttributeProto_AttributeType as AttributeType,
  create,
  TensorProto_DataType as DataType,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  toBinary,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "@lowbit/convert/onnx";
import type { FrozenLayer } from "../frozen/layers.ts";
import type { HostTensor } from "../values.ts";

/** Operator set that the graphs are written in: PyTorch's default for years, known to every runtime. */
const OPSET = 13n;

/** The IR version that goes with it (ONNX 1.8). */
const IR_VERSION = 7n;

/**
 * A frozen network as an ONNX model of standard operators: input `image` float32 [N, 1, 28, 28] of pixels 0..255, output
 * `logits` [N, 10]. Low-bit weights are float tensors of two or three values per channel, int8 activations are
 * QuantizeLinear + DequantizeLinear, signs are Sign on values that are never 0 (see `alignToIntegers`), borders of +1 are Pad.
 */
export function toOnnx(
  layers: readonly FrozenLayer[],
  name: string,
  metadata: Readonly<Record<string, string>>,
): ModelProto {
  const graph = new GraphBuilder();
  let value = "image";
  for (const layer of layers) value = appendLayer(graph, layer, value);
  graph.renameOutput(value, "logits");
  return create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    opsetImport: [{ domain: "", version: OPSET }],
    producerName: "lowbit",
    graph: {
      name,
      node: graph.nodes,
      initializer: graph.initializers,
      input: [floatValue("image", ["N", 1, 28, 28])],
      output: [floatValue("logits", ["N", 10])],
    },
    metadataProps: Object.entries(metadata).map(([key, text]) => ({ key, value: text })),
  });
}

/** The model's bytes. */
export function encodeOnnx(model: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, model);
}

function appendLayer(graph: GraphBuilder, layer: FrozenLayer, x: string): string {
  const { name } = layer;
  switch (layer.kind) {
    case "normalize": {
      const centred = graph.node("Sub", `${name}.sub`, [x, graph.scalar(`${name}.mean`, layer.mean)]);
      return graph.node("Div", `${name}.div`, [centred, graph.scalar(`${name}.std`, layer.std)]);
    }
    case "quantize": {
      const scale = graph.scalar(`${name}.scale`, layer.scale);
      const zeroPoint = graph.int8(`${name}.zero_point`, layer.zeroPoint);
      const codes = graph.node("QuantizeLinear", `${name}.quantize`, [x, scale, zeroPoint]);
      return graph.node("DequantizeLinear", `${name}.dequantize`, [codes, scale, zeroPoint]);
    }
    case "conv": {
      const size = layer.weight.shape[2] as number;
      const side = (size - 1) / 2;
      const padded =
        layer.border === 1
          ? graph.node("Pad", `${name}.pad`, [
              x,
              graph.int64(`${name}.pads`, [0, 0, side, side, 0, 0, side, side]),
              graph.scalar(`${name}.border`, 1),
            ])
          : x;
      const pad = layer.border === 0 ? side : 0;
      const inputs = [padded, graph.tensor(`${name}.weight`, layer.weight)];
      if (layer.bias !== undefined) inputs.push(graph.tensor(`${name}.bias`, layer.bias));
      return graph.node("Conv", name, inputs, {
        dilations: [1, 1],
        group: 1,
        kernel_shape: [size, size],
        pads: [pad, pad, pad, pad],
        strides: [1, 1],
      });
    }
    case "flatten":
      return graph.node("Flatten", name, [x], { axis: 1 });
    case "dense": {
      const inputs = [x, graph.tensor(`${name}.weight`, layer.weight)];
      if (layer.bias !== undefined) inputs.push(graph.tensor(`${name}.bias`, layer.bias));
      return graph.node("Gemm", name, inputs, { transB: 1 });
    }
    case "batchNorm": {
      const parameters = [
        graph.tensor(`${name}.scale`, layer.scale),
        graph.tensor(`${name}.bias`, layer.bias),
        graph.tensor(`${name}.mean`, layer.mean),
        graph.tensor(`${name}.variance`, layer.variance),
      ];
      return graph.node("BatchNormalization", name, [x, ...parameters], { epsilon: layer.epsilon });
    }
    case "relu":
      return graph.node("Relu", name, [x]);
    case "sign":
      return graph.node("Sign", name, [x]);
    case "maxPool":
      return graph.node("MaxPool", name, [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }
}

/** Nodes and initializers as they come; each node has one output, named after it. */
class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];

  /** Appends an operator; an attribute is int, ints or (epsilon) a float. @returns the name of its output */
  node(
    operator: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
  ): string {
    const output = `${name}.y`;
    const attribute = Object.entries(attributes).map(([key, value]) => {
      if (typeof value !== "number") return { name: key, type: AttributeType.INTS, ints: value.map(BigInt) };
      if (Number.isInteger(value)) return { name: key, type: AttributeType.INT, i: BigInt(value) };
      return { name: key, type: AttributeType.FLOAT, f: value };
    });
    this.nodes.push(
      create(NodeProtoSchema, { opType: operator, name, input: [...inputs], output: [output], attribute }),
    );
    return output;
  }

  renameOutput(from: string, to: string): void {
    for (const node of this.nodes) node.output = node.output.map((output) => (output === from ? to : output));
  }

  tensor(name: string, { shape, data }: HostTensor): string {
    return this.#initializer(name, DataType.FLOAT, shape, littleEndian(data));
  }

  scalar(name: string, value: number): string {
    return this.#initializer(name, DataType.FLOAT, [], littleEndian(Float32Array.of(value)));
  }

  int8(name: string, value: number): string {
    return this.#initializer(name, DataType.INT8, [], new Uint8Array(Int8Array.of(value).buffer));
  }

  int64(name: string, values: readonly number[]): string {
    return this.#initializer(
      name,
      DataType.INT64,
      [values.length],
      new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
    );
  }

  #initializer(name: string, dataType: DataType, shape: readonly number[], rawData: Uint8Array): string {
    if (!this.initializers.some((tensor) => tensor.name === name)) {
      this.initializers.push(create(TensorProtoSchema, { name, dataType, dims: shape.map(BigInt), rawData }));
    }
    return name;
  }
}

/** WASM engines are little-endian, as `rawData` is: the bytes as they stand. */
function littleEndian(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

function floatValue(name: string, shape: readonly (string | number)[]): ValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === "string"
      ? { value: { case: "dimParam" as const, value: size } }
      : { value: { case: "dimValue" as const, value: BigInt(size) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: DataType.FLOAT, shape: { dim } } } },
  });
}
