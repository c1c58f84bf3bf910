/**
 * Slices of an axis in the order that indices name them: `y[a..., i..., b...] = x[a..., indices[i...], b...]`.
 *
 * Inputs: x of any type but bits; indices int64 or int32 of any shape, negative ones counted from the end. Output: x's type; the indices' axes stand in the place of the axis.
 */
import { integer } from "../graph/attributes.ts";
import { axisOf, OPEN } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { sizeOf } from "../tensor.ts";
import { counted, indices, lowerGather } from "./gathered.ts";
import { movable, type Operator, shapeOf } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";

export interface GatherAttributes {
  readonly axis: number;
}

export const gather: Operator<"gather"> = {
  name: "gather",
  attributes: { axis: integer(-16, 15) },
  inputs: [{ dtypes: movable }, indices],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    const axis = axisOf(node, node.attributes.axis, x.length);
    return [
      { dtypes: [inputs[0]!.dtype], shape: [...x.slice(0, axis), ...shapeOf(node, inputs, 1), ...x.slice(axis + 1)] },
    ];
  },
  // Of a list; an index that is not known names nothing that is.
  evaluate(_node, inputs, [list, places]) {
    if (inputs[0]?.shape.length !== 1 || !list || !places) return undefined;
    return places.map((place) => (typeof place === "number" ? (list[counted(place, list.length)] ?? OPEN) : OPEN));
  },
  lower(node, context) {
    const [x = "", list = ""] = node.inputs;
    return lowerGather(node, context, ({ shape }) => {
      const sizes = shape(x);
      const axis = axisOf(node, node.attributes.axis, sizes.length);
      const block = sizeOf(sizes.slice(axis + 1));
      const [outer, size] = [sizeOf(sizes.slice(0, axis)), sizes[axis]!];
      return {
        axes: [
          { count: outer, stride: size * block, indexStride: 0 },
          { count: sizeOf(shape(list)), stride: 0, indexStride: 1 },
        ],
        coordinates: [{ size, stride: block }],
        block,
      };
    });
  },
};

export function reference(node: NodeOf<"gather">, [x, list]: readonly (Value | undefined)[]): Value[] {
  const { shape, dtype } = x!;
  const axis = axisOf(node, node.attributes.axis, shape.length);
  const rank = list!.shape.length;
  return [
    build(dtype, [...shape.slice(0, axis), ...list!.shape, ...shape.slice(axis + 1)], (index) => {
      const place = counted(at(list!, index.slice(axis, axis + rank)), shape[axis]!);
      return at(x!, [...index.slice(0, axis), place, ...index.slice(axis + rank)]);
    }),
  ];
}
