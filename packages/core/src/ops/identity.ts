/** A copy of x, any type but bits: what makes an output of a constant. */
import type { NodeOf } from "../graph/types.ts";
import { movable, type Operator, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";
import { lowerStrided, stridesOf, whole } from "./strided.ts";

export type IdentityAttributes = Record<never, never>;

export const identity: Operator<"identity"> = {
  name: "identity",
  attributes: {},
  inputs: [{ dtypes: movable }],
  outputs: (node, inputs) => [{ dtypes: [inputs[0]!.dtype], shape: shapeOf(node, inputs) }],
  lower: (node, context) =>
    lowerStrided(node, context, ({ shape }) => {
      const x = shape(node.inputs[0]!);
      const strides = stridesOf(x);
      return { axes: [x.map((size, axis) => ({ stride: strides[axis]!, segments: [whole(size)] }))] };
    }),
};

export const reference = (_node: NodeOf<"identity">, [x]: readonly (Value | undefined)[]): Value[] => [x!];
