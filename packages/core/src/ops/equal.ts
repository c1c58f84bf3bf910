/**
 * Whether a and b are equal; of a NaN nothing is.
 *
 * Inputs: a and b of one number or bool type, of shapes that broadcast. Output: bool.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const equal = elementwise("equal", {
  inputs: [of([...numberTypes, "bool"]), of([...numberTypes, "bool"])],
  to: "bool",
  call: () => ({ function: "equal" }),
});

export function reference(_node: NodeOf<"equal">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf("bool", [a, b], (a, b) => Number(a === b));
}
