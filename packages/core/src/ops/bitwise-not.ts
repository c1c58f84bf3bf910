/**
 * The bits of x turned.
 *
 * Input: x of an integer type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, integerTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const bitwiseNot = elementwise("bitwiseNot", {
  inputs: [of(integerTypes)],
  call: () => ({ function: "bitwiseNot" }),
});

export function reference(_node: NodeOf<"bitwiseNot">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => -1 - x);
}
