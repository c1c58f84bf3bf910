/** Sigmoid linear unit, also called Swish (Elfwing, Uchibe and Doya 2017): y = x / (1 + exp(-x)). Input: x f32. Output: as x. */
import type { NodeOf } from "../graph/types.ts";
import { silu as kernel } from "../kernels/elementwise.ts";
import { elementwise } from "../runtime/lower/simple.ts";
import { type Operator, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export type SiluAttributes = Record<never, never>;

export const silu: Operator<"silu"> = {
  name: "silu",
  attributes: {},
  inputs: [{ dtypes: ["f32"] }],
  outputs: (node, inputs) => [{ dtypes: ["f32"], shape: shapeOf(node, inputs) }],
  lower: (node) => elementwise(node, "elementwise", kernel),
};

export function reference(_node: NodeOf<"silu">, [x]: readonly (Value | undefined)[]): Value[] {
  return [{ ...x!, data: x!.data.map((v) => v / (1 + Math.exp(-v))) }];
}
