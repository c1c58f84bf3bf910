/**
 * Rows of taps (im2col): y[n, place, g, tap, c] = x[n, pixel(place, tap), g, c]. A product behind it is a convolution over one to three axes, of sizes that only a run
 * knows, or by weights that are values.
 *
 * Inputs: x [N, spatial..., C] of any type of 1, 2 or 4 bytes; fill [] or [1] of the same type, what is outside (absent: 0).
 * Output: [N, places..., taps * C], of x's type; along the last axis the groups, of each its taps, of each its channels.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { Windows } from "../kernels/windows.ts";
import { bytesOf, sizeOf, type TensorDType } from "../tensor.ts";
import { movable, type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import { at, type Value } from "./reference.ts";
import { checkRank, placesAlong, placesOf, type WindowAttributes, windowAxes, windowRules } from "./windows.ts";

export interface UnfoldAttributes extends WindowAttributes {
  readonly groups: number;
}

type Unfold = NodeOf<"unfold">;

export const unfold: Operator<"unfold"> = {
  name: "unfold",
  attributes: { ...windowRules, groups: attribute.integer(1, attribute.maxSize) },
  inputs: [{ dtypes: movable }, { what: "fill", dtypes: "same", optional: true }],
  outputs(node, inputs) {
    const { attributes } = node;
    const x = shapeOf(node, inputs);
    checkRank(node, attributes, x.length - 2);
    const channels = x.at(-1)!;
    if (typeof channels !== "number" || channels % attributes.groups !== 0)
      refuse(node, "channels", `a multiple of ${attributes.groups}`, channels);
    const places = x.slice(1, -1).map((size, axis) => placesAlong(node, attributes, axis, size));
    const shape = [x[0]!, ...places, sizeOf(attributes.kernel) * (channels as number)];
    return [{ dtypes: [inputs[0]!.dtype], shape }];
  },
  lower(node, context) {
    const [x = "", fill = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const elementBytes = bytesOf[context.info(x).dtype as TensorDType];
    if (elementBytes === 8) return context.refuse(node, "elements of 8 bytes");
    return operationOf(node, context, "windows", {
      bind({ instance, pointer, shape, own }) {
        const [batch, channels] = [shape(x)[0]!, shape(x).at(-1)!];
        const axes = windowAxes(node.attributes, shape(x).slice(1, -1), shape(y).slice(1, -1));
        const { groups } = node.attributes;
        const windows = own(new Windows(instance, { axes, channels, groups, elementBytes: elementBytes as 1 | 2 | 4 }));
        const [from, outside, to] = [pointer(x), fill === "" ? 0 : pointer(fill), pointer(y)];
        return () => windows.unfold(from, outside, batch, to);
      },
    });
  },
};

export function reference({ attributes }: Unfold, [x, fill]: readonly (Value | undefined)[]): Value[] {
  const [batch, channels, image] = [x!.shape[0]!, x!.shape.at(-1)!, x!.shape.slice(1, -1)];
  const places = image.map((size, axis) => placesAlong({} as Unfold, attributes, axis, size) as number);
  const depth = channels / attributes.groups;
  const data: number[] = [];
  for (let n = 0; n < batch; n++)
    for (const { taps } of placesOf(attributes, image, places))
      for (let g = 0; g < attributes.groups; g++)
        for (const pixel of taps)
          for (let c = 0; c < depth; c++)
            data.push(pixel ? at(x!, [n, ...pixel, g * depth + c]) : (fill?.data[0] ?? 0));
  const shape = [batch, ...places, sizeOf(attributes.kernel) * channels];
  return [{ dtype: x!.dtype, shape, data: Float64Array.from(data) }];
}
