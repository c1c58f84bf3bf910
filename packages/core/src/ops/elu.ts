/**
 * gamma * (x > 0 ? x : alpha * (exp(x) - 1)): ELU where gamma is 1 (Clevert et al. 2015), SELU else (Klambauer et al. 2017).
 *
 * Input: x of a float type. Output: its type and shape.
 */
import { finite } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export interface EluAttributes {
  readonly alpha: number;
  readonly gamma: number;
}

export const elu = elementwise("elu", {
  attributes: { alpha: finite, gamma: finite },
  inputs: [of(floatTypes)],
  call: ({ attributes: { alpha, gamma } }) => ({ function: "elu", constants: [alpha, gamma] }),
});

export function reference({ attributes }: NodeOf<"elu">, [x]: readonly (Value | undefined)[]): Value[] {
  const { alpha, gamma } = attributes;
  return eachOf(x!.dtype, [x], (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x)));
}
