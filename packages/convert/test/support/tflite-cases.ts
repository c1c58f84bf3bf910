/** Networks of one TFLite operator each, with inputs: what LiteRT answers stands in golden/tflite-operators.json. */
import type { TensorDType } from "lowbit";
import { RandomData } from "../../../core/src/testing/random-data.ts";
import { f32, int8, int32, type Options, type TensorSpec, TfliteBuilder } from "./tflite.ts";

export interface TfliteCase {
  readonly name: string;
  readonly file: Uint8Array;
  readonly inputs: readonly {
    readonly dtype: TensorDType;
    readonly shape: readonly number[];
    readonly data: ArrayBufferView;
  }[];
}

type Type = "FLOAT32" | "INT8" | "UINT8" | "INT16";

/** Scale and zero point of the k-th tensor of a case: different ones, and not round. */
const quantized = (type: Type, k: number): Partial<TensorSpec> => {
  if (type === "FLOAT32") return { type };
  if (type === "INT16") return { type, scale: Math.fround((0.02 + 0.013 * k) / 200), zeroPoint: 0 };
  const zeroPoint = [3, -11, 17][k % 3]! + (type === "UINT8" ? 128 : 0);
  return { type, scale: Math.fround(0.02 + 0.013 * k), zeroPoint };
};

/** Fixed parameters of outputs that LiteRT wants so. */
const UNIT = {
  INT8: { scale: 1 / 256, zeroPoint: -128 },
  UINT8: { scale: 1 / 256, zeroPoint: 0 },
  INT16: { scale: 1 / 32768, zeroPoint: 0 },
};
const TANH = { INT8: { scale: 1 / 128, zeroPoint: 0 }, UINT8: { scale: 1 / 128, zeroPoint: 128 }, INT16: UNIT.INT16 };

class CaseBuilder extends TfliteBuilder {
  readonly inputs: number[] = [];
  readonly data: TfliteCase["inputs"][number][] = [];

  constructor(
    readonly type: Type,
    readonly random: RandomData,
  ) {
    super();
  }

  input(shape: readonly number[], like: Partial<TensorSpec> = quantized(this.type, this.inputs.length)): number {
    const index = this.tensor({ name: `x${this.inputs.length}`, ...like, shape });
    const count = shape.reduce((product, size) => product * size, 1);
    const bytes = (low: number) => Array.from({ length: count }, () => low + this.random.below(256));
    if (this.type === "FLOAT32")
      this.data.push({
        dtype: "f32",
        shape,
        data: Float32Array.from({ length: count }, () => 4 * this.random.uniform() - 2),
      });
    else if (this.type === "INT16")
      this.data.push({
        dtype: "int16",
        shape,
        data: Int16Array.from({ length: count }, () => this.random.between(-32768, 32767)),
      });
    else if (this.type === "INT8") this.data.push({ dtype: "int8", shape, data: Int8Array.from(bytes(-128)) });
    else this.data.push({ dtype: "uint8", shape, data: Uint8Array.from(bytes(0)) });
    this.inputs.push(index);
    return index;
  }

  /** Weights [O, ...] and bias of the layer over `x`'s scale; for int8 with a scale per channel along `axis`. */
  layer(shape: readonly number[], axis = 0): readonly [weights: number, bias: number] {
    const count = shape.reduce((product, size) => product * size, 1);
    const channels = shape[axis]!;
    if (this.type === "FLOAT32") {
      const floats = (length: number) => Float32Array.from({ length }, () => this.random.uniform() - 0.5);
      return [this.tensor({ shape, data: floats(count) }), this.tensor({ shape: [channels], data: floats(channels) })];
    }
    const xScale = quantized(this.type, 0).scale as number;
    const scale =
      this.type !== "UINT8"
        ? Array.from({ length: channels }, (_, c) => Math.fround(0.003 + 0.0007 * c))
        : [Math.fround(0.007)];
    const data =
      this.type !== "UINT8"
        ? Int8Array.from({ length: count }, () => this.random.between(-127, 127))
        : Uint8Array.from({ length: count }, () => this.random.below(256));
    const bias = Int32Array.from({ length: channels }, () => this.random.between(-3000, 3000));
    return [
      this.tensor({
        type: this.type === "INT16" ? "INT8" : this.type,
        shape,
        data,
        scale,
        zeroPoint: this.type !== "UINT8" ? scale.map(() => 0) : [113],
        axis,
      }),
      this.tensor({
        type: this.type === "INT16" ? "INT64" : "INT32",
        shape: [channels],
        data: this.type === "INT16" ? BigInt64Array.from(bias, (value) => 100n * BigInt(value)) : bias,
        scale: scale.map((own) => Math.fround(own * xScale)),
        zeroPoint: scale.map(() => 0),
      }),
    ];
  }
}

const SAME = int8(0);
const VALID = int8(1);
const RELU = int8(1);
const RELU6 = int8(3);

type Make = (b: CaseBuilder, out: (shape: readonly number[], like?: Partial<TensorSpec>) => TensorSpec) => number;

const unary =
  (type: string, options: Options = {}, own?: Readonly<Record<Exclude<Type, "FLOAT32">, Partial<TensorSpec>>>): Make =>
  (b, out) =>
    b.operator(
      type,
      [b.input([2, 5, 4, 3])],
      out([2, 5, 4, 3], b.type === "FLOAT32" ? {} : own ? { type: b.type, ...own[b.type] } : quantized(b.type, 1)),
      options,
    );

const binary =
  (type: string, activation = int8(0), second: readonly number[] = [2, 5, 4, 3]): Make =>
  (b, out) =>
    b.operator(type, [b.input([2, 5, 4, 3]), b.input(second)], out([2, 5, 4, 3]), { 0: activation });

/** Of numbers that are not negative. */
const ofSquares =
  (type: string): Make =>
  (b, out) => {
    const square = b.operator("SQUARE", [b.input([2, 5, 4, 3])], { shape: [2, 5, 4, 3] });
    return b.operator(type, [square], out([2, 5, 4, 3]));
  };

const reducing =
  (type: string, axes: readonly number[], shape: readonly number[], keep: boolean): Make =>
  (b, out) =>
    b.operator(type, [b.input([2, 5, 4, 3]), b.ints(axes)], out(shape), { 0: int8(keep ? 1 : 0) });

/** Moves elements: output and input stand for the same numbers. */
const moving =
  (type: string, shape: readonly number[], second?: (b: CaseBuilder) => number, options: Options = {}): Make =>
  (b, out) =>
    b.operator(
      type,
      [b.input([2, 4, 6, 3]), ...(second ? [second(b)] : [])],
      out(shape, quantized(b.type, 0)),
      options,
    );

const conv =
  (weights: readonly number[], output: readonly number[], options: Options, input = [2, 7, 6, 4]): Make =>
  (b, out) => {
    const x = b.input(input);
    return b.operator("CONV_2D", [x, ...b.layer(weights)], out(output), options);
  };

const depthwise =
  (multiplier: number, output: readonly number[], options: Options): Make =>
  (b, out) => {
    const x = b.input([1, 7, 6, 4]);
    return b.operator("DEPTHWISE_CONV_2D", [x, ...b.layer([1, 3, 3, 4 * multiplier], 3)], out(output), {
      3: int32(multiplier),
      ...options,
    });
  };

const dense =
  (input: readonly number[], output: readonly number[], options: Options): Make =>
  (b, out) => {
    const x = b.input(input);
    return b.operator("FULLY_CONNECTED", [x, ...b.layer([5, 24])], out(output), options);
  };

const pool =
  (type: string, padding: { int8: number }, output: readonly number[], activation = int8(0)): Make =>
  (b, out) =>
    b.operator(type, [b.input([2, 7, 6, 4])], out(output, quantized(b.type, 0)), {
      ...{ 0: padding, 1: int32(2), 2: int32(2), 3: int32(3), 4: int32(2), 5: activation },
    });

const ALL: readonly Type[] = ["FLOAT32", "INT8", "UINT8"];
/** And int16 by int8, which is computed on floats. */
const WIDE: readonly Type[] = [...ALL, "INT16"];
const FLOAT: readonly Type[] = ["FLOAT32"];
const SIGNED: readonly Type[] = ["FLOAT32", "INT8"];

const windowOf = (
  padding: { int8: number },
  stride: number,
  dilation: number,
  activation: { int8: number },
  at = 3,
): Options => ({
  ...{
    0: padding,
    1: int32(stride),
    2: int32(stride),
    [at]: activation,
    [at + 1]: int32(dilation),
    [at + 2]: int32(dilation),
  },
});

const MAKERS: readonly (readonly [name: string, types: readonly Type[], make: Make])[] = [
  ["conv same relu", WIDE, conv([6, 3, 3, 4], [2, 7, 6, 6], windowOf(SAME, 1, 1, RELU))],
  ["conv same stride 2", ALL, conv([6, 3, 3, 4], [2, 4, 3, 6], windowOf(SAME, 2, 1, int8(0)))],
  ["conv valid dilated relu6", WIDE, conv([6, 3, 2, 4], [2, 3, 4, 6], windowOf(VALID, 1, 2, RELU6))],
  ["conv 1x1", ALL, conv([9, 1, 1, 4], [2, 7, 6, 9], windowOf(VALID, 1, 1, int8(0)))],
  ["conv grouped", FLOAT, conv([6, 3, 3, 2], [2, 7, 6, 6], windowOf(SAME, 1, 1, RELU))],
  ["depthwise same relu6", WIDE, depthwise(1, [1, 7, 6, 4], windowOf(SAME, 1, 1, RELU6, 4))],
  ["depthwise stride 2, multiplier 2", ALL, depthwise(2, [1, 3, 2, 8], windowOf(VALID, 2, 1, int8(0), 4))],
  ["dense relu", WIDE, dense([3, 24], [3, 5], { 0: RELU })],
  ["dense of an image", ALL, dense([2, 2, 4, 3], [2, 5], {})],
  ["dense keeping dims", SIGNED, dense([2, 3, 24], [2, 3, 5], { 2: int8(1) })],
  [
    "batch matmul",
    FLOAT,
    (b, out) => b.operator("BATCH_MATMUL", [b.input([2, 3, 4]), b.input([2, 5, 4])], out([2, 3, 5]), { 1: int8(1) }),
  ],
  ["add relu", WIDE, binary("ADD", RELU)],
  ["add broadcast", ALL, binary("ADD", int8(0), [3])],
  ["sub", ALL, binary("SUB")],
  ["mul relu6", WIDE, binary("MUL", RELU6)],
  ["div", FLOAT, binary("DIV")],
  ["squared difference", FLOAT, binary("SQUARED_DIFFERENCE")],
  ["square", FLOAT, unary("SQUARE")],
  ["neg", FLOAT, unary("NEG")],
  ["relu", ALL, unary("RELU")],
  ["relu6", ALL, unary("RELU6")],
  ["leaky relu", SIGNED, unary("LEAKY_RELU", { 0: f32(0.3) })],
  [
    "prelu",
    FLOAT,
    (b, out) =>
      b.operator(
        "PRELU",
        [b.input([2, 5, 4, 3]), b.tensor({ shape: [1, 1, 3], data: Float32Array.of(0.1, -0.5, 2) })],
        out([2, 5, 4, 3]),
      ),
  ],
  ["logistic", WIDE, unary("LOGISTIC", {}, UNIT)],
  ["tanh", WIDE, unary("TANH", {}, TANH)],
  ["hard swish", SIGNED, unary("HARD_SWISH")],
  ["softmax", WIDE, unary("SOFTMAX", { 0: f32(1) }, UNIT)],
  ["softmax beta", ALL, unary("SOFTMAX", { 0: f32(2.5) }, UNIT)],
  ["max pool same", WIDE, pool("MAX_POOL_2D", SAME, [2, 4, 3, 4])],
  ["max pool valid", ALL, pool("MAX_POOL_2D", VALID, [2, 3, 2, 4])],
  ["average pool same", ALL, pool("AVERAGE_POOL_2D", SAME, [2, 4, 3, 4])],
  ["average pool valid relu", WIDE, pool("AVERAGE_POOL_2D", VALID, [2, 3, 2, 4], RELU)],
  ["mean over the image", SIGNED, (b, out) => b.operator("MEAN", [b.input([2, 5, 4, 3]), b.ints([1, 2])], out([2, 3]))],
  ["reshape", WIDE, moving("RESHAPE", [8, 18], (b) => b.ints([8, -1]))],
  ["squeeze", FLOAT, (b, out) => b.operator("SQUEEZE", [b.input([2, 1, 5, 1])], out([2, 5]))],
  ["expand dims", ALL, moving("EXPAND_DIMS", [2, 4, 6, 1, 3], (b) => b.ints([-2]))],
  ["transpose", ALL, moving("TRANSPOSE", [2, 3, 4, 6], (b) => b.ints([0, 3, 1, 2]))],
  ["pad", WIDE, moving("PAD", [2, 7, 7, 3], (b) => b.ints([0, 0, 1, 2, 0, 1, 0, 0], [4, 2]))],
  [
    "concatenation",
    ALL,
    (b, out) =>
      b.operator(
        "CONCATENATION",
        [b.input([2, 4, 3], quantized(b.type, 0)), b.input([2, 2, 3], quantized(b.type, 0))],
        out([2, 6, 3], quantized(b.type, 0)),
        { 0: int32(1) },
      ),
  ],
  [
    "concatenation of scales",
    ["UINT8"],
    (b, out) => b.operator("CONCATENATION", [b.input([2, 4, 3]), b.input([2, 2, 3])], out([2, 6, 3]), { 0: int32(-2) }),
  ],
  [
    "pack",
    FLOAT,
    (b, out) => b.operator("PACK", [b.input([2, 4]), b.input([2, 4])], out([2, 2, 4]), { 0: int32(2), 1: int32(1) }),
  ],
  [
    "slice",
    ALL,
    (b, out) =>
      b.operator(
        "SLICE",
        [b.input([2, 4, 6, 3]), b.ints([0, 1, 2, 0]), b.ints([2, 2, -1, 3])],
        out([2, 2, 4, 3], quantized(b.type, 0)),
      ),
  ],
  [
    "strided slice",
    ALL,
    (b, out) =>
      b.operator(
        "STRIDED_SLICE",
        [b.input([2, 4, 6, 3]), b.ints([0, -1, 5, 1]), b.ints([0, 0, 0, 3]), b.ints([1, 1, -2, 1])],
        out([2, 3, 2], quantized(b.type, 0)),
        { 0: int32(1), 1: int32(5), 4: int32(2) },
      ),
  ],
  ["quantize again", ["INT8", "INT16"], unary("QUANTIZE")],
  [
    "dequantize",
    ["INT8", "UINT8", "INT16"],
    (b) => b.operator("DEQUANTIZE", [b.input([2, 5])], { type: "FLOAT32", shape: [2, 5] }),
  ],
  ...["ABS", "COS", "EXP", "FLOOR", "SIN"].map((type) => [type.toLowerCase(), FLOAT, unary(type)] as const),
  ...["LOG", "SQRT", "RSQRT"].map((type) => [type.toLowerCase(), FLOAT, ofSquares(type)] as const),
  ["gelu", FLOAT, unary("GELU", { 0: int8(0) })],
  ["gelu by tanh", FLOAT, unary("GELU", { 0: int8(1) })],
  ["maximum", FLOAT, binary("MAXIMUM", int8(0), [3])],
  ["minimum", FLOAT, binary("MINIMUM")],
  ...["MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"].map(
    (type) => [`${type.toLowerCase()} of the last axis`, FLOAT, reducing(type, [-1], [2, 5, 4, 1], true)] as const,
  ),
  ["mean of two axes", FLOAT, reducing("MEAN", [0, 2], [5, 3], false)],
  [
    "gather",
    FLOAT,
    (b, out) => b.operator("GATHER", [b.input([2, 4, 6, 3]), b.ints([3, 0, 3])], out([2, 3, 6, 3]), { 0: int32(1) }),
  ],
  [
    "pow",
    FLOAT,
    (b, out) => {
      const square = b.operator("SQUARE", [b.input([2, 5, 4, 3])], { shape: [2, 5, 4, 3] });
      return b.operator("POW", [square, b.input([3])], out([2, 5, 4, 3]));
    },
  ],
  [
    "embedding lookup",
    FLOAT,
    (b, out) => b.operator("EMBEDDING_LOOKUP", [b.ints([4, 0, 4]), b.input([5, 3])], out([3, 3])),
  ],
];

/** Every case in every type that it has. */
export function tfliteCases(): TfliteCase[] {
  return MAKERS.flatMap(([name, types, make], index) =>
    types.map((type) => {
      const b = new CaseBuilder(type, new RandomData(1000 + index));
      const output = make(b, (shape, like = quantized(type, 2)) => ({ name: "y", ...like, shape }));
      return { name: `${name}, ${type.toLowerCase()}`, file: b.build(b.inputs, [output]), inputs: b.data };
    }),
  );
}
