/**
 * The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";
import { erfOf } from "./reference-erf.ts";

export const erf = elementwise("erf", { inputs: [of(floatTypes)], call: () => ({ function: "erf" }) });

export function reference(_node: NodeOf<"erf">, [x]: readonly (Value | undefined)[]): Value[] {
  return eachOf(x!.dtype, [x], (x) => erfOf(x, Math.exp));
}
