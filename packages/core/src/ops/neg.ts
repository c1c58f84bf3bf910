/**
 * -x.
 *
 * Input: x of a float or signed integer type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of, signedTypes } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const neg = elementwise("neg", {
  inputs: [of([...floatTypes, ...signedTypes])],
  call: () => ({ function: "neg" }),
});

export function reference(_node: NodeOf<"neg">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => -x);
}
