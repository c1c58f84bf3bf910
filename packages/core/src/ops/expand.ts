/**
 * x repeated along its axes of size 1, as numpy broadcasts: axes align at the end, and a size of 1 in either gives way.
 *
 * Inputs: x of any type but bits; shape [k] int64 or int32. Output: x's type, max(rank of x, k) axes.
 */
import { OPEN, type Shape } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { lengthOf, movable, type Operator, refuse, shapeOf, sizes } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { lowerStrided, stridesOf, whole } from "./strided.ts";

export type ExpandAttributes = Record<never, never>;

function wider(node: NodeOf<"expand">, x: Dim, wanted: Dim): Dim {
  if (x === wanted || wanted === 1) return x;
  if (x === 1) return wanted;
  if (typeof x === "number" && typeof wanted === "number") refuse(node, "shape", `1 or ${x}`, wanted);
  // One of them is known only when a plan is made.
  return OPEN;
}

function expanded(node: NodeOf<"expand">, x: Shape, wanted: Shape): Dim[] {
  const rank = Math.max(x.length, wanted.length);
  const of = (shape: Shape, axis: number) => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => wider(node, of(x, axis), of(wanted, axis)));
}

export const expand: Operator<"expand"> = {
  name: "expand",
  attributes: {},
  inputs: [{ dtypes: movable }, sizes],
  outputs(node, inputs, elements) {
    const wanted = elements[1] ?? Array.from({ length: lengthOf(node, inputs, 1) }, () => OPEN);
    return [{ dtypes: [inputs[0]!.dtype], shape: expanded(node, shapeOf(node, inputs), wanted) }];
  },
  lower(node, context) {
    return lowerStrided(node, context, ({ shape }) => {
      const [x, y] = [shape(node.inputs[0]!), shape(node.outputs[0]!)];
      const strides = stridesOf(x);
      const axes = y.map((count, axis) => {
        const own = axis - y.length + x.length;
        const isRepeated = own < 0 || (x[own] === 1 && count !== 1);
        return { stride: strides[own] ?? 0, segments: [isRepeated ? { start: 0, step: 0, count } : whole(count)] };
      });
      return { axes: [axes] };
    });
  },
};

export function reference(node: NodeOf<"expand">, [x, wanted]: readonly (Value | undefined)[]): Value[] {
  const { shape, dtype } = x!;
  const target = expanded(node, shape, [...wanted!.data]) as number[];
  const own = (index: readonly number[]) =>
    shape.map((size, axis) => (size === 1 ? 0 : index[axis + target.length - shape.length]!));
  return [build(dtype, target, (index) => at(x!, own(index)))];
}
