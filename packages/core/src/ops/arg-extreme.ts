/**
 * The position of the largest (or `smallest`) element along an axis, the first of several or the `last`. NaN is above all numbers.
 *
 * Input: x of a number type. Output: int64; `keepAxis` leaves a 1 for the axis.
 */
import { flag, integer } from "../graph/attributes.ts";
import { axisOf } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { argExtreme as argExtremeKernel } from "../kernels/reduce.ts";
import type { TensorDType } from "../tensor.ts";
import { numberTypes, of } from "./elementwise.ts";
import { linesOf, positionsOf } from "./lines.ts";
import { type Operator, operationOf, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface ArgExtremeAttributes {
  readonly axis: number;
  readonly keepAxis: boolean;
  readonly smallest: boolean;
  readonly last: boolean;
}

const without = <D>(shape: readonly D[], axis: number, keep: boolean): (D | number)[] =>
  keep ? shape.map((size, i) => (i === axis ? 1 : size)) : shape.filter((_, i) => i !== axis);

export const argExtreme: Operator<"argExtreme"> = {
  name: "argExtreme",
  attributes: { axis: integer(-8, 7), keepAxis: flag, smallest: flag, last: flag },
  inputs: [of(numberTypes)],
  outputs(node, inputs) {
    const shape = shapeOf(node, inputs);
    const { axis, keepAxis } = node.attributes;
    return [{ dtypes: ["int64"], shape: without(shape, axisOf(node, axis, shape.length), keepAxis) }];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const dtype = context.info(x).dtype as TensorDType;
    return operationOf(node, context, "reduce", {
      bind({ instance, shape, pointer }) {
        const lines = linesOf(shape(x), axisOf(node, node.attributes.axis, shape(x).length));
        const [from, to] = [pointer(x), pointer(output)];
        return () => argExtremeKernel(instance, dtype, lines, from, to, node.attributes);
      },
    });
  },
};

export function reference(node: NodeOf<"argExtreme">, [x]: readonly (Value | undefined)[]): Value[] {
  const { smallest, last, keepAxis } = node.attributes;
  const axis = axisOf(node, node.attributes.axis, x!.shape.length);
  const positions = positionsOf(x!.shape, axis).map((line) => {
    const values = line.map((at) => x!.data[at]!);
    const best = smallest ? Math.min(...values) : Math.max(...values);
    return last ? values.lastIndexOf(best) : values.indexOf(best);
  });
  return [{ dtype: "int64", shape: without(x!.shape, axis, keepAxis), data: Float64Array.from(positions) }];
}
