/**
 * Slices at places of several axes: `y[b..., i...] = x[b..., indices[b..., i..., 0], indices[b..., i..., 1], ...]`, where b are the first `batchDims` axes.
 *
 * Inputs: x of any type but bits; indices int64 or int32 [b..., i..., k], negative ones counted from the end. Output: x's type, [b..., i..., the axes of x behind b and k].
 */
import { integer } from "../graph/attributes.ts";
import type { Dim, Node, NodeOf, ValueInfo } from "../graph/types.ts";
import { sizeOf } from "../tensor.ts";
import { counted, indices, lowerGather, type Places, walked } from "./gathered.ts";
import { movable, type Operator, refuse, shapeOf } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { stridesOf } from "./strided.ts";

export interface GatherNdAttributes {
  readonly batchDims: number;
}

/** Indices of a place: the last axis, whose size decides a rank. */
export function tupleOf(node: Node, inputs: readonly (ValueInfo | undefined)[], batchDims: number): number {
  const [x, list] = [shapeOf(node, inputs), shapeOf(node, inputs, 1)];
  const tuple = list.at(-1);
  const most = x.length - batchDims;
  if (typeof tuple !== "number" || tuple < 1 || tuple > most)
    refuse(node, "last axis of the indices", `a known size of 1 to ${most}`, list);
  if (list.length <= batchDims) refuse(node, "axes of the indices (at least)", batchDims + 1, list.length);
  for (let axis = 0; axis < batchDims; axis++) {
    const [a, b] = [x[axis]!, list[axis]!];
    if (a !== b && typeof a === "number" && typeof b === "number") refuse(node, `axis ${axis} of the indices`, a, b);
  }
  return tuple;
}

/** A block of a tensor of shape `x` for each tuple of indices. */
export function tuplePlaces(x: readonly number[], list: readonly number[], batchDims: number): Places {
  const tuple = list.at(-1)!;
  const strides = stridesOf(x);
  const counts = list.slice(0, -1);
  return {
    axes: walked(
      counts,
      counts.map((_, axis) => (axis < batchDims ? strides[axis]! : 0)),
      tuple,
    ),
    coordinates: Array.from({ length: tuple }, (_, j) => ({
      size: x[batchDims + j]!,
      stride: strides[batchDims + j]!,
    })),
    block: sizeOf(x.slice(batchDims + tuple)),
  };
}

export const gatherNd: Operator<"gatherNd"> = {
  name: "gatherNd",
  attributes: { batchDims: integer(0, 15) },
  inputs: [{ dtypes: movable }, indices],
  outputs(node, inputs) {
    const { batchDims } = node.attributes;
    const tuple = tupleOf(node, inputs, batchDims);
    const shape: Dim[] = [...shapeOf(node, inputs, 1).slice(0, -1), ...shapeOf(node, inputs).slice(batchDims + tuple)];
    return [{ dtypes: [inputs[0]!.dtype], shape }];
  },
  lower(node, context) {
    const [x = "", list = ""] = node.inputs;
    return lowerGather(node, context, ({ shape }) => tuplePlaces(shape(x), shape(list), node.attributes.batchDims));
  },
};

export function reference(node: NodeOf<"gatherNd">, [x, list]: readonly (Value | undefined)[]): Value[] {
  const { batchDims } = node.attributes;
  const [tuple, counts] = [list!.shape.at(-1)!, list!.shape.slice(0, -1)];
  return [
    build(x!.dtype, [...counts, ...x!.shape.slice(batchDims + tuple)], (index) => {
      const place = index.slice(0, counts.length);
      const named = Array.from({ length: tuple }, (_, j) =>
        counted(at(list!, [...place, j]), x!.shape[batchDims + j]!),
      );
      return at(x!, [...place.slice(0, batchDims), ...named, ...index.slice(counts.length)]);
    }),
  ];
}
