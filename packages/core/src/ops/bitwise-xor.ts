/**
 * The bits that one of a and b has; of bools whether they differ.
 *
 * Inputs: a and b of one integer or bool type, of shapes that broadcast. Output: that type.
 */
import type { NodeOf } from "../graph/types.ts";
import { eachOf, elementwise, integerTypes, of } from "./elementwise.ts";
import type { Value } from "./reference.ts";

export const bitwiseXor = elementwise("bitwiseXor", {
  inputs: [of([...integerTypes, "bool"]), of([...integerTypes, "bool"])],
  call: () => ({ function: "bitwiseXor" }),
});

export function reference(_node: NodeOf<"bitwiseXor">, [a, b]: readonly (Value | undefined)[]): Value[] {
  return eachOf(a!.dtype, [a, b], (a, b) => Number(BigInt(a) ^ BigInt(b)));
}
