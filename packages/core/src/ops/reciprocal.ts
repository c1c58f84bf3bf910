/**
 * 1 / x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const reciprocal = elementwise("reciprocal", {
  inputs: [of(floatTypes)],
  call: () => ({ function: "reciprocal" }),
});

export function reference(_node: NodeOf<"reciprocal">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => 1 / x);
}
