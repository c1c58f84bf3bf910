import { create, toBinary } from "@bufbuild/protobuf";
import type { DType, Graph, PlainConstant, ValueInfo } from "lowbit";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../generated/onnx_pb.ts";

/** Operator set 13 with its IR version: every operator here in its plain form, read by every runtime. */
export const OPSET = 13n;
const IR_VERSION = 7n;

type Attribute = number | { readonly float: number } | readonly number[];

/** What values of each dtype are in ONNX. Bits, trits and 32-bit sums become floats that hold the same numbers. */
export const ELEMENT_TYPE: Readonly<Record<DType, DataType>> = {
  f32: DataType.FLOAT,
  f16: DataType.FLOAT16,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  int32: DataType.FLOAT,
  int64: DataType.INT64,
  bool: DataType.BOOL,
  f64: DataType.DOUBLE,
  int16: DataType.INT16,
  uint16: DataType.UINT16,
  uint32: DataType.UINT32,
  uint64: DataType.UINT64,
  bit: DataType.FLOAT,
  trit: DataType.FLOAT,
};

/** Nodes and initializers of one ONNX graph. Names stay those of the Graph; what is added between gets a free one. */
export class OnnxWriter {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #taken: Set<string>;

  constructor(readonly graph: Graph) {
    this.#taken = new Set([...graph.values.keys(), ...graph.constants.keys()]);
  }

  #free(base: string): string {
    let name = base;
    for (let suffix = 2; this.#taken.has(name); suffix++) name = `${base}_${suffix}`;
    this.#taken.add(name);
    return name;
  }

  /** Adds a node; its output is `output`, or a free name made from it and the operator. Returns the output. */
  node(
    opType: string,
    inputs: readonly string[],
    output: string | { readonly near: string },
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const name = typeof output === "string" ? output : this.#free(`${output.near}/${opType}`);
    const attribute = Object.entries(attributes).map(([key, value]) => {
      if (typeof value === "number")
        return create(AttributeProtoSchema, { name: key, type: AttributeType.INT, i: BigInt(value) });
      if ("float" in value)
        return create(AttributeProtoSchema, { name: key, type: AttributeType.FLOAT, f: value.float });
      return create(AttributeProtoSchema, { name: key, type: AttributeType.INTS, ints: value.map(BigInt) });
    });
    this.#nodes.push(create(NodeProtoSchema, { opType, name, input: [...inputs], output: [name], attribute }));
    return name;
  }

  /** Stores an initializer under a free name made from `base`. */
  initializer(base: string, dataType: DataType, shape: readonly number[], data: ArrayBufferView): string {
    const name = this.#free(base);
    this.#store(name, dataType, shape, data);
    return name;
  }

  /** Stores a plain constant under its own name. */
  constant(name: string, { dtype, shape, data }: PlainConstant): void {
    const floats = dtype === "int32" ? Float32Array.from(data as Int32Array) : data;
    this.#store(name, ELEMENT_TYPE[dtype], shape, floats);
  }

  #store(name: string, dataType: DataType, shape: readonly number[], data: ArrayBufferView): void {
    const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
    this.#initializers.push(create(TensorProtoSchema, { name, dataType, dims: shape.map(BigInt), rawData }));
  }

  floats(base: string, shape: readonly number[], data: ArrayLike<number>): string {
    return this.initializer(base, DataType.FLOAT, shape, Float32Array.from(data));
  }

  integers(base: string, values: readonly number[]): string {
    return this.initializer(base, DataType.INT64, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** The file. */
  encode(): Uint8Array<ArrayBuffer> {
    const { name, inputs, outputs, values } = this.graph;
    const declare = (value: string) => valueInfo(value, values.get(value)!);
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      opsetImport: [{ domain: "", version: OPSET }],
      producerName: "lowbit",
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: inputs.map(declare),
        output: outputs.map(declare),
      },
    });
    return new Uint8Array(toBinary(ModelProtoSchema, model));
  }
}

function valueInfo(name: string, { dtype, shape }: ValueInfo): ValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === "string"
      ? { value: { case: "dimParam" as const, value: size } }
      : { value: { case: "dimValue" as const, value: BigInt(size) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: ELEMENT_TYPE[dtype], shape: { dim } } } },
  });
}
