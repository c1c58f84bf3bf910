/**
 * a to the b. Where both are integers exactly, modulo 2^bits, negative powers cut towards 0; else in f64, rounded (or cut) to a's type.
 *
 * Inputs: a and b of number types, of shapes that broadcast. Output: a's type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, numberTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const pow = elementwise("pow", {
  inputs: [of(numberTypes), of(numberTypes)],
  free: [1],
  call: () => ({ function: "pow" }),
});

export function reference(_node: NodeOf<"pow">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf(a!.dtype, [a, b], (a, b) => a ** b);
}
