/**
 * The square root of x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const sqrt = elementwise("sqrt", { inputs: [of(floatTypes)], call: () => ({ function: "sqrt" }) });

export function reference(_node: NodeOf<"sqrt">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.sqrt(x));
}
