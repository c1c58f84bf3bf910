/**
 * One element of an axis for each index: `y[i..., j, k...] = x[i..., indices[i..., j, k...], k...]`.
 *
 * Inputs: x of any type but bits; indices int64 or int32, of as many axes, none but `axis` longer than x's; negative ones count from the end. Output: x's type, the indices' shape.
 */
import { integer } from "../graph/attributes.ts";
import { axisOf } from "../graph/shapes.ts";
import type { Node, NodeOf, ValueInfo } from "../graph/types.ts";
import { counted, indices, lowerGather, type Places, walked } from "./gathered.ts";
import { movable, type Operator, refuse, shapeOf } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { stridesOf } from "./strided.ts";

export interface GatherElementsAttributes {
  readonly axis: number;
}

/** Refuses indices that x has no elements beside. */
export function checkBeside(node: Node, axis: number, inputs: readonly (ValueInfo | undefined)[]): void {
  const [x, list] = [shapeOf(node, inputs), shapeOf(node, inputs, 1)];
  if (list.length !== x.length) refuse(node, "axes of the indices", x.length, list.length);
  const at = axisOf(node, axis, x.length);
  for (const [a, size] of list.entries()) {
    const own = x[a]!;
    if (a !== at && typeof size === "number" && typeof own === "number" && size > own)
      refuse(node, `axis ${a} of the indices (at most)`, own, size);
  }
}

/** An element of a tensor of shape `x` for each index. */
export function elementPlaces(x: readonly number[], list: readonly number[], axis: number): Places {
  const strides = stridesOf(x);
  return {
    axes: walked(list, strides.with(axis, 0)),
    coordinates: [{ size: x[axis]!, stride: strides[axis]! }],
    block: 1,
  };
}

export const gatherElements: Operator<"gatherElements"> = {
  name: "gatherElements",
  attributes: { axis: integer(-16, 15) },
  inputs: [{ dtypes: movable }, indices],
  outputs(node, inputs) {
    checkBeside(node, node.attributes.axis, inputs);
    return [{ dtypes: [inputs[0]!.dtype], shape: shapeOf(node, inputs, 1) }];
  },
  lower(node, context) {
    const [x = "", list = ""] = node.inputs;
    return lowerGather(node, context, ({ shape }) =>
      elementPlaces(shape(x), shape(list), axisOf(node, node.attributes.axis, shape(x).length)),
    );
  },
};

export function reference(node: NodeOf<"gatherElements">, [x, list]: readonly (Value | undefined)[]): Value[] {
  const axis = axisOf(node, node.attributes.axis, x!.shape.length);
  return [
    build(x!.dtype, list!.shape, (index) => at(x!, index.with(axis, counted(at(list!, index), x!.shape[axis]!)))),
  ];
}
