/** Writes `.onnx` files: operator set 17 and onnxruntime's own operators (`com.microsoft`). */
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  create,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  toBinary,
  ValueInfoProtoSchema,
} from "@lowbit/convert/onnx";

/** Of onnxruntime's own operators. */
export const MICROSOFT = "com.microsoft";

const dataTypes = {
  f32: DataType.FLOAT,
  uint8: DataType.UINT8,
  int8: DataType.INT8,
  int32: DataType.INT32,
  int64: DataType.INT64,
};
export type OnnxType = keyof typeof dataTypes;

type Constant = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

/** A number is an integer. */
type Attribute = number | readonly number[];

function typeOf(data: Constant): DataType {
  if (data instanceof Float32Array) return DataType.FLOAT;
  if (data instanceof Uint8Array) return DataType.UINT8;
  if (data instanceof Int8Array) return DataType.INT8;
  return data instanceof Int32Array ? DataType.INT32 : DataType.INT64;
}

function attributeOf(name: string, value: Attribute): AttributeProto {
  if (typeof value === "number")
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

/** A model of one graph, built up node by node; names follow by themselves. */
export class OnnxModel {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];

  /** @returns the constant's name */
  constant(data: Constant, shape: readonly number[] = []): string {
    const name = `c${this.#initializers.length}`;
    const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    this.#initializers.push(
      create(TensorProtoSchema, { name, dataType: typeOf(data), dims: shape.map(BigInt), rawData }),
    );
    return name;
  }

  /** @returns the name of the output */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: "" | typeof MICROSOFT = "",
  ): string {
    const output = `y${this.#nodes.length}`;
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.#nodes.push(create(NodeProtoSchema, { opType, domain, input: [...inputs], output: [output], attribute }));
    return output;
  }

  /** The file. */
  encode(inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Uint8Array<ArrayBuffer> {
    const declare = ({ name, type, shape }: OnnxValue) => {
      const dim = shape.map((size) => ({ value: { case: "dimValue" as const, value: BigInt(size) } }));
      return create(ValueInfoProtoSchema, {
        name,
        type: { value: { case: "tensorType", value: { elemType: dataTypes[type], shape: { dim } } } },
      });
    };
    const model = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [
        { domain: "", version: 17n },
        { domain: MICROSOFT, version: 1n },
      ],
      producerName: "lowbit bench",
      graph: {
        name: "main",
        node: this.#nodes,
        initializer: this.#initializers,
        input: inputs.map(declare),
        output: outputs.map(declare),
      },
    });
    return new Uint8Array(toBinary(ModelProtoSchema, model));
  }
}
