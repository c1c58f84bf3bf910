/**
 * x with slices replaced at places of several axes: `y[indices[i..., 0], indices[i..., 1], ...] = updates[i...]`, in order; with a `reduction`, combined with what stands
 * there (floats in their own type, integers modulo 2^bits, NaN where one is).
 *
 * Inputs: x of any type but bits, of a number type other than f16 where it is reduced; indices int64 or int32 [i..., k]; updates of x's type, [i..., the axes of x behind k].
 * Output: x's type and shape.
 */
import { oneOf } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { type ScatterReduction, scatterReductions } from "../kernels/gather.ts";
import { sizeOf } from "../tensor.ts";
import { tupleOf, tuplePlaces } from "./gather-nd.ts";
import { copyOf, counted, indices, lowerScatter, reduced } from "./gathered.ts";
import { movable, type Operator, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";
import { checkUpdates } from "./scatter-elements.ts";
import { stridesOf } from "./strided.ts";

export interface ScatterNdAttributes {
  readonly reduction: ScatterReduction;
}

export const scatterNd: Operator<"scatterNd"> = {
  name: "scatterNd",
  attributes: { reduction: oneOf(...scatterReductions) },
  inputs: [{ dtypes: movable }, indices, { what: "updates", dtypes: "same" }],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    const tuple = tupleOf(node, inputs, 0);
    checkUpdates(node, inputs, node.attributes.reduction, [
      ...shapeOf(node, inputs, 1).slice(0, -1),
      ...x.slice(tuple),
    ]);
    return [{ dtypes: [inputs[0]!.dtype], shape: x }];
  },
  lower(node, context) {
    const [x = "", list = ""] = node.inputs;
    return lowerScatter(node, context, node.attributes.reduction, ({ shape }) => tuplePlaces(shape(x), shape(list), 0));
  },
};

export function reference(node: NodeOf<"scatterNd">, [x, list, updates]: readonly (Value | undefined)[]): Value[] {
  const tuple = list!.shape.at(-1)!;
  const [y, strides] = [copyOf(x!), stridesOf(x!.shape)];
  const block = sizeOf(x!.shape.slice(tuple));
  for (let n = 0; n < list!.data.length / tuple; n++) {
    let start = 0;
    for (let j = 0; j < tuple; j++) start += counted(list!.data[n * tuple + j]!, x!.shape[j]!) * strides[j]!;
    for (let i = 0; i < block; i++)
      y.data[start + i] = reduced[node.attributes.reduction](y.data[start + i]!, updates!.data[n * block + i]!);
  }
  return [y];
}
