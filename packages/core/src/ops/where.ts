/**
 * a where the condition is true, else b.
 *
 * Inputs: the condition, bool; a and b of one type, of shapes that broadcast. Output: that type.
 */
import { OPEN } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { bytesOf, type TensorDType } from "../tensor.ts";
import { eachOf, elementwise, evaluatedBy, of } from "./elementwise.ts";
import { movable } from "./operator.ts";
import type { Value } from "./reference.ts";

/** Of which the bits are those of the elements. */
const bits = { 1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64" } as const;

export const where = elementwise("where", {
  inputs: [of(["bool"]), of(movable), of(movable)],
  free: [0],
  evaluate: evaluatedBy((condition, a, b) => (typeof condition === "number" ? (condition ? a! : b!) : OPEN)),
  call(_node, [, a]) {
    const like = a === "f32" ? a : bits[bytesOf[a as TensorDType]];
    return { function: "where", as: { operands: ["bool", like, like], to: like } };
  },
});

export function reference(_node: NodeOf<"where">, [condition, a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf(a!.dtype, [condition, a, b], (condition, a, b) => (condition ? a : b));
}
