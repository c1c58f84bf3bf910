/**
 * tanh(x): `tanh` of any float type.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const anyTanh = elementwise("anyTanh", { inputs: [of(floatTypes)], call: () => ({ function: "tanh" }) });

export function reference(_node: NodeOf<"anyTanh">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.tanh(x));
}
