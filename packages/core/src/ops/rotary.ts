/**
 * Rotary positions (Su et al. 2021): of every head the pairs (i, i + depth / 2) of position s turned by the angle s * theta^(-2 i / depth), as Llama's checkpoints order them.
 * Sines and cosines are computed in f64 when a length is bound, and rounded to f32.
 *
 * Input: x f32 [B, S, heads * depth], depth even. Output: as x.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { Rotary } from "../kernels/attention.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface RotaryAttributes {
  readonly heads: number;
  readonly theta: number;
}

const aboveZero: attribute.AttributeRule = {
  test: (value) => Number.isFinite(value) && (value as number) > 0,
  wants: "a number > 0",
};

export const rotary: Operator<"rotary"> = {
  name: "rotary",
  attributes: { heads: attribute.integer(1, 4096), theta: aboveZero },
  inputs: [{ dtypes: ["f32"] }],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    const { heads } = node.attributes;
    if (x.length !== 3) refuse(node, "axes of x", 3, x.length);
    const width = x[2]!;
    if (typeof width !== "number" || width % (2 * heads) !== 0)
      refuse(node, "last axis of x", `a multiple of ${2 * heads}`, width);
    return [{ dtypes: ["f32"], shape: x }];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const { heads, theta } = node.attributes;
    return operationOf(node, context, "attention", {
      storage: "inPlace",
      bind(binding) {
        const [batch, positions, width] = binding.shape(x) as [number, number, number];
        const object = binding.own(new Rotary(binding.instance, positions, width / heads, theta));
        const [from, to] = [binding.pointer(x), binding.pointer(output)];
        return () => object.run(from, to, batch, positions, heads);
      },
    });
  },
};

export function reference({ attributes }: NodeOf<"rotary">, [x]: readonly (Value | undefined)[]): Value[] {
  const [, positions = 0, width = 0] = x!.shape;
  const depth = width / attributes.heads;
  const half = depth / 2;
  const turned = (value: number, i: number) => {
    const [place, s] = [i % depth, Math.floor(i / width) % positions];
    const angle = s * attributes.theta ** ((-2 * (place % half)) / depth);
    const other = x!.data[place < half ? i + half : i - half]!;
    return value * Math.cos(angle) + (place < half ? -other : other) * Math.sin(angle);
  };
  return [{ ...x!, data: x!.data.map(turned) }];
}
