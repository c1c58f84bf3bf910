/**
 * `reshape` to sizes that are values: at most one is -1 and takes what is left; 0 copies x's size, or, with `allowZero`, is 0. The same memory.
 *
 * Inputs: x of any type but bits; shape [k] int64 or int32. Output: x's type.
 */
import { flag } from "../graph/attributes.ts";
import { OPEN, type Shape } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { sizeOf } from "../tensor.ts";
import { lengthOf, movable, type Operator, operationOf, refuse, shapeOf, sizes } from "./operator.ts";
import type { Value } from "./reference.ts";
import { lowerStrided } from "./strided.ts";

export interface ReshapeToAttributes {
  readonly allowZero: boolean;
}

function reshaped(node: NodeOf<"reshapeTo">, x: Shape, wanted: readonly Dim[]): Dim[] {
  const { allowZero } = node.attributes;
  const shape = wanted.map((size, axis) =>
    size === 0 && !allowZero ? (x[axis] ?? refuse(node, "axis to copy", x.length, axis)) : size,
  );
  const holes = shape.filter((size) => size === -1).length;
  if (holes > 1 || shape.some((size) => Number(size) < -1) || (allowZero && holes > 0 && shape.includes(0)))
    refuse(node, "shape", "sizes of 0 or more, at most one -1 (and none beside a 0 of allowZero)", wanted);
  const isKnown = [...x, ...shape].every((size) => typeof size === "number");
  if (!isKnown) return shape.map((size) => (size === -1 ? OPEN : size));
  const total = sizeOf(x as number[]);
  const others = sizeOf(shape.filter((size): size is number => size !== -1));
  const rest = others === 0 ? 0 : total / others;
  if (holes === 1 ? !Number.isInteger(rest) || rest * others !== total : others !== total)
    refuse(node, "elements of the new shape", x, wanted);
  return shape.map((size) => (size === -1 ? rest : size));
}

export const reshapeTo: Operator<"reshapeTo"> = {
  name: "reshapeTo",
  attributes: { allowZero: flag },
  inputs: [{ dtypes: movable }, sizes],
  outputs(node, inputs, [, wanted]) {
    const open = () => Array.from({ length: lengthOf(node, inputs, 1) }, () => OPEN);
    const shape = wanted ? reshaped(node, shapeOf(node, inputs), wanted) : open();
    return [{ dtypes: [inputs[0]!.dtype], shape }];
  },
  lower(node, context) {
    // A constant has no memory of the arena that the output could share.
    if (context.isConstant(node.inputs[0]!))
      return lowerStrided(node, context, ({ shape }) => {
        const count = sizeOf(shape(node.outputs[0]!));
        return { axes: [[{ stride: 1, segments: [{ start: 0, step: 1, count }] }]] };
      });
    return operationOf(node, context, "none", { storage: "alias", bind: () => () => {} });
  },
};

export const reference = (node: NodeOf<"reshapeTo">, [x, wanted]: readonly (Value | undefined)[]): Value[] => [
  { ...x!, shape: reshaped(node, x!.shape, [...wanted!.data]) as number[] },
];
