import type { DType, NodeOf } from "../../graph/types.ts";
import { Convolution } from "../../kernels/convolution.ts";
import type { KernelObject } from "../../kernels/kernel-object.ts";
import { sizeOf } from "../../tensor.ts";
import type { LoweringContext } from "./context.ts";
import { depthwiseProduct } from "./depthwise.ts";
import type { Operation } from "./operation.ts";
import { type MadeProduct, makeProduct, type Tail } from "./product.ts";
import { tritStep } from "./trits.ts";

/** A kernel object over whole images. */
export type ImageKernel = KernelObject & { run(x: number, batch: number, y: number): void };

export interface MadeConvolution {
  readonly kernel: string;
  readonly object: ImageKernel;
}

export function lowerConv2d(node: NodeOf<"conv2d">, context: LoweringContext, tail: Tail): Operation | undefined {
  const [x = "", weight = ""] = node.inputs;
  const { shape } = context.constant(weight);
  const info = context.info(x);
  const [, height, width, channels] = info.shape as readonly number[];
  const { groups } = node.attributes;
  const input = [height!, width!] as const;
  // One input channel per group: a kernel of its own, for rows of a handful of weights waste a matrix product.
  const depthwise = groups > 1 && groups === channels && info.dtype !== "bit" && info.dtype !== "trit";
  const made = depthwise
    ? depthwiseProduct(node, context, tail, input, channels)
    : windowedProduct(node, context, tail, input, info.dtype);
  // The same weights for trits without zeros, which count faster as bits.
  const bits = info.dtype === "trit" && made ? windowedProduct(node, context, tail, input, "bit") : undefined;
  if (!made) return undefined;
  const { output } = tail;
  return {
    node: tail.nodes.join(" + "),
    op: node.op,
    kernel: made.kernel,
    inputs: [x],
    output,
    // Each output element is one row of the weight.
    macs: (of) => sizeOf(of(output)) * sizeOf(shape.slice(1)),
    bind: (binding) => tritStep(binding, { x, y: output, count: binding.shape(x)[0]! }, made.object, bits?.object),
    [Symbol.dispose]() {
      made.object.dispose();
      bits?.object.dispose();
    },
  };
}

/** Any family's product of each group, over the windows of the image. */
function windowedProduct(
  node: NodeOf<"conv2d">,
  context: LoweringContext,
  tail: Tail,
  input: readonly [number, number],
  dtype: DType,
): MadeConvolution | undefined {
  const { groups, kernel, padding, pads } = node.attributes;
  const info = context.info(node.inputs[0]!);
  const outputs = context.constant(node.inputs[1]!).shape[0]!;
  const count = outputs / groups;
  const packed = dtype === "bit" || dtype === "trit" ? dtype : undefined;
  if (packed) {
    const channels = info.shape.at(-1) as number;
    if (!context.isWholeRows(node.inputs[0]!)) return context.refuse(node, `${packed} of a reshaped value`);
    if (info.dtype === "trit" && padding === "one" && pads.some((p) => p > 0))
      return context.refuse(node, "trits padded with one");
    // A trit pixel is all sign words, then all non-zero words: a group is not one piece of it.
    if (groups > 1 && info.dtype === "trit") return context.refuse(node, `trits in ${groups} groups`);
    if (groups > 1 && (channels / groups) % 32 !== 0)
      return context.refuse(node, `${packed} groups of ${channels / groups} channels (not a multiple of 32)`);
    if (groups > 1 && context.info(tail.output).dtype === "bit" && count % 32 !== 0)
      return context.refuse(node, `groups of ${count} output channels as bits (not a multiple of 32)`);
  }
  const made: MadeProduct[] = [];
  for (let group = 0; group < groups; group++) {
    const part = { first: group * count, count, taps: kernel[0] * kernel[1], ...(packed && { packed }) };
    const product = makeProduct(node, context, tail, part);
    if (!product) {
      for (const { object } of made) object.dispose();
      return undefined;
    }
    made.push(product);
  }
  const object = new Convolution(
    context.instance,
    made.map((product) => product.object),
    { input, window: node.attributes, padding: missingTap(dtype, info.quantization?.zeroPoint ?? 0, padding) },
  );
  return { kernel: made[0]!.kernel, object };
}

/** What a tap outside the image counts as. */
function missingTap(dtype: DType, zeroPoint: number, padding: "zero" | "one"): number | "zero bits" {
  if (dtype === "int8" || dtype === "uint8") return zeroPoint;
  // A zero word is +1 as bits, and 0 as trits.
  return dtype === "bit" && padding === "zero" ? "zero bits" : 0;
}
