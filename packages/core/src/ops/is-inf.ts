/**
 * Whether x is infinite: below, where `negative`, or above, where `positive`.
 *
 * Input: x of a float type. Output: bool of its shape.
 */
import { flag } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export interface IsInfAttributes {
  readonly negative: boolean;
  readonly positive: boolean;
}

export const isInf = elementwise("isInf", {
  attributes: { negative: flag, positive: flag },
  inputs: [of(floatTypes)],
  to: "bool",
  call: ({ attributes: { negative, positive } }) => ({
    function: "isInf",
    constants: [Number(negative), Number(positive)],
  }),
});

export function reference({ attributes }: NodeOf<"isInf">, [x]: readonly (Value | undefined)[]): Value[] {
  const { negative, positive } = attributes;
  return eachOf("bool", [x], (x) =>
    Number((positive && x === Number.POSITIVE_INFINITY) || (negative && x === Number.NEGATIVE_INFINITY)),
  );
}
