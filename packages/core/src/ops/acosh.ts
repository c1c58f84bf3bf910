/**
 * The inverse hyperbolic cosine of x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const acosh = elementwise("acosh", { inputs: [of(floatTypes)], call: () => ({ function: "acosh" }) });

export function reference(_node: NodeOf<"acosh">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.acosh(x));
}
