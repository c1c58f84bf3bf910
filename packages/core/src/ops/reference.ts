/** What references compute with, the oracles of tests: one number per element, whatever the storage. In no bundle. */
import { decodeWeights } from "../graph/decode.ts";
import { axisOf } from "../graph/shapes.ts";
import type { ActivationQuantization, Constant, DType, Node } from "../graph/types.ts";
import { fromHalf, sizeOf, Tensor, type TensorDType, toHalf } from "../tensor.ts";

export interface Value {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Reals of f32 and f16, integers as stored, bits and trits as -1, 0, +1. */
  readonly data: Float64Array;
  readonly quantization?: ActivationQuantization | undefined;
}

export function fromTensor({ dtype, shape, data }: Tensor, quantization?: ActivationQuantization): Value {
  const numbers = Float64Array.from(data as ArrayLike<number | bigint>, (x) =>
    dtype === "f16" ? fromHalf(Number(x)) : Number(x),
  );
  return { dtype, shape, data: numbers, quantization };
}

export function toTensor({ dtype, shape, data }: Value): Tensor {
  if (dtype === "bit" || dtype === "trit") throw new Error(`${dtype} has no tensor`);
  if (dtype === "int64" || dtype === "uint64") {
    const Data = dtype === "int64" ? BigInt64Array : BigUint64Array;
    return new Tensor<TensorDType>(dtype, shape, Data.from(Array.from(data, BigInt)));
  }
  if (dtype === "f16") return new Tensor("f16", shape, Uint16Array.from(data, toHalf));
  const tensor = new Tensor<TensorDType>(dtype, shape);
  (tensor.data as Float32Array).set(data);
  return tensor;
}

export function fromConstant(constant: Constant): Value {
  const { shape } = constant;
  if (constant.kind === "quantized") return { dtype: "f32", shape, data: Float64Array.from(decodeWeights(constant)) };
  const { dtype, data } = constant;
  return fromTensor(new Tensor(dtype, shape, data));
}

/** A value computed element by element; `index` has one entry per axis. */
export function build(
  dtype: DType,
  shape: readonly number[],
  element: (index: readonly number[]) => number,
  quantization?: ActivationQuantization,
): Value {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = element(index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return { dtype, shape, data, quantization };
}

/** The element at `index`. */
export function at({ shape, data }: Value, index: readonly number[]): number {
  let offset = 0;
  for (let axis = 0; axis < shape.length; axis++) offset = offset * shape[axis]! + index[axis]!;
  return data[offset]!;
}

export const positiveAxis = (node: Node, axis: number, x: Value): number => axisOf(node, axis, x.shape.length);
