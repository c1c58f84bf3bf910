/**
 * The natural logarithm of x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const log = elementwise("log", { inputs: [of(floatTypes)], call: () => ({ function: "log" }) });

export function reference(_node: NodeOf<"log">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.log(x));
}
