/**
 * tan(x), x in radians.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const tan = elementwise("tan", { inputs: [of(floatTypes)], call: () => ({ function: "tan" }) });

export function reference(_node: NodeOf<"tan">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.tan(x));
}
