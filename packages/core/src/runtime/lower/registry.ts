/** The one list of lowerings: from a node to its kernel. `registerOp` adds those of operators from outside. */
import type { Node, NodeOf, Op } from "../../graph/types.ts";
import { lowerBinary, lowerMatmul } from "./broadcast.ts";
import { lowerAffine, lowerBatchNorm, lowerSoftmax, lowerThreshold } from "./channelwise.ts";
import type { LoweringContext } from "./context.ts";
import { lowerConv2d } from "./conv2d.ts";
import { lowerDense } from "./dense.ts";
import type { Operation } from "./operation.ts";
import { lowerPool } from "./pool.ts";
import { type Tail, tailOf } from "./product.ts";
import { lowerConcat, lowerPad, lowerReshape, lowerTranspose } from "./shape-ops.ts";
import { lowerSign } from "./sign.ts";
import * as simple from "./simple.ts";

/** @returns undefined after `context.refuse` said why there is no kernel */
export type Lowering<N extends Node = Node> = (node: N, context: LoweringContext) => Operation | undefined;

/** A product and the nodes behind it that its kernel does in the same call. */
const withTail =
  <K extends "dense" | "conv2d">(
    lower: (node: NodeOf<K>, context: LoweringContext, tail: Tail) => Operation | undefined,
  ): Lowering<NodeOf<K>> =>
  (node, context) => {
    const tail = tailOf(node, context);
    context.fuse(tail.nodes);
    return lower(node, context, tail);
  };

const builtIn: { readonly [K in Op]: Lowering<NodeOf<K>> } = {
  dense: withTail(lowerDense),
  conv2d: withTail(lowerConv2d),
  matmul: lowerMatmul,
  threshold: lowerThreshold,
  affine: lowerAffine,
  sign: lowerSign,
  quantize: simple.lowerQuantize,
  dequantize: simple.lowerDequantize,
  maxPool: lowerPool,
  avgPool: lowerPool,
  globalAvgPool: lowerPool,
  batchNorm: lowerBatchNorm,
  add: lowerBinary,
  sub: lowerBinary,
  mul: lowerBinary,
  div: lowerBinary,
  clip: simple.lowerClip,
  leakyRelu: simple.lowerLeakyRelu,
  sigmoid: simple.lowerSigmoid,
  tanh: simple.lowerTanh,
  softmax: lowerSoftmax,
  reshape: lowerReshape,
  transpose: lowerTranspose,
  concat: lowerConcat,
  pad: lowerPad,
  cast: simple.lowerCast,
};

const added = new Map<string, Lowering>();

/** Adds the lowering of an operator of `lowbit/ops` or from outside; the result takes it away again. */
export function addLowering<N extends Node>(op: N["op"], lower: Lowering<N>): () => void {
  added.set(op, lower as unknown as Lowering);
  return () => added.delete(op);
}

/** Operators that read constants like values; the other built-in ones compute with values alone. */
const takesConstants: ReadonlySet<string> = new Set<Op>(["add", "sub", "mul", "div", "matmul", "concat"]);

/** Of a node in a valid graph, so the operator is known. */
export function lower(node: Node, context: LoweringContext): Operation | undefined {
  const own = added.get(node.op);
  if (own) return own(node, context);
  if (!takesConstants.has(node.op) && context.isConstant(node.inputs[0]!))
    return context.refuse(node, "of a constant, which could be computed beforehand");
  return (builtIn[node.op as Op] as Lowering)(node, context);
}
