/** Operators with one constant per channel, and softmax. */
import { axisOf } from "../../graph/shapes.ts";
import type { Node, NodeOf } from "../../graph/types.ts";
import type { KernelObject } from "../../kernels/kernel-object.ts";
import { BatchNorm, ChannelAffine, softmax, Threshold } from "../../kernels/normalize.ts";
import { sizeOf } from "../../tensor.ts";
import { rowsOf } from "../layout.ts";
import type { LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";

type RowsKernel = KernelObject & { run(x: number, rows: number, y: number): void };

function channelwise(node: Node, kernel: string, object: RowsKernel, inPlace: boolean): Operation {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  return {
    node: node.name,
    op: node.op,
    kernel,
    inputs: [x],
    output: y,
    ...(inPlace && { storage: "inPlace" as const }),
    bind({ pointer, shape }) {
      const from = pointer(x);
      const to = pointer(y);
      const rows = rowsOf(shape(x));
      return () => object.run(from, rows, to);
    },
    [Symbol.dispose]: () => object.dispose(),
  };
}

export function lowerAffine(node: NodeOf<"affine">, context: LoweringContext): Operation {
  const [x = "", scale, bias] = node.inputs;
  const object = new ChannelAffine(context.instance, {
    dtype: context.info(x).dtype as "f32" | "int32",
    scale: context.floats(scale)!,
    bias: context.floats(bias)!,
    clamp: node.attributes.clamp,
  });
  return channelwise(node, "channel_affine", object, true);
}

export function lowerBatchNorm(node: NodeOf<"batchNorm">, context: LoweringContext): Operation {
  const [, scale, bias, mean, variance] = node.inputs.map((name, i) => (i === 0 ? undefined : context.floats(name)!));
  const { epsilon } = node.attributes;
  const object = new BatchNorm(context.instance, {
    scale: scale!,
    bias: bias!,
    mean: mean!,
    variance: variance!,
    epsilon,
  });
  return channelwise(node, "batch_norm", object, true);
}

export function lowerThreshold(node: NodeOf<"threshold">, context: LoweringContext): Operation {
  const thresholds = context.plain(node.inputs[1]!).data as Int32Array;
  return channelwise(node, "threshold", new Threshold(context.instance, thresholds), false);
}

export function lowerSoftmax(node: NodeOf<"softmax">): Operation {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  return {
    node: node.name,
    op: node.op,
    kernel: "softmax",
    inputs: [x],
    output: y,
    storage: "inPlace",
    bind({ instance, pointer, shape }) {
      const sizes = shape(x);
      const axis = axisOf(node, node.attributes.axis, sizes.length);
      const slices = [sizeOf(sizes.slice(0, axis)), sizes[axis]!, sizeOf(sizes.slice(axis + 1))] as const;
      const from = pointer(x);
      const to = pointer(y);
      return () => softmax(instance, from, slices, to);
    },
    [Symbol.dispose]: () => undefined,
  };
}
