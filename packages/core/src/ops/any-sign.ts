/**
 * -1, 0 or 1 by the sign of x, 0 of a NaN: `sign` of any type.
 *
 * Input: x of any number type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const anySign = elementwise("anySign", { inputs: [of(numberTypes)], call: () => ({ function: "sign" }) });

export function reference(_node: NodeOf<"anySign">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => (x > 0 ? 1 : x < 0 ? -1 : 0));
}
