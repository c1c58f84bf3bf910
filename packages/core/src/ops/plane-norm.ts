/**
 * Instance and group normalization, channels first: y = (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c] by the mean and variance (of f64 sums) of each image's groups of channels.
 *
 * Inputs: x f32 [N, C, spatial...]; scale, bias f32 [C]. Output: f32, x's shape. `groups` 0: as many as channels.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { PlaneNorm } from "../kernels/planes.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface PlaneNormAttributes {
  readonly groups: number;
  readonly epsilon: number;
}

export const planeNorm: Operator<"planeNorm"> = {
  name: "planeNorm",
  attributes: { groups: attribute.integer(0, attribute.maxSize), epsilon: attribute.notNegative },
  inputs: [{ dtypes: ["f32"] }, { what: "scale", dtypes: ["f32"] }, { what: "bias", dtypes: ["f32"] }],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    const channels = x[1];
    if (x.length < 2 || typeof channels !== "number") refuse(node, "shape of x", "[N, C, ...] with a known C", x);
    if ((channels as number) % (node.attributes.groups || 1) !== 0)
      refuse(node, "channels", `a multiple of ${node.attributes.groups}`, channels);
    for (const i of [1, 2])
      if (inputs[i]!.shape.join() !== String(channels))
        refuse(node, `shape of input ${i}`, [channels], inputs[i]!.shape);
    return [{ dtypes: ["f32"], shape: x }];
  },
  lower(node, context) {
    const [x = "", scale = "", bias = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const { groups, epsilon } = node.attributes;
    return operationOf(node, context, "normalize", {
      storage: "inPlace",
      bind({ instance, pointer, shape, own }) {
        const [batch, channels] = shape(x) as [number, number];
        const inner = sizeOf(shape(x).slice(2));
        const norm = own(new PlaneNorm(instance, { channels, groups: groups || channels, inner, epsilon }));
        const [from, by, plus, to] = [pointer(x), pointer(scale), pointer(bias), pointer(y)];
        return () => norm.run(from, batch, by, plus, to);
      },
    });
  },
};

export function reference(
  { attributes }: NodeOf<"planeNorm">,
  [x, scale, bias]: readonly (Value | undefined)[],
): Value[] {
  const channels = x!.shape[1]!;
  const inner = sizeOf(x!.shape.slice(2));
  const length = (channels / (attributes.groups || channels)) * inner;
  const data = x!.data.map((value, i) => {
    const group = x!.data.subarray(Math.floor(i / length) * length, Math.floor(i / length) * length + length);
    const mean = group.reduce((sum, v) => sum + v, 0) / length;
    const variance = group.reduce((sum, v) => sum + (v - mean) ** 2, 0) / length;
    const c = Math.floor(i / inner) % channels;
    return ((value - mean) / Math.sqrt(variance + attributes.epsilon)) * scale!.data[c]! + bias!.data[c]!;
  });
  return [{ dtype: "f32", shape: x!.shape, data: data.map(Math.fround) }];
}
