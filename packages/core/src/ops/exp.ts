/**
 * e to the x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const exp = elementwise("exp", { inputs: [of(floatTypes)], call: () => ({ function: "exp" }) });

export function reference(_node: NodeOf<"exp">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.exp(x));
}
