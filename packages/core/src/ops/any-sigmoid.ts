/**
 * 1 / (1 + exp(-x)): `sigmoid` of any float type.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const anySigmoid = elementwise("anySigmoid", {
  inputs: [of(floatTypes)],
  call: () => ({ function: "sigmoid" }),
});

export function reference(_node: NodeOf<"anySigmoid">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => 1 / (1 + Math.exp(-x)));
}
