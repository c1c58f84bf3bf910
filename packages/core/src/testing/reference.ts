/**
 * The reference interpreter: runs a graph in plain TypeScript, one loop per index, in the order and with the roundings that the
 * operators' definitions state. It is the oracle of tests here and in the converter, and is in no entry and no tarball.
 */
import { isOpsOp } from "../graph/operators.ts";
import type { Graph, NodeOf, OpsOp } from "../graph/types.ts";
import type { Tensor } from "../tensor.ts";
import * as references from "./ops.ts";
import { reference } from "./reference-ops.ts";
import { conv2d, dense, matmul } from "./reference-products.ts";
import { fromConstant, fromTensor, toTensor, type Value } from "./value.ts";

const referenceOf = <K extends OpsOp>(op: K) =>
  (references as { readonly [K in OpsOp]: Reference<K> })[op] as Reference<K>;

/** All outputs of a node of `lowbit/ops`; absent inputs are undefined. */
type Reference<K extends OpsOp> = (node: NodeOf<K>, inputs: readonly (Value | undefined)[]) => readonly Value[];

/** Every value of a run by name, graph inputs among them. */
export function interpret(graph: Graph, feed: Readonly<Record<string, Tensor>>): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const name of graph.inputs) values.set(name, fromTensor(feed[name]!, graph.values.get(name)!.quantization));
  const find = (name: string): Value => {
    const constant = graph.constants.get(name);
    return constant ? fromConstant(constant) : values.get(name)!;
  };
  for (const node of graph.nodes) {
    const [x = "", , bias = ""] = node.inputs;
    const withBias = (): (Value | undefined)[] => [find(x), bias === "" ? undefined : find(bias)];
    if (isOpsOp(node.op)) {
      const given = node.inputs.map((name) => (name === "" ? undefined : find(name)));
      const results = referenceOf(node.op)(node as never, given);
      for (const [i, name] of node.outputs.entries()) {
        const quantization = graph.values.get(name)?.quantization;
        values.set(name, { ...results[i]!, ...(quantization && { quantization }) });
      }
      continue;
    }
    const value =
      node.op === "dense"
        ? dense(node, graph, withBias())
        : node.op === "conv2d"
          ? conv2d(node, graph, withBias())
          : node.op === "matmul"
            ? matmul(node.inputs.map(find))
            : reference(node, graph, node.inputs.map(find));
    values.set(node.outputs[0]!, value);
  }
  return values;
}

/** The graph's outputs as tensors: what `model.run` returns. */
export function runReference(graph: Graph, feed: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const values = interpret(graph, feed);
  return Object.fromEntries(graph.outputs.map((name) => [name, toTensor(values.get(name)!)]));
}
