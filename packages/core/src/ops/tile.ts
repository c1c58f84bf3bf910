/**
 * x side by side with itself: `repeats[i]` times along axis i.
 *
 * Inputs: x of any type but bits; repeats [rank of x] int64 or int32, 0 or more. Output: x's type.
 */
import { OPEN } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { movable, type Operator, refuse, shapeOf, sizes } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { lowerStrided, stridesOf, whole } from "./strided.ts";

export type TileAttributes = Record<never, never>;

export const tile: Operator<"tile"> = {
  name: "tile",
  attributes: {},
  inputs: [{ dtypes: movable }, sizes],
  outputs(node, inputs, [, repeats]) {
    const x = shapeOf(node, inputs);
    if (repeats && (repeats.length !== x.length || repeats.some((count) => Number(count) < 0)))
      refuse(node, "repeats", `${x.length} numbers of 0 or more`, repeats);
    const times = (size: Dim, count: Dim = OPEN): Dim =>
      count === 1 ? size : typeof size === "number" && typeof count === "number" ? size * count : OPEN;
    return [{ dtypes: [inputs[0]!.dtype], shape: x.map((size, axis) => times(size, repeats?.[axis])) }];
  },
  lower(node, context) {
    return lowerStrided(node, context, ({ shape, elements }) => {
      const x = shape(node.inputs[0]!);
      const strides = stridesOf(x);
      // An axis of its own counts the copies.
      const axes = elements(node.inputs[1])!.flatMap((count, axis) => [
        { stride: 0, segments: [{ start: 0, step: 0, count }] },
        { stride: strides[axis]!, segments: [whole(x[axis]!)] },
      ]);
      return { axes: [axes] };
    });
  },
};

export function reference(_node: NodeOf<"tile">, [x, repeats]: readonly (Value | undefined)[]): Value[] {
  const shape = x!.shape.map((size, axis) => size * repeats!.data[axis]!);
  return [
    build(x!.dtype, shape, (index) =>
      at(
        x!,
        index.map((i, axis) => i % x!.shape[axis]!),
      ),
    ),
  ];
}
