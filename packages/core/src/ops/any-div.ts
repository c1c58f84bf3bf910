/**
 * a / b: `div` of any type; integers are cut towards 0, and 0 where b is 0.
 *
 * Inputs: a and b of one number type, of shapes that broadcast. Output: that type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, evaluated, floatTypes, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const anyDiv = elementwise("anyDiv", {
  inputs: [of(numberTypes), of(numberTypes)],
  call: () => ({ function: "div" }),
  evaluate: evaluated((a, b) => (b === 0 ? 0 : Math.trunc(a / b)), 1),
});

export function reference(_node: NodeOf<"anyDiv">, [a, b]: readonly (Value | undefined)[]): Value[] {
  const isFloat = floatTypes.includes(a!.dtype);
  return eachOf(a!.dtype, [a, b], (a, b) => (isFloat ? a / b : b === 0 ? 0 : Math.trunc(a / b)));
}
