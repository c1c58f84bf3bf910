/**
 * Local response normalization (ONNX LRN): y = x / (bias + alpha / size * sum of x^2 over the channels c - floor((size - 1) / 2) to c + ceil((size - 1) / 2))^beta.
 *
 * Input: x f32 [N, C, spatial...], channels first. Output: f32, x's shape.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { LocalResponse, type LocalResponseOptions } from "../kernels/planes.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export type LocalResponseAttributes = LocalResponseOptions;

export const localResponse: Operator<"localResponse"> = {
  name: "localResponse",
  attributes: {
    size: attribute.integer(1, attribute.maxSize),
    alpha: attribute.finite,
    beta: attribute.finite,
    bias: attribute.finite,
  },
  inputs: [{ dtypes: ["f32"] }],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    if (x.length < 2) refuse(node, "axes of x (at least)", 2, x.length);
    return [{ dtypes: ["f32"], shape: x }];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [y = ""] = node.outputs;
    return operationOf(node, context, "normalize", {
      bind({ instance, pointer, shape, own }) {
        const [outer, channels] = shape(x) as [number, number];
        const inner = sizeOf(shape(x).slice(2));
        const kernel = own(new LocalResponse(instance, node.attributes));
        const [from, to] = [pointer(x), pointer(y)];
        return () => kernel.run(from, outer, channels, inner, to);
      },
    });
  },
};

export function reference({ attributes }: NodeOf<"localResponse">, [x]: readonly (Value | undefined)[]): Value[] {
  const { size, alpha, beta, bias } = attributes;
  const channels = x!.shape[1]!;
  const inner = sizeOf(x!.shape.slice(2));
  const data = x!.data.map((value, i) => {
    const c = Math.floor(i / inner) % channels;
    let squares = 0;
    for (let other = c - Math.floor((size - 1) / 2); other <= c + Math.floor(size / 2); other++)
      if (other >= 0 && other < channels) squares += x!.data[i + (other - c) * inner]! ** 2;
    return Math.fround(value / (bias + (alpha / size) * squares) ** beta);
  });
  return [{ dtype: "f32", shape: x!.shape, data }];
}
