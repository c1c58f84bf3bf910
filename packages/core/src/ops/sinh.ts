/**
 * The hyperbolic sine of x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const sinh = elementwise("sinh", { inputs: [of(floatTypes)], call: () => ({ function: "sinh" }) });

export function reference(_node: NodeOf<"sinh">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.sinh(x));
}
