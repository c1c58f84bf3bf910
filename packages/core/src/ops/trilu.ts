/**
 * The upper or lower triangle of matrices, zeros elsewhere: what lies on the diagonal `k` columns right of the main one, and above or below it.
 *
 * Inputs: x of any type but bits, [..., rows, columns]; k, one element int64 or int32 (absent: 0). Output: x's type and shape.
 */
import { flag } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { bytesOf, sizeOf, type TensorDType } from "../tensor.ts";
import { movable, type Operator, operationOf, refuse, shapeOf, sizes } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";

export interface TriluAttributes {
  readonly upper: boolean;
}

export const trilu: Operator<"trilu"> = {
  name: "trilu",
  attributes: { upper: flag },
  inputs: [{ dtypes: movable }, { ...sizes, optional: true }],
  outputs(node, inputs, [, k]) {
    const shape = shapeOf(node, inputs);
    if (shape.length < 2) refuse(node, "axes of x (at least)", 2, shape.length);
    if (k && k.length !== 1) refuse(node, "elements of k", 1, k.length);
    return [{ dtypes: [inputs[0]!.dtype], shape }];
  },
  lower(node, context) {
    const [x = "", k] = node.inputs;
    const [y = ""] = node.outputs;
    const { upper } = node.attributes;
    const bytes = bytesOf[context.info(x).dtype as TensorDType];
    return operationOf(node, context, "strided", {
      bind({ instance, pointer, elements, shape }) {
        const size = shape(x);
        const [rows, columns] = size.slice(-2) as [number, number];
        const [diagonal] = elements(k) ?? [0];
        // Farther than a matrix reaches, every diagonal is the same.
        const near = Math.max(-rows - 1, Math.min(columns + 1, diagonal!));
        const [from, to, count] = [pointer(x), pointer(y), sizeOf(size)];
        const { strided_triangle } = instance.exports;
        return () => instance.check(strided_triangle(bytes, rows, columns, near, upper ? 1 : 0, from, to, count));
      },
    });
  },
};

export function reference(node: NodeOf<"trilu">, [x, k]: readonly (Value | undefined)[]): Value[] {
  const diagonal = k?.data[0] ?? 0;
  return [
    build(x!.dtype, x!.shape, (index) => {
      const above = index.at(-1)! - index.at(-2)! - diagonal;
      return (node.attributes.upper ? above >= 0 : above <= 0) ? at(x!, index) : 0;
    }),
  ];
}
