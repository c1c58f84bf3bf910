/**
 * cos(x), x in radians.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const cos = elementwise("cos", { inputs: [of(floatTypes)], call: () => ({ function: "cos" }) });

export function reference(_node: NodeOf<"cos">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.cos(x));
}
