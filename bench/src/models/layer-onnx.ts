/** One product or convolution as an ONNX model, in the forms that onnxruntime is fastest at. */

import type { Tensors } from "../case.ts";
import { columns, rowLength, rows } from "../cases/product.ts";
import { outputSize } from "../task.ts";
import type { TypedArray } from "../values.ts";
import {
  dynamicAnswer,
  floatAnswer,
  floats,
  int8Answer,
  isInt4,
  isInt8,
  type LayerModel,
  ones,
  type Product,
  stepOf,
  toNchw,
  toNhwc,
  transposedWeights,
  weightsOihw,
} from "./layer.ts";
import { MICROSOFT, OnnxModel, type OnnxType } from "./onnx.ts";

/**
 * - `fp32`
 * - `int8`: QLinearConv, QLinearMatMul or (int32 results) MatMulInteger; activations are uint8 around 128, for int8 ones onnxruntime is an order slower
 * - `nbits4`: MatMulNBits, f32 activations by 4-bit weights in blocks of 32, accuracy level 4 (int8 arithmetic inside)
 */
export type OnnxFormat = "fp32" | "int8" | "nbits4";

/** Weights in a block of MatMulNBits. */
const BLOCK = 32;

/** True, or why a task has no such form. */
export function hasOnnxForm(task: Product, format: OnnxFormat): true | string {
  if (format === "int8" && !(isInt8(task.x) && isInt8(task.w))) return `no int8 form of ${task.x} by ${task.w}`;
  if (format !== "nbits4") return true;
  if (task.op !== "gemm" || !isInt4(task.w)) return "4-bit weights only of a matrix product";
  return task.k % BLOCK === 0 ? true : `K = ${task.k}, not whole blocks of ${BLOCK}`;
}

/** int8 codes around 0 as uint8 ones around 128, and back. */
const shifted = (values: TypedArray): Uint8Array => Uint8Array.from(values as Int8Array, (v) => v + 128);
const unshifted = (values: TypedArray): Int8Array => Int8Array.from(values as Uint8Array, (v) => v - 128);

export function onnxLayer(task: Product, tensors: Tensors, format: OnnxFormat): LayerModel {
  const [m, n, k] = [rows(task), columns(task), rowLength(task)];
  const [x, w] = [tensors.x as Int8Array | Float32Array, tensors.w as Int8Array | Float32Array];
  const model = new OnnxModel();
  const float = (value: number) => model.constant(Float32Array.of(value));
  const middle = () => model.constant(Uint8Array.of(128));
  const weightScale = () => [model.constant(ones(task), [n]), model.constant(new Int8Array(n), [n])];
  const finish = (
    name: string,
    input: TypedArray,
    type: keyof typeof arrays,
    answer: LayerModel["answer"],
  ): LayerModel => {
    const [shapeX, shapeY] = shapes(task);
    const declared = { name: "x", type: typeOf(input), shape: shapeX };
    return { bytes: model.encode([declared], [{ name, type, shape: shapeY }]), input, output: arrays[type], answer };
  };

  if (task.op === "conv") {
    const { kernel, stride, pads, groups, channels } = task;
    const attributes = { kernel_shape: kernel, strides: [stride, stride], pads, group: groups };
    const shape = [n, channels / groups, ...kernel];
    if (format === "fp32") {
      const y = model.node("Conv", ["x", model.constant(weightsOihw(task, floats(w)), shape)], attributes);
      return finish(y, toNchw(floats(x), channels), "f32", (output) =>
        floatAnswer(task, toNhwc(output as Float32Array, n)),
      );
    }
    const weights = model.constant(weightsOihw(task, w), shape);
    const y = model.node(
      "QLinearConv",
      ["x", float(1), middle(), weights, ...weightScale(), float(stepOf(task)), middle()],
      attributes,
    );
    return finish(y, toNchw(shifted(x), channels), "uint8", (output) =>
      int8Answer(task, unshifted(toNhwc(output as Uint8Array, n))),
    );
  }
  if (format === "fp32") {
    const y = model.node("MatMul", ["x", model.constant(transposedWeights(task, floats(w)), [k, n])]);
    return finish(y, floats(x), "f32", (output) => floatAnswer(task, output as Float32Array));
  }
  if (format === "nbits4") {
    const codes = model.constant(blocksOf(w), [n, k / BLOCK, BLOCK / 2]);
    const scales = model.constant(new Float32Array((n * k) / BLOCK).fill(1), [(n * k) / BLOCK]);
    const attributes = { K: k, N: n, bits: 4, block_size: BLOCK, accuracy_level: 4 };
    const y = model.node("MatMulNBits", ["x", codes, scales], attributes, MICROSOFT);
    return finish(y, floats(x), "f32", (output) => dynamicAnswer(task, output as Float32Array));
  }
  const weights = model.constant(transposedWeights(task, w), [k, n]);
  if (task.y.kind !== "int8") {
    const y = model.node("MatMulInteger", ["x", weights, middle()]);
    return finish(y, shifted(x), "int32", (output) => sumsAnswer(task, output as Int32Array));
  }
  const inputs = [
    "x",
    float(1),
    middle(),
    weights,
    float(1),
    model.constant(Int8Array.of(0)),
    float(stepOf(task)),
    middle(),
  ];
  const y = model.node("QLinearMatMul", inputs);
  return finish(y, shifted(x), "uint8", (output) => int8Answer(task, unshifted(output)));

  function shapes(of: Product): [x: number[], y: number[]] {
    if (of.op === "gemm")
      return [
        [m, k],
        [m, n],
      ];
    return [
      [1, of.channels, of.height, of.width],
      [1, n, ...outputSize(of)],
    ];
  }
}

const arrays = { f32: Float32Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array } as const;

const typeOf = (data: TypedArray): OnnxType => (data instanceof Float32Array ? "f32" : "uint8");

const sumsAnswer = (task: Product, data: Int32Array) =>
  task.y.kind === "int32" ? ({ kind: "exact", data } as const) : ({ kind: "sums", data, tolerance: 0 } as const);

/** 4-bit codes around 8, two in a byte, the first in the low half. */
function blocksOf(w: Int8Array | Float32Array): Uint8Array {
  const codes = new Uint8Array(w.length / 2);
  for (let i = 0; i < codes.length; i++) codes[i] = (w[2 * i]! + 8) | ((w[2 * i + 1]! + 8) << 4);
  return codes;
}
