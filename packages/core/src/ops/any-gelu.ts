/**
 * x / 2 * (1 + erf(x / sqrt(2))) (Hendrycks and Gimpel 2016), or, `tanh`, x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))), which comes within 5e-4 of it; of any float type.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import { flag } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";
import { erfOf } from "./reference-erf.ts";

export interface AnyGeluAttributes {
  readonly tanh: boolean;
}

export const anyGelu = elementwise("anyGelu", {
  attributes: { tanh: flag },
  inputs: [of(floatTypes)],
  call: ({ attributes: { tanh } }) => ({ function: tanh ? "geluTanh" : "gelu" }),
});

export function reference({ attributes }: NodeOf<"anyGelu">, [x]: readonly (Value | undefined)[]): Value[] {
  const gate = (x: number): number =>
    attributes.tanh ? Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)) : erfOf(x / Math.sqrt(2), Math.exp);
  return eachOf(x!.dtype, [x], (x) => (x / 2) * (1 + gate(x)));
}
