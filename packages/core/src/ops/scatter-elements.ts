/**
 * x with one element of an axis replaced for each index: `y[i..., indices[i..., j, k...], k...] = updates[i..., j, k...]`, in order; with a `reduction`, combined with what
 * stands there (floats in their own type, integers modulo 2^bits, NaN where one is).
 *
 * Inputs: x of any type but bits, of a number type other than f16 where it is reduced; indices int64 or int32, of as many axes, none but `axis` longer than x's;
 * updates of x's type and the indices' shape. Output: x's type and shape.
 */
import { integer, oneOf } from "../graph/attributes.ts";
import { axisOf } from "../graph/shapes.ts";
import type { Node, NodeOf, ValueInfo } from "../graph/types.ts";
import { type ScatterReduction, scatterReductions, scatterTypes } from "../kernels/gather.ts";
import { checkBeside, elementPlaces } from "./gather-elements.ts";
import { copyOf, counted, indices, lowerScatter, reduced } from "./gathered.ts";
import { movable, type Operator, refuse, shapeOf } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { stridesOf } from "./strided.ts";

export interface ScatterElementsAttributes {
  readonly axis: number;
  readonly reduction: ScatterReduction;
}

/** Refuses updates of another shape, and types that are not reduced. */
export function checkUpdates(
  node: Node,
  inputs: readonly (ValueInfo | undefined)[],
  reduction: ScatterReduction,
  wanted: ValueInfo["shape"],
): void {
  const got = shapeOf(node, inputs, 2);
  const differs = got.some(
    (size, axis) => typeof size === "number" && typeof wanted[axis] === "number" && size !== wanted[axis],
  );
  if (got.length !== wanted.length || differs) refuse(node, "shape of the updates", wanted, got);
  const { dtype } = inputs[0]!;
  if (reduction !== "none" && !(scatterTypes as readonly string[]).includes(dtype))
    refuse(node, `type for ${reduction}`, scatterTypes, dtype);
}

export const scatterElements: Operator<"scatterElements"> = {
  name: "scatterElements",
  attributes: { axis: integer(-16, 15), reduction: oneOf(...scatterReductions) },
  inputs: [{ dtypes: movable }, indices, { what: "updates", dtypes: "same" }],
  outputs(node, inputs) {
    const { axis, reduction } = node.attributes;
    checkBeside(node, axis, inputs);
    checkUpdates(node, inputs, reduction, shapeOf(node, inputs, 1));
    return [{ dtypes: [inputs[0]!.dtype], shape: shapeOf(node, inputs) }];
  },
  lower(node, context) {
    const [x = "", list = ""] = node.inputs;
    return lowerScatter(node, context, node.attributes.reduction, ({ shape }) =>
      elementPlaces(shape(x), shape(list), axisOf(node, node.attributes.axis, shape(x).length)),
    );
  },
};

export function reference(
  node: NodeOf<"scatterElements">,
  [x, list, updates]: readonly (Value | undefined)[],
): Value[] {
  const axis = axisOf(node, node.attributes.axis, x!.shape.length);
  const [y, strides] = [copyOf(x!), stridesOf(x!.shape)];
  build(y.dtype, list!.shape, (index) => {
    const place = index.with(axis, counted(at(list!, index), x!.shape[axis]!));
    const flat = place.reduce((sum, i, a) => sum + i * strides[a]!, 0);
    y.data[flat] = reduced[node.attributes.reduction](y.data[flat]!, at(updates!, index));
    return 0;
  });
  return [y];
}
