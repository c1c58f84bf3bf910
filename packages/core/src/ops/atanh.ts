/**
 * The inverse hyperbolic tangent of x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const atanh = elementwise("atanh", { inputs: [of(floatTypes)], call: () => ({ function: "atanh" }) });

export function reference(_node: NodeOf<"atanh">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.atanh(x));
}
