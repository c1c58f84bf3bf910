/**
 * x * tanh(log(1 + exp(x))) (Misra 2019).
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const mish = elementwise("mish", { inputs: [of(floatTypes)], call: () => ({ function: "mish" }) });

export function reference(_node: NodeOf<"mish">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => x * Math.tanh(Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)));
}
