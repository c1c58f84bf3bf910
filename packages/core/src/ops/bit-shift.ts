/**
 * a * 2^b, or, `right`, a / 2^b cut; 0 from the type's bits on.
 *
 * Inputs: a and b of one unsigned integer type, of shapes that broadcast. Output: that type.
 */
import { flag } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, of, unsignedTypes } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export interface BitShiftAttributes {
  readonly right: boolean;
}

export const bitShift = elementwise("bitShift", {
  attributes: { right: flag },
  inputs: [of(unsignedTypes), of(unsignedTypes)],
  call: ({ attributes: { right } }) => ({ function: right ? "shiftRight" : "shiftLeft" }),
});

export function reference({ attributes }: NodeOf<"bitShift">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf(a!.dtype, [a, b], (a, b) => (attributes.right ? Math.floor(a / 2 ** b) : a * 2 ** b));
}
