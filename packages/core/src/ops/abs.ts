/**
 * |x|; of the smallest integer of a signed type that integer itself.
 *
 * Input: x of any number type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const abs = elementwise("abs", { inputs: [of(numberTypes)], call: () => ({ function: "abs" }) });

export function reference(_node: NodeOf<"abs">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.abs(x));
}
