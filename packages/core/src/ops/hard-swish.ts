/**
 * x * min(max(x / 6 + 1 / 2, 0), 1) (Howard et al. 2019).
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const hardSwish = elementwise("hardSwish", {
  inputs: [of(floatTypes)],
  call: () => ({ function: "hardSwish" }),
});

export function reference(_node: NodeOf<"hardSwish">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5)));
}
