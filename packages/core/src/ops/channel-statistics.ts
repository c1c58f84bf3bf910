/**
 * Mean and variance (the mean of squared differences, of f64 sums) of every channel, channels first.
 *
 * Input: x f32 [N, C, spatial...]. Outputs: mean, variance f32 [C].
 */
import type { NodeOf } from "../graph/types.ts";
import { channelStatistics as kernel } from "../kernels/planes.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export type ChannelStatisticsAttributes = Record<never, never>;

export const channelStatistics: Operator<"channelStatistics"> = {
  name: "channelStatistics",
  attributes: {},
  inputs: [{ dtypes: ["f32"] }],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    if (x.length < 2) refuse(node, "axes of x (at least)", 2, x.length);
    return [
      { dtypes: ["f32"], shape: [x[1]!] },
      { dtypes: ["f32"], shape: [x[1]!] },
    ];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [mean = "", variance = ""] = node.outputs;
    if (variance === "") return context.refuse(node, "without an output for the variance");
    return operationOf(node, context, "normalize", {
      bind({ instance, pointer, shape }) {
        const sizes = [shape(x)[0]!, shape(x)[1]!, sizeOf(shape(x).slice(2))] as const;
        const [from, toMean, toVariance] = [pointer(x), pointer(mean), pointer(variance)];
        return () => kernel(instance, from, sizes, toMean, toVariance);
      },
    });
  },
};

export function reference(_: NodeOf<"channelStatistics">, [x]: readonly (Value | undefined)[]): Value[] {
  const channels = x!.shape[1]!;
  const inner = sizeOf(x!.shape.slice(2));
  const own = Array.from({ length: channels }, (_, c) =>
    x!.data.filter((_, i) => Math.floor(i / inner) % channels === c),
  );
  const means = own.map((values) => values.reduce((sum, v) => sum + v, 0) / values.length);
  const variances = own.map((values, c) => values.reduce((sum, v) => sum + (v - means[c]!) ** 2, 0) / values.length);
  return [means, variances].map((data) => ({
    dtype: "f32",
    shape: [channels],
    data: Float64Array.from(data, Math.fround),
  }));
}
