/**
 * x > 0 ? x : alpha * (exp(x / alpha) - 1) (Barron 2017).
 *
 * Input: x of a float type. Output: its type and shape.
 */
import { finite } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export interface CeluAttributes {
  readonly alpha: number;
}

export const celu = elementwise("celu", {
  attributes: { alpha: finite },
  inputs: [of(floatTypes)],
  call: ({ attributes: { alpha } }) => ({ function: "celu", constants: [alpha] }),
});

export function reference({ attributes }: NodeOf<"celu">, [x]: readonly (Value | undefined)[]): Value[] {
  const { alpha } = attributes;
  return eachOf(x!.dtype, [x], (x) => (x > 0 ? x : alpha * Math.expm1(x / alpha)));
}
