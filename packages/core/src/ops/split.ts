/**
 * x cut along an axis into parts that follow one another.
 *
 * Inputs: x of any type but bits; sizes [n] int64 or int32 (absent: n equal parts, the last one smaller where they do not divide the axis). n outputs of x's type.
 */
import { integer } from "../graph/attributes.ts";
import { axisOf, OPEN } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { movable, type Operator, refuse, shapeOf, sizes } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { lowerStrided, stridesOf, whole } from "./strided.ts";

export interface SplitAttributes {
  readonly axis: number;
}

type Split = NodeOf<"split">;

/** Sizes of the parts; of a node without them, what ONNX calls equal. */
function partsOf(node: Split, size: Dim, given: readonly Dim[] | undefined): readonly Dim[] {
  const count = node.outputs.length;
  if (!node.inputs[1] && typeof size === "number") {
    const part = Math.ceil(size / count);
    return node.outputs.map((_, i) => Math.max(0, Math.min(part, size - i * part)));
  }
  if (!given) return node.outputs.map(() => OPEN);
  const isKnown = typeof size === "number" && given.every((part) => typeof part === "number");
  const sum = given.reduce<number>((all, part) => all + Number(part), 0);
  if (given.length !== count || given.some((part) => Number(part) < 0) || (isKnown && sum !== size))
    refuse(node, "sizes", `${count} of 0 or more that make ${size}`, given);
  return given;
}

export const split: Operator<"split"> = {
  name: "split",
  attributes: { axis: integer(-16, 15) },
  inputs: [{ dtypes: movable }, { ...sizes, optional: true }],
  outputs(node, inputs, elements) {
    const x = shapeOf(node, inputs);
    const axis = axisOf(node, node.attributes.axis, x.length);
    return partsOf(node, x[axis]!, elements[1]).map((part) => ({
      dtypes: [inputs[0]!.dtype],
      shape: x.map((size, a) => (a === axis ? part : size)),
    }));
  },
  lower(node, context) {
    return lowerStrided(node, context, ({ shape, elements }) => {
      const x = shape(node.inputs[0]!);
      const axis = axisOf(node, node.attributes.axis, x.length);
      const strides = stridesOf(x);
      let start = 0;
      const axes = partsOf(node, x[axis]!, elements(node.inputs[1])).map((count) => {
        const part = { start, step: 1, count: count as number };
        start += part.count;
        return x.map((size, a) => ({ stride: strides[a]!, segments: [a === axis ? part : whole(size)] }));
      });
      return { axes };
    });
  },
};

export function reference(node: Split, [x, given]: readonly (Value | undefined)[]): Value[] {
  const { shape, dtype } = x!;
  const axis = axisOf(node, node.attributes.axis, shape.length);
  const equal = Math.ceil(shape[axis]! / node.outputs.length);
  let start = 0;
  return node.outputs.map((_, i) => {
    const [first, size] = [start, given ? given.data[i]! : Math.max(0, Math.min(equal, shape[axis]! - start))];
    start += size;
    return build(dtype, shape.with(axis, size), (index) => at(x!, index.with(axis, index[axis]! + first)));
  });
}
