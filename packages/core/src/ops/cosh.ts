/**
 * The hyperbolic cosine of x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const cosh = elementwise("cosh", { inputs: [of(floatTypes)], call: () => ({ function: "cosh" }) });

export function reference(_node: NodeOf<"cosh">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => Math.cosh(x));
}
