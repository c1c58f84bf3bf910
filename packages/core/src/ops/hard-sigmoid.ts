/**
 * min(max(alpha * x + beta, 0), 1).
 *
 * Input: x of a float type. Output: its type and shape.
 */
import { finite } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export interface HardSigmoidAttributes {
  readonly alpha: number;
  readonly beta: number;
}

export const hardSigmoid = elementwise("hardSigmoid", {
  attributes: { alpha: finite, beta: finite },
  inputs: [of(floatTypes)],
  call: ({ attributes: { alpha, beta } }) => ({ function: "hardSigmoid", constants: [alpha, beta] }),
});

export function reference({ attributes }: NodeOf<"hardSigmoid">, [x]: readonly (Value | undefined)[]): Value[] {
  const { alpha, beta } = attributes;
  return eachOf(x!.dtype, [x], (x) => Math.min(1, Math.max(0, alpha * x + beta)));
}
