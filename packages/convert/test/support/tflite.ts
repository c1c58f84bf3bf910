/** Small TFLite files for tests, written tensor by tensor with the library of FlatBuffers; slots as in `schema.fbs`. */
import { Builder, type Offset } from "flatbuffers";
import { BUILTIN_OPERATORS, TensorType } from "../../src/tflite/schema.ts";

export interface TensorSpec {
  readonly name?: string;
  readonly type?: keyof typeof TensorType;
  readonly shape: readonly number[];
  /** -1 for an open size. */
  readonly signature?: readonly number[];
  readonly data?: ArrayBufferView;
  readonly scale?: number | readonly number[];
  readonly zeroPoint?: number | readonly number[];
  readonly axis?: number;
}

/** Fields of an options' table by slot. */
export type Options = Readonly<
  Record<number, { readonly int32: number } | { readonly int8: number } | { readonly f32: number }>
>;

interface OperatorSpec {
  readonly type: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: Options;
  readonly custom: Uint8Array | undefined;
}

export const int32 = (value: number) => ({ int32: value });
export const int8 = (value: number) => ({ int8: value });
export const f32 = (value: number) => ({ f32: value });

/** Member of the union `BuiltinOptions` by operator; LiteRT looks at it, for those whose options matter. */
const UNION: Readonly<Record<string, number>> = {
  ...{ CONV_2D: 1, DEPTHWISE_CONV_2D: 2, MAX_POOL_2D: 5, AVERAGE_POOL_2D: 5, FULLY_CONNECTED: 8, SOFTMAX: 9 },
  ...{
    CONCATENATION: 10,
    ADD: 11,
    MUL: 21,
    MEAN: 27,
    SUB: 28,
    DIV: 29,
    SQUEEZE: 30,
    STRIDED_SLICE: 32,
    PACK: 59,
    LEAKY_RELU: 75,
  },
  ...{ GATHER: 23, BATCH_MATMUL: 101, GELU: 116 },
  ...{ SUM: 27, REDUCE_MAX: 27, REDUCE_MIN: 27, REDUCE_PROD: 27 },
};

export class TfliteBuilder {
  readonly #tensors: TensorSpec[] = [];
  readonly #operators: OperatorSpec[] = [];

  /** @returns its index */
  tensor(spec: TensorSpec): number {
    return this.#tensors.push(spec) - 1;
  }

  /** A constant vector or matrix of int32. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): number {
    return this.tensor({ type: "INT32", shape, data: Int32Array.from(values) });
  }

  /** Adds an operator, builtin or (where `custom` is given) not; returns its output. */
  operator(
    type: string,
    inputs: readonly number[],
    output: TensorSpec,
    options: Options = {},
    custom?: Uint8Array,
  ): number {
    const index = this.tensor({ name: `${type.toLowerCase()}_${this.#operators.length}`, ...output });
    this.#operators.push({ type, inputs, outputs: [index], options, custom });
    return index;
  }

  build(inputs: readonly number[], outputs: readonly number[]): Uint8Array {
    const builder = new Builder(4096);
    const buffers = [table(builder, [])];
    const tensors = this.#tensors.map((spec, index) => {
      const buffer = spec.data ? buffers.push(table(builder, [["offset", 0, bytesOf(builder, spec.data)]])) - 1 : 0;
      return tensorTable(builder, `t${index}`, spec, buffer);
    });
    const types = [...new Set(this.#operators.map(({ type }) => type))];
    const codes = types.map((type) => operatorCode(builder, type));
    const operators = this.#operators.map((operator) => {
      const options = table(
        builder,
        Object.entries(operator.options).map(([slot, value]) => [
          kindOf(value),
          Number(slot),
          Object.values(value)[0] as number,
        ]),
      );
      return table(builder, [
        ["int32", 0, types.indexOf(operator.type)],
        ["offset", 1, int32s(builder, operator.inputs)],
        ["offset", 2, int32s(builder, operator.outputs)],
        ...(operator.type in UNION
          ? ([
              ["int8", 3, UNION[operator.type]!],
              ["offset", 4, options],
            ] as const)
          : []),
        ...(operator.custom ? [["offset", 5, bytesOf(builder, operator.custom)] as const] : []),
      ]);
    });
    const graph = table(builder, [
      ["offset", 0, offsets(builder, tensors)],
      ["offset", 1, int32s(builder, inputs)],
      ["offset", 2, int32s(builder, outputs)],
      ["offset", 3, offsets(builder, operators)],
    ]);
    const model = table(builder, [
      ["int32", 0, 3],
      ["offset", 1, offsets(builder, codes)],
      ["offset", 2, offsets(builder, [graph])],
      ["offset", 4, offsets(builder, buffers)],
    ]);
    builder.finish(model, "TFL3");
    return builder.asUint8Array().slice();
  }
}

type Entry = readonly [kind: "offset" | "int8" | "int32" | "f32", slot: number, value: number];

const kindOf = (value: object): "int8" | "int32" | "f32" =>
  "int8" in value ? "int8" : "f32" in value ? "f32" : "int32";

function table(builder: Builder, entries: readonly Entry[]): Offset {
  builder.startObject(Math.max(1, ...entries.map(([, slot]) => slot + 1)));
  // A default that no value is: every field is written.
  for (const [kind, slot, value] of entries) {
    if (kind === "offset") builder.addFieldOffset(slot, value, 0);
    else if (kind === "int8") builder.addFieldInt8(slot, value, value + 1);
    else if (kind === "f32") builder.addFieldFloat32(slot, value, Number.NaN);
    else builder.addFieldInt32(slot, value, value + 1);
  }
  return builder.endObject();
}

function vectorOf(
  builder: Builder,
  elementBytes: number,
  count: number,
  addFromBehind: (index: number) => void,
): Offset {
  builder.startVector(elementBytes, count, elementBytes);
  for (let i = count - 1; i >= 0; i--) addFromBehind(i);
  return builder.endVector();
}

const int32s = (builder: Builder, values: readonly number[]): Offset =>
  vectorOf(builder, 4, values.length, (i) => builder.addInt32(values[i]!));
const offsets = (builder: Builder, values: readonly Offset[]): Offset =>
  vectorOf(builder, 4, values.length, (i) => builder.addOffset(values[i]!));

function bytesOf(builder: Builder, data: ArrayBufferView): Offset {
  builder.startVector(1, data.byteLength, 16);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let i = bytes.length - 1; i >= 0; i--) builder.addInt8(bytes[i]!);
  return builder.endVector();
}

function operatorCode(builder: Builder, type: string): Offset {
  const value = BUILTIN_OPERATORS.indexOf(type);
  const code = value >= 0 ? value : BUILTIN_OPERATORS.indexOf("CUSTOM");
  const custom: readonly Entry[] = value >= 0 ? [] : [["offset", 1, builder.createString(type)]];
  return table(builder, [["int8", 0, Math.min(code, 127)], ...custom, ["int32", 2, 1], ["int32", 3, code]]);
}

function tensorTable(builder: Builder, name: string, spec: TensorSpec, buffer: number): Offset {
  const list = (value: number | readonly number[]): readonly number[] => (typeof value === "number" ? [value] : value);
  const entries: Entry[] = [
    ["offset", 0, int32s(builder, spec.shape)],
    ["int8", 1, TensorType[spec.type ?? "FLOAT32"]],
    ["int32", 2, buffer],
    ["offset", 3, builder.createString(spec.name ?? name)],
  ];
  if (spec.signature) entries.push(["offset", 7, int32s(builder, spec.signature)]);
  if (spec.scale !== undefined) {
    const scales = list(spec.scale);
    const zeros = list(spec.zeroPoint ?? 0);
    const scale = vectorOf(builder, 4, scales.length, (i) => builder.addFloat32(scales[i]!));
    const zeroPoint = vectorOf(builder, 8, zeros.length, (i) => builder.addInt64(BigInt(zeros[i]!)));
    entries.push([
      "offset",
      4,
      table(builder, [
        ["offset", 2, scale],
        ["offset", 3, zeroPoint],
        ["int32", 6, spec.axis ?? 0],
      ]),
    ]);
  }
  return table(builder, entries);
}
