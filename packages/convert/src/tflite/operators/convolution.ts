import type { Attributes, PlainConstant, QuantizedConstant } from "lowbit";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { Conv2DOptions, DepthwiseConv2DOptions } from "../schema.ts";
import { fixedLayer } from "./fixed-point.ts";
import { biasOf, weightsOf } from "./weights.ts";
import { type WindowOptions, windowOf } from "./window.ts";

type Layer = { readonly [K in "conv2d" | "dense"]: Omit<Attributes[K], "clamp"> };

/**
 * A layer and its fused activation: on codes where x and the weights are codes, from its 32-bit sums to the output's own
 * codes; else on floats.
 */
export function addLayer<K extends "conv2d" | "dense">(
  node: NodeContext,
  op: K,
  x: string,
  weights: PlainConstant | QuantizedConstant,
  attributes: Layer[K],
  activation: number,
): string {
  const target = node.target();
  const { quantization } = node.info(x);
  if (quantization && weights.kind !== "quantized")
    node.unsupported("float weights over quantized values", "quantized weights");
  const weight = node.store("weight", weights);
  const fixed = fixedLayer(node, op, [x, weight], attributes, activation);
  if (fixed !== undefined) return fixed;
  const bias = biasOf(node, 2, weights, quantization?.scale ?? node.grid(0));
  const inputs = [x, weight, ...(bias ? [node.store("bias", bias)] : [])];
  const clamp = node.clampOf(activation);
  const all = { ...attributes, ...(clamp && { clamp }) } as unknown as Attributes[K];
  if (quantization && target.quantization && (clamp || activation === 0))
    return node.main(op, inputs, all as never, target);
  const y = node.main(op, inputs, all as never, { dtype: "f32" });
  return clamp ? y : node.activated(y, activation);
}

function convolve(
  node: NodeContext,
  weights: PlainConstant | QuantizedConstant,
  options: WindowOptions & { readonly activation: number },
): void {
  const x = node.has(0) && node.target().quantization ? node.value(0) : node.real(0, 4);
  const shape = node.shape(x);
  if (shape.length !== 4 || weights.shape.length !== 4)
    node.damaged("ranks of input and weights", [4, 4], [shape.length, weights.shape.length]);
  const [outputs, height, width, perGroup] = weights.shape as [number, number, number, number];
  const channels = shape[3];
  if (typeof channels !== "number" || channels % perGroup !== 0 || outputs % (channels / perGroup) !== 0)
    node.damaged(
      "weights",
      `channels that divide the input's ${channels}, whose groups divide ${outputs} outputs`,
      perGroup,
    );
  const window = windowOf(node, x, [height, width], options);
  const attributes = { ...window, groups: channels / perGroup, padding: "zero" as const };
  const y = addLayer(node, "conv2d", x, weights, attributes, options.activation);
  if (node.info(y).dtype === "f32") node.bindReal(y);
  else node.bind(y);
}

export const convolution: Readonly<Record<string, OperatorImporter>> = {
  /** x [N, H, W, C], weights [O, kh, kw, C / groups], bias? [O] */
  CONV_2D: (node) => convolve(node, weightsOf(node, 1, 0), node.options(Conv2DOptions)),
  /** x [N, H, W, C], weights [1, kh, kw, C * multiplier], bias? */
  DEPTHWISE_CONV_2D: (node) => {
    if (node.tensor(1).shape.length !== 4 || node.tensor(1).shape[0] !== 1)
      node.damaged("weights", "[1, height, width, channels]", node.tensor(1).shape);
    convolve(node, weightsOf(node, 1, 3, [3, 1, 2, 0]), node.options(DepthwiseConv2DOptions));
  },
};
