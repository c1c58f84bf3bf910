/**
 * The bits that a or b has; of bools whether one is true.
 *
 * Inputs: a and b of one integer or bool type, of shapes that broadcast. Output: that type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, integerTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const bitwiseOr = elementwise("bitwiseOr", {
  inputs: [of([...integerTypes, "bool"]), of([...integerTypes, "bool"])],
  call: () => ({ function: "bitwiseOr" }),
});

export function reference(_node: NodeOf<"bitwiseOr">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf(a!.dtype, [a, b], (a, b) => Number(BigInt(a) | BigInt(b)));
}
