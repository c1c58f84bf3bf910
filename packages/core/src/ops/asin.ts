/**
 * The arc sine of x, in radians.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const asin = elementwise("asin", { inputs: [of(floatTypes)], call: () => ({ function: "asin" }) });

export function reference(_node: NodeOf<"asin">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.asin(x));
}
