/**
 * x < -lambda ? x + bias : x > lambda ? x - bias : 0.
 *
 * Input: x of a float type. Output: its type and shape.
 */
import { finite } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export interface ShrinkAttributes {
  readonly lambda: number;
  readonly bias: number;
}

export const shrink = elementwise("shrink", {
  attributes: { lambda: finite, bias: finite },
  inputs: [of(floatTypes)],
  call: ({ attributes: { lambda, bias } }) => ({ function: "shrink", constants: [lambda, bias] }),
});

export function reference({ attributes }: NodeOf<"shrink">, [x]: readonly (Value | undefined)[]): Value[] {
  const { lambda, bias } = attributes;
  return eachOf(x!.dtype, [x], (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0));
}
