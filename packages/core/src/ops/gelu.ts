/**
 * Gaussian error linear unit (Hendrycks and Gimpel 2016): y = x Φ(x), Φ the normal distribution, or with `approximate` its form by tanh,
 * x (1 + tanh(√(2 / π) (x + 0.044715 x³))) / 2.
 *
 * Input: x f32. Output: as x.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { gelu as kernel } from "../kernels/elementwise.ts";
import { elementwise } from "../runtime/lower/simple.ts";
import { type Operator, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface GeluAttributes {
  readonly approximate: "none" | "tanh";
}

export const gelu: Operator<"gelu"> = {
  name: "gelu",
  attributes: { approximate: attribute.oneOf("none", "tanh") },
  inputs: [{ dtypes: ["f32"] }],
  outputs: (node, inputs) => [{ dtypes: ["f32"], shape: shapeOf(node, inputs) }],
  lower(node) {
    const approximate = node.attributes.approximate === "tanh";
    return elementwise(node, "elementwise", (instance, x, count, y) => kernel(instance, x, count, y, approximate));
  },
};

/** erf by its series, which converges to the last digits of f64 where |x| < 6; beyond, ±1. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export function reference({ attributes }: NodeOf<"gelu">, [x]: readonly (Value | undefined)[]): Value[] {
  const inner = (v: number) => Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3);
  const gate = (v: number) => (attributes.approximate === "tanh" ? Math.tanh(inner(v)) : erf(v / Math.SQRT2));
  return [{ ...x!, data: x!.data.map((v) => (v * (1 + gate(v))) / 2) }];
}
