/** From nodes to operations: one entry per operator, and the nodes that one kernel call does together. */
import { UnsupportedError } from "../../errors.ts";
import type { Graph, Node, ValueInfo } from "../../graph/types.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { lowerBinary, lowerMatmul } from "./broadcast.ts";
import { lowerAffine, lowerBatchNorm, lowerSoftmax, lowerThreshold } from "./channelwise.ts";
import { LoweringContext } from "./context.ts";
import { lowerConv2d } from "./conv2d.ts";
import { lowerDense } from "./dense.ts";
import type { Operation } from "./operation.ts";
import { lowerPool } from "./pool.ts";
import { tailOf } from "./product.ts";
import { lowerConcat, lowerPad, lowerReshape, lowerTranspose } from "./shape-ops.ts";
import { lowerSign } from "./sign.ts";
import {
  lowerCast,
  lowerClip,
  lowerDequantize,
  lowerLeakyRelu,
  lowerQuantize,
  lowerSigmoid,
  lowerTanh,
} from "./simple.ts";

/** A graph whose weights are in WASM memory, ready for any batch. */
export interface Program extends Disposable {
  readonly inputs: readonly string[];
  readonly values: ReadonlyMap<string, ValueInfo>;
  readonly instance: KernelInstance;
  /** In the order of execution. */
  readonly operations: readonly Operation[];
  /** The graph's outputs and the values asked for beside them. */
  readonly outputs: readonly string[];
  /** Address of a plain constant that is read like a value. */
  constantPointer(name: string): number;
  constantShape(name: string): readonly number[];
}

/**
 * @param graph validated
 * @param taps values wanted beside the graph's outputs; what would be fused over them is not
 * @throws UnsupportedError with every node that has no kernel, OutOfMemoryError
 */
export function lowerGraph(graph: Graph, instance: KernelInstance, taps: readonly string[] = []): Program {
  const outputs = [...new Set([...graph.outputs, ...taps])];
  const context = new LoweringContext(graph, instance, outputs);
  const operations: Operation[] = [];
  const dispose = () => {
    for (const operation of operations) operation[Symbol.dispose]();
    context.freeConstants();
  };
  try {
    const needed = neededNodes(graph, outputs);
    const fused = new Set<string>();
    for (const node of graph.nodes) {
      if (fused.has(node.name) || !needed.has(node)) continue;
      const operation = lower(node, context, fused);
      if (operation) operations.push(operation);
    }
    if (context.unsupported.length > 0) throw new UnsupportedError("createModel", context.unsupported);
    context.finish(operations);
  } catch (error) {
    dispose();
    throw error;
  }
  const shapes = new Map([...graph.constants].map(([name, { shape }]) => [name, shape]));
  return {
    inputs: graph.inputs,
    values: graph.values,
    instance,
    operations,
    outputs,
    constantPointer: (name) => context.pointer(name),
    constantShape: (name) => shapes.get(name)!,
    [Symbol.dispose]: dispose,
  };
}

/** Nodes that some output depends on. */
function neededNodes(graph: Graph, outputs: readonly string[]): Set<Node> {
  const wanted = new Set(outputs);
  const needed = new Set<Node>();
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => wanted.has(name))) continue;
    needed.add(node);
    for (const name of node.inputs) wanted.add(name);
  }
  return needed;
}

/** Operators that read constants like values; the others compute with values alone. */
const takesConstants: ReadonlySet<Node["op"]> = new Set<Node["op"]>(["add", "sub", "mul", "div", "matmul", "concat"]);

function lower(node: Node, context: LoweringContext, fused: Set<string>): Operation | undefined {
  if (!takesConstants.has(node.op) && context.isConstant(node.inputs[0]!))
    return context.refuse(node, "of a constant, which could be computed beforehand");
  switch (node.op) {
    case "dense":
    case "conv2d": {
      const tail = tailOf(node, context);
      for (const name of tail.nodes) fused.add(name);
      return node.op === "dense" ? lowerDense(node, context, tail) : lowerConv2d(node, context, tail);
    }
    case "matmul":
      return lowerMatmul(node, context);
    case "threshold":
      return lowerThreshold(node, context);
    case "affine":
      return lowerAffine(node, context);
    case "sign":
      return lowerSign(node, context);
    case "quantize":
      return lowerQuantize(node, context);
    case "dequantize":
      return lowerDequantize(node, context);
    case "maxPool":
    case "avgPool":
    case "globalAvgPool":
      return lowerPool(node, context);
    case "batchNorm":
      return lowerBatchNorm(node, context);
    case "add":
    case "sub":
    case "mul":
    case "div":
      return lowerBinary(node, context);
    case "clip":
      return lowerClip(node, context);
    case "leakyRelu":
      return lowerLeakyRelu(node);
    case "sigmoid":
      return lowerSigmoid(node);
    case "tanh":
      return lowerTanh(node);
    case "softmax":
      return lowerSoftmax(node);
    case "reshape":
      return lowerReshape(node, context);
    case "transpose":
      return lowerTranspose(node, context);
    case "concat":
      return lowerConcat(node, context);
    case "pad":
      return lowerPad(node, context);
    case "cast":
      return lowerCast(node, context);
  }
}
