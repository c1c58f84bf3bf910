/**
 * The sum of the elements along an axis up to each one, or, `exclusive`, before it; `reverse`: from the last one on. Floats are summed in f64, integers modulo the type's bits.
 *
 * Inputs: x of a number type; the axis, one int64 or int32, a negative one from the last. Output: x's type and shape.
 */
import { flag } from "../graph/attributes.ts";
import { axisOf } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { cumSum as cumSumKernel } from "../kernels/reduce.ts";
import type { TensorDType } from "../tensor.ts";
import { numberTypes, of, stored } from "./elementwise.ts";
import { linesOf, positionsOf } from "./lines.ts";
import { type Operator, operationOf, shapeOf, sizes } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface CumSumAttributes {
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

export const cumSum: Operator<"cumSum"> = {
  name: "cumSum",
  attributes: { exclusive: flag, reverse: flag },
  inputs: [of(numberTypes), sizes],
  outputs(node, inputs, [, axis]) {
    const shape = shapeOf(node, inputs);
    if (typeof axis?.[0] === "number") axisOf(node, axis[0], shape.length);
    return [{ dtypes: [inputs[0]!.dtype], shape }];
  },
  lower(node, context) {
    const [x = "", list] = node.inputs;
    const [output = ""] = node.outputs;
    const dtype = context.info(x).dtype as TensorDType;
    return operationOf(node, context, "reduce", {
      bind({ instance, shape, pointer, elements }) {
        const lines = linesOf(shape(x), axisOf(node, elements(list)![0]!, shape(x).length));
        const [from, to] = [pointer(x), pointer(output)];
        return () => cumSumKernel(instance, dtype, lines, from, to, node.attributes);
      },
    });
  },
};

export function reference(node: NodeOf<"cumSum">, [x, list]: readonly (Value | undefined)[]): Value[] {
  const { exclusive, reverse } = node.attributes;
  const data = new Float64Array(x!.data.length);
  for (const line of positionsOf(x!.shape, axisOf(node, list!.data[0]!, x!.shape.length))) {
    let sum = 0;
    for (const at of reverse ? line.toReversed() : line) {
      const before = sum;
      sum += x!.data[at]!;
      data[at] = stored(x!.dtype, exclusive ? before : sum);
    }
  }
  return [{ dtype: x!.dtype, shape: x!.shape, data }];
}
