/** What a runtime of another kind gets for a product or a convolution, whatever its file format. */
import { columns, rowLength, stepFor } from "../cases/product.ts";
import type { Answer } from "../engine.ts";
import { type Conv, type Gemm, samePads } from "../task.ts";
import type { TypedArray, Values } from "../values.ts";

export type OutputArray =
  | Float32ArrayConstructor
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int32ArrayConstructor;

/** A model of one layer, the input it takes, and what its output says. */
export interface LayerModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Row-major, in the model's own layout. */
  readonly input: TypedArray;
  /** Kind of the output's elements. */
  readonly output: OutputArray;
  answer(output: TypedArray): Answer;
}

export type Product = Gemm | Conv;

/** Integers that fit into int8, as they are. */
export const isInt8 = (values: Values): boolean => values !== "f32" && values !== "uint8";

/** Weights of at most four bits. */
export const isInt4 = (values: Values): boolean => ["sign", "trit", "int2", "int4", "odd2", "odd3"].includes(values);

/** One unit of an int8 output in sums: the task's own where it asks for int8. */
export const stepOf = (task: Product): number =>
  task.y.kind === "int8" ? task.y.step : stepFor(task.x, task.w, rowLength(task));

/**
 * int8 outputs of a runtime that rounds as we do are the task's int8 result; of another task they are sums, cut to steps and saturated.
 */
export function int8Answer(task: Product, output: Int8Array): Answer {
  if (task.y.kind === "int8") return { kind: "exact", data: output };
  const step = stepOf(task);
  return {
    kind: "sums",
    data: Float64Array.from(output, (q) => q * step),
    tolerance: step / 2,
    range: [-128 * step, 127 * step],
  };
}

const largest: Readonly<Record<Values, number>> = {
  ...{ sign: 1, trit: 1, int2: 2, int4: 8, int8: 128, uint8: 255, weight8: 127, odd2: 3, odd3: 7, f32: 1 },
};

/** Float sums: exact where every partial sum fits into 24 bits, else some roundings away from the naive ones. */
export function floatAnswer(task: Product, output: Float32Array): Answer {
  const sum = rowLength(task) * largest[task.x] * largest[task.w];
  const isExact = task.x !== "f32" && task.w !== "f32" && sum <= 2 ** 24;
  return { kind: "sums", data: output, tolerance: isExact ? 0 : sum * 2 ** -20 };
}

/**
 * Sums of a runtime that quantizes activations by itself, row by row: a code of x is up to half a step off, and so is the zero point.
 * Eight standard deviations of a sum of such errors.
 */
export function dynamicAnswer(task: Product, output: Float32Array): Answer {
  const step = task.x === "f32" ? 2 / 255 : 1;
  return { kind: "sums", data: output, tolerance: 8 * step * largest[task.w] * Math.sqrt(rowLength(task)) };
}

/** Whether the padding is TensorFlow's SAME, the only one (but none) that its convolutions know. */
export const isSame = ({ height, width, kernel, stride, pads }: Conv): boolean =>
  samePads([height, width], kernel, stride).every((pad, i) => pad === pads[i]);

/** Channels last to channels first, of one image. */
export function toNchw<T extends TypedArray>(x: T, channels: number): T {
  const pixels = x.length / channels;
  const y = new (x.constructor as new (length: number) => T)(x.length);
  for (let p = 0; p < pixels; p++) for (let c = 0; c < channels; c++) y[c * pixels + p] = x[p * channels + c]!;
  return y;
}

/** Channels first to channels last, of one image: a matrix transposed the other way. */
export const toNhwc = <T extends TypedArray>(x: T, channels: number): T => toNchw(x, x.length / channels);

/** Rows of w as columns, [n, k] to [k, n]. */
export const transposedWeights = <T extends TypedArray>(task: Product, w: T): T => toNchw(w, rowLength(task));

/** [O, kh, kw, C] to [O, C, kh, kw]. */
export function weightsOihw<T extends TypedArray>({ kernel, outputs, channels, groups }: Conv, w: T): T {
  const y = new (w.constructor as new (length: number) => T)(w.length);
  const [taps, depth] = [kernel[0] * kernel[1], channels / groups];
  for (let o = 0; o < outputs; o++)
    for (let t = 0; t < taps; t++)
      for (let c = 0; c < depth; c++) y[(o * depth + c) * taps + t] = w[(o * taps + t) * depth + c]!;
  return y;
}

export const floats = (values: TypedArray): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values as Int8Array);

/** One scale for every output. */
export const ones = (task: Product): Float32Array => new Float32Array(columns(task)).fill(1);
