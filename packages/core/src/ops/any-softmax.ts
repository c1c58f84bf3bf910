/**
 * exp(x) / sum of exp(x) along an axis, whose largest x is taken out before, or, `log`, the logarithm of that: `softmax` of any float type, computed in f64.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import { flag, integer } from "../graph/attributes.ts";
import { axisOf } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { softmaxOf } from "../kernels/reduce.ts";
import type { TensorDType } from "../tensor.ts";
import { floatTypes, of, stored } from "./elementwise.ts";
import { linesOf, positionsOf } from "./lines.ts";
import { type Operator, operationOf, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface AnySoftmaxAttributes {
  readonly axis: number;
  readonly log: boolean;
}

export const anySoftmax: Operator<"anySoftmax"> = {
  name: "anySoftmax",
  attributes: { axis: integer(-8, 7), log: flag },
  inputs: [of(floatTypes)],
  outputs(node, inputs) {
    const shape = shapeOf(node, inputs);
    axisOf(node, node.attributes.axis, shape.length);
    return [{ dtypes: [inputs[0]!.dtype], shape }];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const dtype = context.info(x).dtype as TensorDType;
    return operationOf(node, context, "reduce", {
      bind({ instance, shape, pointer }) {
        const lines = linesOf(shape(x), axisOf(node, node.attributes.axis, shape(x).length));
        const [from, to] = [pointer(x), pointer(output)];
        return () => softmaxOf(instance, dtype, lines, from, to, node.attributes.log);
      },
    });
  },
};

export function reference(node: NodeOf<"anySoftmax">, [x]: readonly (Value | undefined)[]): Value[] {
  const data = new Float64Array(x!.data.length);
  for (const line of positionsOf(x!.shape, axisOf(node, node.attributes.axis, x!.shape.length))) {
    const largest = Math.max(...line.map((at) => x!.data[at]!));
    const sum = line.reduce((sum, at) => sum + Math.exp(x!.data[at]! - largest), 0);
    for (const at of line) {
      const above = x!.data[at]! - largest;
      data[at] = stored(x!.dtype, node.attributes.log ? above - Math.log(sum) : Math.exp(above) / sum);
    }
  }
  return [{ dtype: x!.dtype, shape: x!.shape, data }];
}
