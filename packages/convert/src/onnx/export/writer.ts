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

/**
 * Operator sets that files are of, with their IR versions: 13, which every runtime reads, and 21, for integers of 4 bits, scales by blocks and normalization of rows. What is
 * written here means the same in both.
 */
const IR_VERSION = { 13: 7n, 21: 10n } as const;

type Attribute = number | { readonly float: number } | { readonly text: string } | readonly number[];

export interface OnnxExportOptions {
  /**
   * `codes` (default): weights stay integers behind DequantizeLinear where that gives the same floats. `floats`: all of them are floats, for runtimes that know no more.
   */
  readonly weights?: "codes" | "floats";
  /**
   * Dense layers of 4 or 8 bits by groups of a power of two from 16 on become com.microsoft's MatMulNBits, which onnxruntime computes on the codes. Default false: standard operators alone.
   */
  readonly contrib?: boolean;
}

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

/** Operators that read integers as places, sizes or masks, which stay integers. */
const READS_INTEGERS: ReadonlySet<string> = new Set(["attention", "embedding", "maskedMean", "slice"]);

/** Nodes and initializers of one ONNX graph. Names stay those of the Graph; what is added between gets a free one. */
export class OnnxWriter {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #taken: Set<string>;
  readonly #integers: ReadonlySet<string>;

  #opset: keyof typeof IR_VERSION = 13;
  #hasContrib = false;

  constructor(
    readonly graph: Graph,
    readonly options: OnnxExportOptions = {},
  ) {
    this.#taken = new Set([...graph.values.keys(), ...graph.constants.keys()]);
    this.#integers = new Set(graph.nodes.flatMap(({ op, inputs }) => (READS_INTEGERS.has(op) ? inputs : [])));
  }

  /** The ONNX type of a value or constant of the graph. */
  typeOf(name: string, dtype: DType): DataType {
    return dtype === "int32" && this.#integers.has(name) ? DataType.INT32 : ELEMENT_TYPE[dtype];
  }

  /** Says that what is written exists from this operator set on. */
  needs(opset: keyof typeof IR_VERSION): void {
    if (opset > this.#opset) this.#opset = opset;
  }

  #free(base: string): string {
    let name = base;
    for (let suffix = 2; this.#taken.has(name); suffix++) name = `${base}_${suffix}`;
    this.#taken.add(name);
    return name;
  }

  /** Adds a node (of another domain: `domain.Operator`); its output is `output`, or a free name made from it and the operator. Returns the output. */
  node(
    opType: string,
    inputs: readonly string[],
    output: string | { readonly near: string },
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const dot = opType.lastIndexOf(".");
    const [domain, type] = [opType.slice(0, Math.max(dot, 0)), opType.slice(dot + 1)];
    this.#hasContrib ||= domain !== "";
    const name = typeof output === "string" ? output : this.#free(`${output.near}/${type}`);
    const attribute = Object.entries(attributes).map(([key, value]) => {
      if (typeof value === "number")
        return create(AttributeProtoSchema, { name: key, type: AttributeType.INT, i: BigInt(value) });
      if ("float" in value)
        return create(AttributeProtoSchema, { name: key, type: AttributeType.FLOAT, f: value.float });
      if ("text" in value)
        return create(AttributeProtoSchema, {
          name: key,
          type: AttributeType.STRING,
          s: new TextEncoder().encode(value.text),
        });
      return create(AttributeProtoSchema, { name: key, type: AttributeType.INTS, ints: value.map(BigInt) });
    });
    this.#nodes.push(
      create(NodeProtoSchema, { opType: type, domain, name, input: [...inputs], output: [name], attribute }),
    );
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
    const type = this.typeOf(name, dtype);
    const isSum = dtype === "int32" && type === DataType.FLOAT;
    this.#store(name, type, shape, isSum ? Float32Array.from(data as Int32Array) : data);
  }

  #store(name: string, dataType: DataType, shape: readonly number[], data: ArrayBufferView): void {
    const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
    this.#initializers.push(create(TensorProtoSchema, { name, dataType, dims: shape.map(BigInt), rawData }));
  }

  /** Stores a constant as elements of another type, those of 4 bits two to a byte, the first in the low half. */
  typed(base: string, dataType: DataType, { shape, data }: PlainConstant): string {
    if (dataType !== DataType.INT4 && dataType !== DataType.UINT4) return this.initializer(base, dataType, shape, data);
    this.needs(21);
    const codes = data as Int8Array | Uint8Array;
    const pairs = Uint8Array.from(
      { length: Math.ceil(codes.length / 2) },
      (_, i) => (codes[2 * i]! & 15) | (((codes[2 * i + 1] ?? 0) & 15) << 4),
    );
    return this.initializer(base, dataType, shape, pairs);
  }

  floats(base: string, shape: readonly number[], data: ArrayLike<number>): string {
    return this.initializer(base, DataType.FLOAT, shape, Float32Array.from(data));
  }

  /** One int64. */
  scalar(base: string, value: number): string {
    return this.initializer(base, DataType.INT64, [], BigInt64Array.of(BigInt(value)));
  }

  integers(base: string, values: readonly number[]): string {
    return this.initializer(base, DataType.INT64, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** The file. */
  encode(): Uint8Array<ArrayBuffer> {
    const { name, inputs, outputs, values } = this.graph;
    const declare = (value: string) => {
      const { dtype, shape } = values.get(value)!;
      return valueInfo(value, this.typeOf(value, dtype), shape);
    };
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION[this.#opset],
      opsetImport: [
        { domain: "", version: BigInt(this.#opset) },
        ...(this.#hasContrib ? [{ domain: "com.microsoft", version: 1n }] : []),
      ],
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

function valueInfo(name: string, elemType: DataType, shape: ValueInfo["shape"]): ValueInfoProto {
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
