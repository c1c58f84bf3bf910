/**
 * x cut or padded with zeros on both sides of some axes to the sizes given: of what is too much, floor(half) is cut before; of what is missing, floor(half) stands before.
 *
 * Inputs: x of any type but bits; sizes [k] int64 or int32. Output: x's type.
 */
import { someIntegers } from "../graph/attributes.ts";
import type { Elements } from "../graph/operators.ts";
import { axisOf, OPEN, type Shape } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { movable, type Operator, refuse, shapeOf, sizes } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { lowerStrided, stridesOf, whole } from "./strided.ts";

export interface CenterCropPadAttributes {
  /** What the sizes are of; absent: all. */
  readonly axes?: readonly number[];
}

function shapeAfter(node: NodeOf<"centerCropPad">, x: Shape, wanted: Elements | undefined): Dim[] {
  const axes = (node.attributes.axes ?? x.map((_, axis) => axis)).map((axis) => axisOf(node, axis, x.length));
  if (wanted && (wanted.length !== axes.length || wanted.some((size) => Number(size) < 0)))
    refuse(node, "sizes", `${axes.length} numbers of 0 or more`, wanted);
  const shape = [...x];
  for (const [i, axis] of axes.entries()) shape[axis] = wanted?.[i] ?? OPEN;
  return shape;
}

export const centerCropPad: Operator<"centerCropPad"> = {
  name: "centerCropPad",
  attributes: { axes: { ...someIntegers(-16, 15), optional: true } },
  inputs: [{ dtypes: movable }, sizes],
  outputs: (node, inputs, [, wanted]) => [
    { dtypes: [inputs[0]!.dtype], shape: shapeAfter(node, shapeOf(node, inputs), wanted) },
  ],
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [y = ""] = node.outputs;
    return lowerStrided(node, context, ({ shape }) => {
      const strides = stridesOf(shape(x));
      const axes = shape(x).map((size, axis) => {
        const wanted = shape(y)[axis]!;
        const before = Math.floor(Math.abs(size - wanted) / 2);
        const padding = (count: number) => ({ start: -1, step: 0, count });
        const segments =
          wanted <= size
            ? [{ start: before, step: 1, count: wanted }]
            : [padding(before), whole(size), padding(wanted - size - before)];
        return { stride: strides[axis]!, segments };
      });
      return { axes: [axes] };
    });
  },
};

export function reference(node: NodeOf<"centerCropPad">, [x, wanted]: readonly (Value | undefined)[]): Value[] {
  const shape = shapeAfter(node, x!.shape, [...wanted!.data]) as number[];
  return [
    build(x!.dtype, shape, (index) => {
      const place = index.map((i, axis) => {
        const extra = x!.shape[axis]! - shape[axis]!;
        return extra >= 0 ? i + Math.floor(extra / 2) : i - Math.floor(-extra / 2);
      });
      return place.every((i, axis) => i >= 0 && i < x!.shape[axis]!) ? at(x!, place) : 0;
    }),
  ];
}
