/**
 * x / (1 + |x|).
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const softsign = elementwise("softsign", { inputs: [of(floatTypes)], call: () => ({ function: "softsign" }) });

export function reference(_node: NodeOf<"softsign">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => x / (1 + Math.abs(x)));
}
