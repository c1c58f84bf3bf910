/**
 * Rows of taps added up to images (col2im), the transpose of `unfold`: y[n, pixel(place, tap), g, c] = bias[g, c] + sum of x[n, place, g, tap, c], one chain of f32 over ascending places,
 * then taps. A product before it is a transposed convolution, whose strides stretch x.
 *
 * Inputs: x f32 [N, places..., taps * C]; bias f32 [C] (absent: 0).
 * Output: f32 [N, spatial..., C] with spatial = (places - 1) * stride + (kernel - 1) * dilation + 1 - pads + outputPads.
 */
import * as attribute from "../graph/attributes.ts";
import { OPEN } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { Windows } from "../kernels/windows.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import { at, type Value } from "./reference.ts";
import { checkRank, indices, placesOf, reachOf, type WindowAttributes, windowAxes, windowRules } from "./windows.ts";

export interface FoldAttributes extends WindowAttributes {
  readonly groups: number;
  /** Added behind each axis. */
  readonly outputPads: readonly number[];
}

type Fold = NodeOf<"fold">;

function sizeAlong(node: Fold, axis: number, places: Dim): Dim {
  if (typeof places !== "number") return OPEN;
  const { strides, pads, outputPads, kernel } = node.attributes;
  const reach = (places - 1) * strides[axis]! + reachOf(node.attributes, axis);
  const size = reach - pads[axis]! - pads[axis + kernel.length]! + outputPads[axis]!;
  return size > 0 ? size : refuse(node, `size of axis ${axis} (at least)`, 1, size);
}

export const fold: Operator<"fold"> = {
  name: "fold",
  attributes: {
    ...windowRules,
    groups: attribute.integer(1, attribute.maxSize),
    outputPads: attribute.someIntegers(0, attribute.maxSize, 3),
  },
  inputs: [{ dtypes: ["f32"] }, { what: "bias", dtypes: ["f32"], optional: true }],
  outputs(node, inputs) {
    const { attributes } = node;
    const x = shapeOf(node, inputs);
    checkRank(node, attributes, x.length - 2);
    if (attributes.outputPads.length !== x.length - 2)
      refuse(node, "outputPads", x.length - 2, attributes.outputPads.length);
    const channels = Number(x.at(-1)) / sizeOf(attributes.kernel);
    if (!Number.isInteger(channels / attributes.groups))
      refuse(node, "last axis of x", `a multiple of taps times groups`, x.at(-1));
    const bias = inputs[1]?.shape;
    if (bias && (bias.length !== 1 || bias[0] !== channels)) refuse(node, "shape of bias", [channels], bias);
    const spatial = x.slice(1, -1).map((places, axis) => sizeAlong(node, axis, places));
    return [{ dtypes: ["f32"], shape: [x[0]!, ...spatial, channels] }];
  },
  lower(node, context) {
    const [x = "", bias = ""] = node.inputs;
    const [y = ""] = node.outputs;
    return operationOf(node, context, "windows", {
      bind({ instance, pointer, shape, own }) {
        const [batch, channels] = [shape(y)[0]!, shape(y).at(-1)!];
        const axes = windowAxes(node.attributes, shape(y).slice(1, -1), shape(x).slice(1, -1));
        const windows = own(new Windows(instance, { axes, channels, groups: node.attributes.groups, elementBytes: 4 }));
        const [from, start, to] = [pointer(x), bias === "" ? 0 : pointer(bias), pointer(y)];
        return () => windows.fold(from, start, batch, to);
      },
    });
  },
};

export function reference(node: Fold, [x, bias]: readonly (Value | undefined)[]): Value[] {
  const { attributes } = node;
  const [batch, places] = [x!.shape[0]!, x!.shape.slice(1, -1)];
  const taps = sizeOf(attributes.kernel);
  const channels = x!.shape.at(-1)! / taps;
  const depth = channels / attributes.groups;
  const image = places.map((count, axis) => sizeAlong(node, axis, count) as number);
  const shape = [batch, ...image, channels];
  const sums = new Map<string, number>();
  for (let n = 0; n < batch; n++)
    for (const { place, taps: pixels } of placesOf(attributes, image, places))
      for (const [tap, pixel] of pixels.entries())
        for (let channel = 0; pixel && channel < channels; channel++) {
          const column = (Math.floor(channel / depth) * taps + tap) * depth + (channel % depth);
          const key = [n, ...pixel, channel].join();
          const before = sums.get(key) ?? bias?.data[channel] ?? 0;
          sums.set(key, Math.fround(before + at(x!, [n, ...place, column])));
        }
  const data = [...indices(shape)].map((index) => sums.get(index.join()) ?? bias?.data[index.at(-1)!] ?? 0);
  return [{ dtype: "f32", shape, data: Float64Array.from(data) }];
}
