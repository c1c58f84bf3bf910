/**
 * x > alpha ? x : 0.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import { finite } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export interface ThresholdedReluAttributes {
  readonly alpha: number;
}

export const thresholdedRelu = elementwise("thresholdedRelu", {
  attributes: { alpha: finite },
  inputs: [of(floatTypes)],
  call: ({ attributes: { alpha } }) => ({ function: "thresholdedRelu", constants: [alpha] }),
});

export function reference({ attributes }: NodeOf<"thresholdedRelu">, [x]: readonly (Value | undefined)[]): Value[] {
  const { alpha } = attributes;
  return eachOf(x!.dtype, [x], (x) => (x > alpha ? x : 0));
}
