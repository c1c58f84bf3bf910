/** Small ONNX files for tests, written node by node. */
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  create,
  TensorProto_DataType as DataType,
  type GraphProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  toBinary,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../src/onnx/schema.ts";

export { AttributeType, DataType };

type Attribute = number | string | readonly number[] | { readonly float: number } | { readonly tensor: TensorProto };

export class OnnxBuilder {
  readonly #nodes: ReturnType<typeof node>[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly opset: number;

  constructor(opset = 13) {
    this.opset = opset;
  }

  input(name: string, shape: readonly (number | string)[], type: DataType = DataType.FLOAT): string {
    this.#inputs.push(valueInfo(name, shape, type));
    return name;
  }

  floats(name: string, shape: readonly number[], data: ArrayLike<number>): string {
    return this.initializer(floatTensor(name, shape, data));
  }

  ints(name: string, values: readonly number[], shape: readonly number[] = [values.length]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.initializer(
      create(TensorProtoSchema, { name, dataType: DataType.INT64, dims: shape.map(BigInt), rawData }),
    );
  }

  initializer(tensor: TensorProto): string {
    this.#initializers.push(tensor);
    return tensor.name;
  }

  /** Adds a node of one output, named after the node. A number is an int, `{ float }` a float, an array ints. */
  node(
    opType: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.#nodes.push(node(opType, name, inputs, attributes));
    return name;
  }

  /** The file with these outputs (their types are left open). `edit` may break it. */
  build(outputs: readonly string[], edit: (graph: GraphProto) => void = () => {}): Uint8Array {
    const model = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: BigInt(this.opset) }],
      graph: {
        name: "test",
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: outputs.map((name) => create(ValueInfoProtoSchema, { name })),
      },
    });
    edit(model.graph!);
    return toBinary(ModelProtoSchema, model);
  }
}

export function floatTensor(name: string, shape: readonly number[], data: ArrayLike<number>): TensorProto {
  const rawData = new Uint8Array(Float32Array.from(data).buffer);
  return create(TensorProtoSchema, { name, dataType: DataType.FLOAT, dims: shape.map(BigInt), rawData });
}

export function valueInfo(name: string, shape: readonly (number | string)[], elemType: DataType): ValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === "string"
      ? { value: { case: "dimParam" as const, value: size } }
      : { value: { case: "dimValue" as const, value: BigInt(size) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } },
  });
}

function node(
  opType: string,
  name: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
) {
  const attribute = Object.entries(attributes).map(([key, value]): Partial<AttributeProto> & { name: string } => {
    if (typeof value === "number") return { name: key, type: AttributeType.INT, i: BigInt(value) };
    if (typeof value === "string") return { name: key, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
    if ("float" in value) return { name: key, type: AttributeType.FLOAT, f: value.float };
    if ("tensor" in value) return { name: key, type: AttributeType.TENSOR, t: value.tensor };
    return { name: key, type: AttributeType.INTS, ints: value.map(BigInt) };
  });
  return create(NodeProtoSchema, {
    opType,
    name,
    input: [...inputs],
    output: [name],
    attribute: attribute as AttributeProto[],
  });
}
