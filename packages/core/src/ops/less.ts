/**
 * Whether a is below b.
 *
 * Inputs: a and b of one number type, of shapes that broadcast. Output: bool.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const less = elementwise("less", {
  inputs: [of(numberTypes), of(numberTypes)],
  to: "bool",
  call: () => ({ function: "less" }),
});

export function reference(_node: NodeOf<"less">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf("bool", [a, b], (a, b) => Number(a < b));
}
