/**
 * The k largest (or `smallest`) elements along an axis, the best first, and their positions; of equal ones the first. NaN is above all numbers.
 *
 * Inputs: x of a number type; k, one int64 or int32. Outputs: the elements, of x's type; their positions, int64.
 */
import { flag, integer } from "../graph/attributes.ts";
import { axisOf, OPEN } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { BestK } from "../kernels/reduce.ts";
import type { TensorDType } from "../tensor.ts";
import { numberTypes, of } from "./elementwise.ts";
import { linesOf, positionsOf } from "./lines.ts";
import { type Operator, operationOf, refuse, shapeOf, sizes } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface TopKAttributes {
  readonly axis: number;
  readonly smallest: boolean;
}

export const topK: Operator<"topK"> = {
  name: "topK",
  attributes: { axis: integer(-8, 7), smallest: flag },
  inputs: [of(numberTypes), sizes],
  outputs(node, inputs, [, list]) {
    const x = shapeOf(node, inputs);
    const axis = axisOf(node, node.attributes.axis, x.length);
    const k = list?.[0] ?? OPEN;
    const size = x[axis]!;
    if (typeof k === "number" && (k < 0 || (typeof size === "number" && k > size)))
      refuse(node, "k", `0 to ${size}`, k);
    const shape = x.map((size, i) => (i === axis ? k : size));
    return [
      { dtypes: [inputs[0]!.dtype], shape },
      { dtypes: ["int64"], shape },
    ];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [output = "", positions = ""] = node.outputs;
    const dtype = context.info(x).dtype as TensorDType;
    const { smallest } = node.attributes;
    return operationOf(node, context, "reduce", {
      bind(binding) {
        const shape = binding.shape(x);
        const axis = axisOf(node, node.attributes.axis, shape.length);
        const k = binding.shape(output)[axis]!;
        const lines = linesOf(shape, axis);
        const object = binding.own(new BestK(binding.instance, { dtype, lines, k, smallest }));
        const [from, to, at] = [binding.pointer(x), binding.pointer(output), binding.pointer(positions)];
        return () => object.run(from, to, at);
      },
    });
  },
};

export function reference(node: NodeOf<"topK">, [x, list]: readonly (Value | undefined)[]): Value[] {
  const axis = axisOf(node, node.attributes.axis, x!.shape.length);
  const k = list!.data[0]!;
  const shape = x!.shape.map((size, i) => (i === axis ? k : size));
  const [values, places] = [
    new Float64Array(shape.reduce((a, b) => a * b, 1)),
    new Float64Array(shape.reduce((a, b) => a * b, 1)),
  ];
  const targets = positionsOf(shape, axis);
  for (const [line, positions] of positionsOf(x!.shape, axis).entries()) {
    const order = positions.map((at, i) => [x!.data[at]!, i] as const);
    order.sort(([a, i], [b, j]) => (node.attributes.smallest ? a - b : b - a) || i - j);
    for (const [rank, to] of targets[line]!.entries()) [values[to], places[to]] = order[rank] as [number, number];
  }
  return [
    { dtype: x!.dtype, shape, data: values },
    { dtype: "int64", shape, data: places },
  ];
}
