/**
 * log(1 + exp(x)).
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const softplus = elementwise("softplus", { inputs: [of(floatTypes)], call: () => ({ function: "softplus" }) });

export function reference(_node: NodeOf<"softplus">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0));
}
