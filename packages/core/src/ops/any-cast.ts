/**
 * x in another type: `cast` of any type. Floats round to nearest, ties to even; floats to integers are cut towards 0, saturate, and are 0 of a NaN; integers keep the
 * low bits; bool is whether x is not 0.
 *
 * Input: x of any type. Output: `to`, of x's shape.
 */
import { oneOf } from "../graph/attributes.ts";
import type { DataOf, NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, floatTypes, of } from "./elementwise.ts";
import { movable } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface AnyCastAttributes {
  readonly to: keyof DataOf;
}

export const anyCast = elementwise("anyCast", {
  attributes: { to: oneOf(...movable) },
  inputs: [of(movable)],
  to: ({ attributes: { to } }) => to,
  call: () => ({ function: "identity" }),
});

export function reference({ attributes: { to } }: NodeOf<"anyCast">, [x]: readonly (Value | undefined)[]): Value[] {
  const isFloat = floatTypes.includes(x!.dtype);
  const bits = { int8: 7, int16: 15, int32: 31, int64: 63, uint8: 8, uint16: 16, uint32: 32, uint64: 64 };
  return eachOf(to, [x], (x) => {
    if (!isFloat || !(to in bits)) return x;
    if (Number.isNaN(x)) return 0;
    const most = 2 ** bits[to as keyof typeof bits];
    return Math.min(most - 1, Math.max(to.startsWith("u") ? 0 : -most, Math.trunc(x)));
  });
}
