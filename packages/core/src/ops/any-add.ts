/**
 * a + b: `add` of any type; integers modulo 2^bits.
 *
 * Inputs: a and b of one number type, of shapes that broadcast. Output: that type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, evaluated, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const anyAdd = elementwise("anyAdd", {
  inputs: [of(numberTypes), of(numberTypes)],
  call: () => ({ function: "add" }),
  evaluate: evaluated((a, b) => a + b, 0),
});

export function reference(_node: NodeOf<"anyAdd">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf(a!.dtype, [a, b], (a, b) => a + b);
}
