/**
 * Whether x is no number.
 *
 * Input: x of a float type. Output: bool of its shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const isNan = elementwise("isNan", {
  inputs: [of(floatTypes)],
  to: "bool",
  call: () => ({ function: "isNan" }),
});

export function reference(_node: NodeOf<"isNan">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf("bool", [x], (x) => Number(Number.isNaN(x)));
}
