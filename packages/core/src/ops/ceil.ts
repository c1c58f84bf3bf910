/**
 * The smallest integer that is not below x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const ceil = elementwise("ceil", { inputs: [of(floatTypes)], call: () => ({ function: "ceil" }) });

export function reference(_node: NodeOf<"ceil">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.ceil(x));
}
