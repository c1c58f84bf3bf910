/**
 * Writes `.tflite` files: the few tables and operators that the networks and layers here need. The schema is TensorFlow's
 * `schema.fbs`, version 3; each table below names its fields by slot, that is in the order of that file.
 */
import { Builder, type Offset } from "flatbuffers";

/** Values of the enum `TensorType`. */
const types = { f32: 0, int32: 2, uint8: 3, int8: 9, int4: 17 } as const;
export type TfliteType = keyof typeof types;

/** real = (q - zeroPoint) * scale; several scales belong to the slices along `axis`. */
export interface TfliteQuantization {
  readonly scale: number | Float32Array;
  readonly zeroPoint?: number;
  readonly axis?: number;
}

export interface TfliteTensor {
  readonly type: TfliteType;
  readonly shape: readonly number[];
  /** Of a constant: its elements, int4 two in a byte, the first in the low half. */
  readonly data?: ArrayBufferView;
  readonly quantization?: TfliteQuantization | undefined;
}

/** Values of the enum `ActivationFunctionType`. */
const activations = { none: 0, relu: 1, relu6: 3 } as const;
export type Activation = keyof typeof activations;

/** A window and how it moves; TensorFlow knows no other paddings. */
export interface TfliteWindow {
  readonly padding: "same" | "valid";
  readonly stride: number;
}

type Field = readonly [slot: number, kind: "int8" | "int32" | "f32" | "offset", value: number];

/** Enum `BuiltinOperator`, the operator's version for f32 / 8-bit tensors, and its options in the union `BuiltinOptions`. */
interface Operator {
  readonly code: number;
  readonly version: number;
  readonly options: number;
  readonly fields: readonly Field[];
}

const windowFields = ({ padding, stride }: TfliteWindow): Field[] => [
  [0, "int8", padding === "same" ? 0 : 1],
  [1, "int32", stride],
  [2, "int32", stride],
];

export const operators = {
  /** x, weights [O, kh, kw, C], bias [O] */
  conv2d: (window: TfliteWindow, activation: Activation): Operator => ({
    ...{ code: 3, version: 3, options: 1 },
    fields: [...windowFields(window), [3, "int8", activations[activation]], [4, "int32", 1], [5, "int32", 1]],
  }),
  /** x, weights [1, kh, kw, C], bias [C] */
  depthwiseConv2d: (window: TfliteWindow, activation: Activation): Operator => ({
    ...{ code: 4, version: 3, options: 2 },
    fields: [
      ...windowFields(window),
      ...([
        [3, "int32", 1],
        [4, "int8", activations[activation]],
        [5, "int32", 1],
        [6, "int32", 1],
      ] as const),
    ],
  }),
  /** x [M, K], weights [N, K], bias [N] or absent. `dynamic`: f32 x is quantized row by row for integer weights. */
  fullyConnected: (dynamic = false): Operator => ({
    ...{ code: 9, version: dynamic ? 12 : 4, options: 8 },
    fields: dynamic ? [[3, "int8", 1]] : [],
  }),
  add: (activation: Activation = "none"): Operator => ({
    ...{ code: 0, version: 2, options: 11 },
    fields: [[0, "int8", activations[activation]]],
  }),
  sub: plain(41, 28),
  mul: plain(18, 21),
  div: plain(42, 29),
  squaredDifference: plain(99, 76),
  rsqrt: plain(76),
  sqrt: plain(75),
  /** With the error function, not its approximation. */
  gelu: plain(150, 116),
  /** Along the last axis. */
  softmax: (): Operator => ({ code: 25, version: 1, options: 9, fields: [[0, "f32", 1]] }),
  /** table [N, ...], rows int32 */
  gather: plain(36, 23),
  /** x, axes int32 in their new order */
  transpose: plain(39, 26),
  /** x, axes int32, which stay with size 1 */
  mean: (): Operator => ({ code: 40, version: 1, options: 27, fields: [[0, "int8", 1]] }),
  sum: (): Operator => ({ code: 74, version: 1, options: 27, fields: [[0, "int8", 1]] }),
  /** [..., M, K] by [..., K, N], or by [..., N, K] */
  batchMatMul: ({ transposed }: { readonly transposed: boolean }): Operator => ({
    ...{ code: 126, version: 1, options: 101 },
    fields: [[1, "int8", transposed ? 1 : 0]],
  }),
  averagePool2d: (window: TfliteWindow & { readonly size: number }): Operator => pool(1, window),
  maxPool2d: (window: TfliteWindow & { readonly size: number }): Operator => pool(17, window),
  /** x, shape int32 */
  reshape: (): Operator => ({ code: 22, version: 1, options: 0, fields: [] }),
} as const;

/** An operator whose options stand at their defaults; 0 where it has none. */
function plain(code: number, options = 0): () => Operator {
  return () => ({ code, version: 1, options, fields: [] });
}

const pool = (code: number, window: TfliteWindow & { readonly size: number }): Operator => ({
  ...{ code, version: 2, options: 5 },
  fields: [...windowFields(window), [3, "int32", window.size], [4, "int32", window.size]],
});

interface Placed {
  readonly operator: Operator;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** A model of one subgraph, built up tensor by tensor. */
export class TfliteModel {
  readonly #tensors: TfliteTensor[] = [];
  readonly #operators: Placed[] = [];

  /** @returns its index */
  tensor(tensor: TfliteTensor): number {
    return this.#tensors.push(tensor) - 1;
  }

  /** @param inputs indices of tensors, -1 for an absent one */
  operator(operator: Operator, inputs: readonly number[], outputs: readonly number[]): void {
    this.#operators.push({ operator, inputs, outputs });
  }

  /** The file. */
  encode(inputs: readonly number[], outputs: readonly number[]): Uint8Array<ArrayBuffer> {
    const bytes = this.#tensors.reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0);
    const builder = new Builder(bytes + 2 ** 16);
    const constants = this.#tensors.flatMap(({ data }) => (data ? [data] : []));
    // Buffer 0 is empty by convention; it is that of every tensor that is computed.
    const buffers = vector(builder, [table(builder, 3, []), ...constants.map((data) => buffer(builder, data))]);
    let next = 1;
    const tensors = this.#tensors.map((each, i) => tensorTable(builder, `t${i}`, each, each.data ? next++ : 0));
    const codes = [...new Set(this.#operators.map(({ operator }) => `${operator.code} ${operator.version}`))];
    const placed = this.#operators.map((each) =>
      operatorTable(builder, each, codes.indexOf(`${each.operator.code} ${each.operator.version}`)),
    );
    const name = builder.createString("main");
    const subgraph = table(builder, 6, [
      [0, "offset", vector(builder, tensors)],
      [1, "offset", int32s(builder, inputs)],
      [2, "offset", int32s(builder, outputs)],
      [3, "offset", vector(builder, placed)],
      [4, "offset", name],
    ]);
    const operatorCodes = codes.map((key) => {
      const [code = 0, version = 1] = key.split(" ").map(Number);
      // Slot 0 is the old place of the code, which readers of today still compare.
      return table(builder, 4, [
        [0, "int8", code],
        [2, "int32", version],
        [3, "int32", code],
      ]);
    });
    const model = table(builder, 10, [
      [0, "int32", 3],
      [1, "offset", vector(builder, operatorCodes)],
      [2, "offset", vector(builder, [subgraph])],
      [3, "offset", builder.createString("lowbit bench")],
      [4, "offset", buffers],
    ]);
    builder.finish(model, "TFL3");
    return builder.asUint8Array().slice();
  }
}

function table(builder: Builder, slots: number, fields: readonly Field[]): Offset {
  builder.startObject(slots);
  for (const [slot, kind, value] of fields) {
    if (kind === "int8") builder.addFieldInt8(slot, value, 0);
    else if (kind === "int32") builder.addFieldInt32(slot, value, 0);
    else if (kind === "f32") builder.addFieldFloat32(slot, value, 0);
    else builder.addFieldOffset(slot, value, 0);
  }
  return builder.endObject();
}

/** A vector is written from its end. */
function vector(builder: Builder, offsets: readonly Offset[]): Offset {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

function int32s(builder: Builder, values: readonly number[]): Offset {
  builder.startVector(4, values.length, 4);
  for (const value of values.toReversed()) builder.addInt32(value);
  return builder.endVector();
}

/** The schema wants the data of a buffer on a multiple of 16. */
function buffer(builder: Builder, { buffer, byteOffset, byteLength }: ArrayBufferView): Offset {
  builder.prep(16, byteLength);
  const data = builder.createByteVector(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  return table(builder, 3, [[0, "offset", data]]);
}

function quantizationTable(builder: Builder, { scale, zeroPoint = 0, axis = 0 }: TfliteQuantization): Offset {
  const scales = typeof scale === "number" ? Float32Array.of(scale) : scale;
  builder.startVector(4, scales.length, 4);
  for (const value of scales.toReversed()) builder.addFloat32(value);
  const scaleVector = builder.endVector();
  builder.startVector(8, scales.length, 8);
  for (let i = 0; i < scales.length; i++) builder.addInt64(BigInt(zeroPoint));
  const zeroPoints = builder.endVector();
  return table(builder, 7, [
    [2, "offset", scaleVector],
    [3, "offset", zeroPoints],
    [6, "int32", axis],
  ]);
}

function tensorTable(
  builder: Builder,
  name: string,
  { type, shape, quantization }: TfliteTensor,
  data: number,
): Offset {
  const parts = [
    int32s(builder, shape),
    builder.createString(name),
    quantization ? quantizationTable(builder, quantization) : 0,
  ] as const;
  return table(builder, 11, [
    [0, "offset", parts[0]],
    [1, "int8", types[type]],
    [2, "int32", data],
    [3, "offset", parts[1]],
    [4, "offset", parts[2]],
  ]);
}

function operatorTable(builder: Builder, { operator, inputs, outputs }: Placed, code: number): Offset {
  const [x, y] = [int32s(builder, inputs), int32s(builder, outputs)];
  // The slots of the options' own tables are at most 7.
  const options = operator.options === 0 ? 0 : table(builder, 7, operator.fields);
  return table(builder, 14, [
    [0, "int32", code],
    [1, "offset", x],
    [2, "offset", y],
    [3, "int8", operator.options],
    [4, "offset", options],
  ]);
}

/** int4 values (-8..7), two in a byte, the first in the low half. */
export function packNibbles(values: ArrayLike<number>): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i++) packed[i >> 1]! |= ((values[i] as number) & 15) << ((i & 1) * 4);
  return packed;
}
