/** One product or convolution as a TFLite model, in the forms that LiteRT is fastest at. */

import type { Tensors } from "../case.ts";
import { columns, rowLength } from "../cases/product.ts";
import { outputSize } from "../task.ts";
import type { TypedArray } from "../values.ts";
import {
  dynamicAnswer,
  floatAnswer,
  floats,
  int8Answer,
  isInt4,
  isInt8,
  isSame,
  type LayerModel,
  ones,
  type Product,
  stepOf,
  toNchw,
} from "./layer.ts";
import { operators, packNibbles, TfliteModel, type TfliteTensor } from "./tflite.ts";

/**
 * - `fp32`
 * - `int8`: int8 activations in and out, int8 weights with a scale per output channel
 * - `int4`: f32 activations that the runtime quantizes row by row, 4-bit weights with a scale per output channel
 */
export type TfliteFormat = "fp32" | "int8" | "int4";

/** True, or why a task has no such form. */
export function hasTfliteForm(task: Product, format: TfliteFormat): true | string {
  if (format === "int8" && !(isInt8(task.x) && isInt8(task.w))) return `no int8 form of ${task.x} by ${task.w}`;
  if (format === "int4" && !(task.op === "gemm" && isInt4(task.w))) return "4-bit weights only of a matrix product";
  if (task.op === "gemm") return true;
  if (!isSame(task)) return "padding that TensorFlow does not know";
  return task.groups === 1 || (task.groups === task.channels && task.outputs === task.channels)
    ? true
    : `${task.groups} groups`;
}

/** Weights of 4-bit models are exact multiples of this scale, so that the sums of the task come back. */
export function tfliteLayer(task: Product, tensors: Tensors, format: TfliteFormat): LayerModel {
  const [n, k] = [columns(task), rowLength(task)];
  const [x, w] = [tensors.x as Int8Array | Float32Array, tensors.w as Int8Array | Float32Array];
  const model = new TfliteModel();
  const isDepthwise = task.op === "conv" && task.groups > 1;
  const input = format === "int8" ? x : floats(x);
  const isIntegral = format === "int8";
  const activation = (shape: readonly number[], scale: number): TfliteTensor =>
    isIntegral ? { type: "int8", shape, quantization: { scale } } : { type: "f32", shape };
  const weights = (shape: readonly number[], values: Int8Array | Float32Array): TfliteTensor => {
    const quantization = { scale: ones(task), axis: isDepthwise ? 3 : 0 };
    if (format === "fp32") return { type: "f32", shape, data: floats(values) };
    if (format === "int8") return { type: "int8", shape, data: values, quantization };
    return { type: "int4", shape, data: packNibbles(values), quantization };
  };
  const output = isIntegral ? Int8Array : Float32Array;
  const answer = (output: TypedArray) => {
    if (isIntegral) return int8Answer(task, output as Int8Array);
    return (format === "fp32" ? floatAnswer : dynamicAnswer)(task, output as Float32Array);
  };
  if (task.op === "gemm") {
    const a = model.tensor(activation([task.m, k], 1));
    const y = model.tensor(activation([task.m, n], stepOf(task)));
    model.operator(operators.fullyConnected(format === "int4"), [a, model.tensor(weights([n, k], w)), -1], [y]);
    return { bytes: model.encode([a], [y]), input, output, answer };
  }
  const { height, width, channels, kernel, stride } = task;
  const a = model.tensor(activation([1, height, width, channels], 1));
  const y = model.tensor(activation([1, ...outputSize(task), n], stepOf(task)));
  const bias = model.tensor(
    isIntegral
      ? { type: "int32", shape: [n], data: new Int32Array(n), quantization: { scale: ones(task) } }
      : { type: "f32", shape: [n], data: new Float32Array(n) },
  );
  const window = { padding: "same", stride } as const;
  const shaped = isDepthwise ? weights([1, ...kernel, n], toNchw(w, k)) : weights([n, ...kernel, channels], w);
  const operator = isDepthwise ? operators.depthwiseConv2d(window, "none") : operators.conv2d(window, "none");
  model.operator(operator, [a, model.tensor(shaped), bias], [y]);
  return { bytes: model.encode([a], [y]), input, output, answer };
}
