/** ONNX's ConstantOfShape: a tensor of the given shape, every element the same. Inputs: shape [k] int64 or int32; value, a constant of one element. Output: the type of the value. */
import { OPEN } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { Strided } from "../kernels/strided.ts";
import { bytesOf, type TensorDType } from "../tensor.ts";
import { lengthOf, movable, type Operator, refuse, sizes } from "./operator.ts";
import { build, type Value } from "./reference.ts";

export type FillAttributes = Record<never, never>;

export const fill: Operator<"fill"> = {
  name: "fill",
  attributes: {},
  inputs: [sizes, { what: "value", dtypes: movable, constant: true }],
  outputs(node, inputs, [shape]) {
    if (shape?.some((size) => Number(size) < 0)) refuse(node, "shape", "sizes of 0 or more", shape);
    return [
      { dtypes: [inputs[1]!.dtype], shape: shape ?? Array.from({ length: lengthOf(node, inputs, 0) }, () => OPEN) },
    ];
  },
  lower(node, context) {
    const [, value = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const elementBytes = bytesOf[context.info(value).dtype as TensorDType];
    return {
      node: node.name,
      op: node.op,
      kernel: "strided",
      ...context.inputsOf(node),
      output: y,
      bind(binding) {
        const axes = binding.shape(y).map((count) => ({ stride: 0, segments: [{ start: 0, step: 0, count }] }));
        const object = binding.own(new Strided(binding.instance, { elementBytes, length: 1, axes }));
        const [from, to] = [binding.pointer(value), binding.pointer(y)];
        return () => object.run(from, to);
      },
      [Symbol.dispose]() {},
    };
  },
};

export const reference = (_node: NodeOf<"fill">, [shape, value]: readonly (Value | undefined)[]): Value[] => [
  build(value!.dtype, [...shape!.data], () => value!.data[0]!),
];
