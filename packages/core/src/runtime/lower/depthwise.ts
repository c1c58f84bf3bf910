/** Convolutions with one input channel per group. */
import { decodeWeights } from "../../graph/decode.ts";
import type { NodeOf } from "../../graph/types.ts";
import { DepthwiseAffine, DepthwiseF32 } from "../../kernels/depthwise.ts";
import type { LoweringContext } from "./context.ts";
import type { MadeConvolution } from "./conv2d.ts";
import type { Tail } from "./product.ts";
import { outputOf } from "./requantize.ts";
import { codedRows, isGrouped, rowScales } from "./weights.ts";

export function depthwiseProduct(
  node: NodeOf<"conv2d">,
  context: LoweringContext,
  tail: Tail,
  input: readonly [number, number],
  channels: number,
): MadeConvolution | undefined {
  const { instance } = context;
  const x = context.info(node.inputs[0]!);
  const y = context.info(tail.output);
  const weight = context.constant(node.inputs[1]!);
  const bias = context.floats(node.inputs[2]);
  const { clamp } = node.attributes;
  const place = { input, channels, window: node.attributes };
  const what = `${x.dtype} x ${weight.kind === "plain" ? weight.dtype : weight.scheme} -> ${y.dtype}, depthwise`;

  if (x.dtype === "f32") {
    if (y.dtype !== "f32") return context.refuse(node, what);
    // A row is a handful of weights: decoded once, they cost less than decoding them for every image.
    const weights = weight.kind === "plain" ? context.floats(node.inputs[1])! : decodeWeights(weight);
    return { kernel: "depthwise_f32", object: new DepthwiseF32(instance, { ...place, weights, bias, clamp }) };
  }
  if (weight.kind !== "quantized" || !x.quantization) return context.refuse(node, what);
  const rows = codedRows(weight, 0, weight.shape[0]!);
  const { n, k, bits, codes, decoding } = rows;
  if (decoding.kind !== "affine" || isGrouped(rows)) return context.refuse(node, what);
  const { end } = tail;
  const output = end
    ? end.kind === "bits"
      ? end
      : { kind: end.kind, scale: end.scale, bias: end.bias, ...(end.clamp && { clamp: end.clamp }) }
    : outputOf(y, { scale: rowScales(rows, x.quantization.scale), bias, clamp });
  if (!output) return context.refuse(node, what);
  const activations = { dtype: x.dtype as "int8" | "uint8", zeroPoint: x.quantization.zeroPoint };
  const options = { ...place, n, k, bits, codes, zeroPoint: decoding.zeroPoint, x: activations, output };
  return { kernel: "depthwise_affine", object: new DepthwiseAffine(instance, options) };
}
