/**
 * Whether a and b are equal; of a NaN nothing is.
 *
 * Inputs: a and b of one number or bool type, of shapes that broadcast. Output: bool.
 */
import { OPEN } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, evaluatedBy, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const equal = elementwise("equal", {
  inputs: [of([...numberTypes, "bool"]), of([...numberTypes, "bool"])],
  to: "bool",
  // A symbol is a size, which no negative number is.
  evaluate: evaluatedBy((a, b) => {
    if (typeof a === "number" && typeof b === "number") return Number(a === b);
    if (a === OPEN || b === OPEN) return OPEN;
    return a === b ? 1 : Number(a) < 0 || Number(b) < 0 ? 0 : OPEN;
  }),
  call: () => ({ function: "equal" }),
});

export function reference(_node: NodeOf<"equal">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf("bool", [a, b], (a, b) => Number(a === b));
}
