/**
 * The largest integer that is not above x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const floor = elementwise("floor", { inputs: [of(floatTypes)], call: () => ({ function: "floor" }) });

export function reference(_node: NodeOf<"floor">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.floor(x));
}
