import type { DType, NodeOf } from "../../graph/types.ts";
import { Convolution } from "../../kernels/convolution.ts";
import type { KernelObject } from "../../kernels/kernel-object.ts";
import type { XnorGemm } from "../../kernels/xnor-gemm.ts";
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
  /** The same weights for trits without zeros, which count faster as bits. */
  readonly bits?: ImageKernel | undefined;
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
    : windowedProduct(node, context, tail, input);
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
    bind: (binding) => tritStep(binding, { x, y: output, count: binding.shape(x)[0]! }, made.object, made.bits),
    [Symbol.dispose]() {
      made.object.dispose();
      made.bits?.dispose();
    },
  };
}

/** Any family's product of each group, over the windows of the image. */
function windowedProduct(
  node: NodeOf<"conv2d">,
  context: LoweringContext,
  tail: Tail,
  input: readonly [number, number],
): MadeConvolution | undefined {
  const { groups, kernel, padding, pads } = node.attributes;
  const info = context.info(node.inputs[0]!);
  const outputs = context.constant(node.inputs[1]!).shape[0]!;
  const count = outputs / groups;
  const { dtype } = info;
  if (dtype === "bit" || dtype === "trit") {
    const channels = info.shape.at(-1) as number;
    if (!context.isWholeRows(node.inputs[0]!)) return context.refuse(node, `${dtype} of a reshaped value`);
    if (dtype === "trit" && padding === "one" && pads.some((p) => p > 0))
      return context.refuse(node, "trits padded with one");
    // A trit pixel is all sign words, then all non-zero words: a group is not one piece of it.
    if (groups > 1 && dtype === "trit") return context.refuse(node, `trits in ${groups} groups`);
    if (groups > 1 && (channels / groups) % 32 !== 0)
      return context.refuse(node, `${dtype} groups of ${channels / groups} channels (not a multiple of 32)`);
    if (groups > 1 && context.info(tail.output).dtype === "bit" && count % 32 !== 0)
      return context.refuse(node, `groups of ${count} output channels as bits (not a multiple of 32)`);
  }
  const made: MadeProduct[] = [];
  for (let group = 0; group < groups; group++) {
    const part = { first: group * count, count, taps: kernel[0] * kernel[1] };
    const product = makeProduct(node, context, tail, part);
    if (!product) {
      for (const { object } of made) object.dispose();
      return undefined;
    }
    made.push(product);
  }
  const objects = made.map((product) => product.object);
  const convolution = (products: readonly KernelObject[], of: DType) =>
    new Convolution(context.instance, products, {
      input,
      window: node.attributes,
      padding: missingTap(of, info.quantization?.zeroPoint ?? 0, padding),
    });
  // Made first: a convolution takes its products over.
  const bits = dtype === "trit" ? objects.map((product) => (product as XnorGemm).ofBits()) : undefined;
  return {
    kernel: made[0]!.kernel,
    object: convolution(objects, dtype),
    bits: bits && convolution(bits, "bit"),
  };
}

/** What a tap outside the image counts as. */
function missingTap(dtype: DType, zeroPoint: number, padding: "zero" | "one"): number | "zero bits" {
  if (dtype === "int8" || dtype === "uint8") return zeroPoint;
  // A zero word is +1 as bits, and 0 as trits.
  return dtype === "bit" && padding === "zero" ? "zero bits" : 0;
}
