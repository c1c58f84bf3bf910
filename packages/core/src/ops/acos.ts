/**
 * The arc cosine of x, in radians.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const acos = elementwise("acos", { inputs: [of(floatTypes)], call: () => ({ function: "acos" }) });

export function reference(_node: NodeOf<"acos">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.acos(x));
}
