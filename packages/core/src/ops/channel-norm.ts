/**
 * Batch normalization, channels first, by statistics that are values: y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c], rounded at every step. Constant ones are `batchNorm`'s.
 *
 * Inputs: x f32 [N, C, spatial...]; scale, bias, mean, variance f32 [C]. Output: f32, x's shape.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { ChannelNorm } from "../kernels/planes.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface ChannelNormAttributes {
  readonly epsilon: number;
}

const vector = { dtypes: ["f32" as const] };

export const channelNorm: Operator<"channelNorm"> = {
  name: "channelNorm",
  attributes: { epsilon: attribute.notNegative },
  inputs: [vector, vector, vector, vector, vector],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    for (const [i, input] of inputs.entries())
      if (i > 0 && input!.shape.join() !== String(x[1])) refuse(node, `shape of input ${i}`, [x[1]], input!.shape);
    return [{ dtypes: ["f32"], shape: x }];
  },
  lower(node, context) {
    const [x = "", ...vectors] = node.inputs;
    const [y = ""] = node.outputs;
    return operationOf(node, context, "normalize", {
      storage: "inPlace",
      bind({ instance, pointer, shape, own }) {
        const [batch, channels] = shape(x) as [number, number];
        const norm = own(new ChannelNorm(instance, channels, sizeOf(shape(x).slice(2)), node.attributes.epsilon));
        const [from, to] = [pointer(x), pointer(y)];
        const by = vectors.map(pointer) as [number, number, number, number];
        return () => norm.run(from, batch, by, to);
      },
    });
  },
};

export function reference({ attributes }: NodeOf<"channelNorm">, inputs: readonly (Value | undefined)[]): Value[] {
  const [x, scale, bias, mean, variance] = inputs as readonly Value[];
  const inner = sizeOf(x!.shape.slice(2));
  const data = x!.data.map((value, i) => {
    const c = Math.floor(i / inner) % x!.shape[1]!;
    const deviation = Math.fround(Math.sqrt(Math.fround(variance!.data[c]! + Math.fround(attributes.epsilon))));
    const normal = Math.fround(Math.fround(value - mean!.data[c]!) / deviation);
    return Math.fround(Math.fround(normal * scale!.data[c]!) + bias!.data[c]!);
  });
  return [{ dtype: "f32", shape: x!.shape, data }];
}
