/**
 * The bits that a and b both have; of bools whether both are true.
 *
 * Inputs: a and b of one integer or bool type, of shapes that broadcast. Output: that type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, integerTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const bitwiseAnd = elementwise("bitwiseAnd", {
  inputs: [of([...integerTypes, "bool"]), of([...integerTypes, "bool"])],
  call: () => ({ function: "bitwiseAnd" }),
});

export function reference(_node: NodeOf<"bitwiseAnd">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf(a!.dtype, [a, b], (a, b) => Number(BigInt(a) & BigInt(b)));
}
