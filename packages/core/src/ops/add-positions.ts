/**
 * Learned positions (Devlin et al. 2018): y[..., s, :] = x[..., s, :] + table[s + offset, :]. A sequence longer than the table is refused when it is bound.
 *
 * Inputs: x f32 [..., S, D], table [P, D], a constant of f32, f16 or affine codes, decoded once. Output: as x.
 */
import { ShapeError } from "../errors.ts";
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { addPositions as kernel } from "../kernels/embedding.ts";
import { sizeOf } from "../tensor.ts";
import { decodedTable, tableInput } from "./embedding.ts";
import { type Operator, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface AddPositionsAttributes {
  /** Row of the table for position 0. */
  readonly offset: number;
}

export const addPositions: Operator<"addPositions"> = {
  name: "addPositions",
  attributes: { offset: attribute.integer(0, attribute.maxSize) },
  inputs: [{ dtypes: ["f32"] }, tableInput],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    const table = shapeOf(node, inputs, 1);
    if (x.length < 2) refuse(node, "axes of x (at least)", 2, x.length);
    if (table.length !== 2 || table[1] !== x.at(-1)) refuse(node, "shape of the table", ["P", x.at(-1)], table);
    return [{ dtypes: ["f32"], shape: x }];
  },
  lower(node, context) {
    const [x = "", table = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const { offset } = node.attributes;
    const limit = context.constant(table).shape[0]!;
    const decoded = decodedTable(node, context);
    if (!decoded) return undefined;
    return {
      node: node.name,
      op: node.op,
      kernel: "embedding",
      inputs: [x],
      output,
      storage: "inPlace",
      bind({ instance, pointer, shape }) {
        const sizes = shape(x);
        const [positions, columns] = sizes.slice(-2) as [number, number];
        if (positions + offset > limit)
          throw new ShapeError(`addPositions "${node.name}"`, "positions (at most)", limit - offset, positions);
        const batch = sizeOf(sizes.slice(0, -2));
        const [from, to] = [pointer(x), pointer(output)];
        const sequence = [batch, positions, columns] as const;
        return () => kernel(instance, from, sequence, decoded.pointer, limit, offset, to);
      },
      [Symbol.dispose]: () => decoded[Symbol.dispose](),
    };
  },
};

export function reference(node: NodeOf<"addPositions">, [x, table]: readonly (Value | undefined)[]): Value[] {
  const [positions = 0, columns = 0] = x!.shape.slice(-2);
  const row = (i: number) => (Math.floor(i / columns) % positions) + node.attributes.offset;
  return [
    { ...x!, data: x!.data.map((value, i) => Math.fround(value + table!.data[row(i) * columns + (i % columns)]!)) },
  ];
}
