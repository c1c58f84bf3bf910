/**
 * The smaller one of a and b; NaN where one of them is.
 *
 * Inputs: a and b of one number type, of shapes that broadcast. Output: that type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const min = elementwise("min", {
  inputs: [of(numberTypes), of(numberTypes)],
  call: () => ({ function: "min" }),
});

export function reference(_node: NodeOf<"min">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf(a!.dtype, [a, b], (a, b) => Math.min(a, b));
}
