/** Operators whose kernel is a function of pointers and a count. */
import { casts } from "../../graph/operators.ts";
import type { CastType, Node, NodeOf } from "../../graph/types.ts";
import { dequantizeActivations, quantizeActivations } from "../../kernels/activations.ts";
import { clip, leakyRelu, sigmoid, tanh } from "../../kernels/elementwise.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { cast } from "../../kernels/transform.ts";
import { sizeOf } from "../../tensor.ts";
import type { LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";
import { lowerUnpack } from "./sign.ts";

type Kernel = (instance: KernelInstance, x: number, count: number, y: number) => void;

const nothing = (): void => {};

/** One input, one output of the same number of elements. */
export function elementwise(
  node: Node,
  kernel: string,
  run: Kernel,
  storage: { readonly storage?: "inPlace" } = { storage: "inPlace" },
): Operation {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  return {
    node: node.name,
    op: node.op,
    kernel,
    inputs: [x],
    output: y,
    ...storage,
    bind({ instance, pointer, shape }) {
      const from = pointer(x);
      const to = pointer(y);
      const count = sizeOf(shape(x));
      return () => run(instance, from, count, to);
    },
    [Symbol.dispose]: nothing,
  };
}

export function lowerClip(node: NodeOf<"clip">, context: LoweringContext): Operation | undefined {
  const { min, max } = node.attributes;
  const { dtype } = context.info(node.inputs[0]!);
  if (dtype !== "f32") return context.refuse(node, `clip of ${dtype}`);
  return elementwise(node, "elementwise", (instance, x, count, y) => clip(instance, x, count, y, min, max));
}

export function lowerLeakyRelu(node: NodeOf<"leakyRelu">): Operation {
  const { alpha } = node.attributes;
  return elementwise(node, "elementwise", (instance, x, count, y) => leakyRelu(instance, x, count, y, alpha));
}

export const lowerSigmoid = (node: NodeOf<"sigmoid">): Operation => elementwise(node, "elementwise", sigmoid);
export const lowerTanh = (node: NodeOf<"tanh">): Operation => elementwise(node, "elementwise", tanh);

export function lowerQuantize(node: NodeOf<"quantize">, context: LoweringContext): Operation {
  const { dtype, quantization } = context.info(node.outputs[0]!);
  const to = dtype as "int8" | "uint8";
  // Read here, for a float that is read from an object in every run is an object in every run.
  const { scale, zeroPoint } = quantization!;
  const run: Kernel = (instance, x, count, y) => quantizeActivations(instance, x, count, y, to, scale, zeroPoint);
  return elementwise(node, "convert", run, {});
}

export function lowerDequantize(node: NodeOf<"dequantize">, context: LoweringContext): Operation {
  const { dtype, quantization } = context.info(node.inputs[0]!);
  const from = dtype as "int8" | "uint8";
  const { scale, zeroPoint } = quantization!;
  const run: Kernel = (instance, x, count, y) => dequantizeActivations(instance, x, count, y, from, scale, zeroPoint);
  return elementwise(node, "convert", run, {});
}

export function lowerCast(node: NodeOf<"cast">, context: LoweringContext): Operation | undefined {
  const { dtype } = context.info(node.inputs[0]!);
  const { to } = node.attributes;
  if (dtype === "bit" || dtype === "trit") return lowerUnpack(node, context);
  if (dtype === to) return elementwiseAlias(node);
  if (!(casts as readonly string[]).includes(dtype)) return context.refuse(node, `of ${dtype}`);
  const from = dtype as CastType;
  return elementwise(node, "convert", (instance, x, count, y) => cast(instance, from, x, count, to, y), {});
}

/** The output is the input's bytes under another shape or name. */
export function elementwiseAlias(node: Node): Operation {
  return {
    node: node.name,
    op: node.op,
    kernel: "none",
    inputs: [node.inputs[0]!],
    output: node.outputs[0]!,
    storage: "alias",
    bind: () => nothing,
    [Symbol.dispose]: nothing,
  };
}
