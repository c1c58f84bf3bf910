/**
 * The integer nearest to x, ties to even.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const round = elementwise("round", { inputs: [of(floatTypes)], call: () => ({ function: "round" }) });

export function reference(_node: NodeOf<"round">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => {
    const below = Math.floor(x);
    const isTie = x - below === 0.5;
    return isTie ? 2 * Math.round(below / 2) : Math.round(x);
  });
}
