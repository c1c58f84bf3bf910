/**
 * Whether x is false.
 *
 * Input: x bool. Output: bool of its shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const not = elementwise("not", { inputs: [of(["bool"])], call: () => ({ function: "not" }) });

export function reference(_node: NodeOf<"not">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf("bool", [x], (x) => 1 - x);
}
