/** From a graph to its operations, in order. */
import { UnsupportedError } from "../../errors.ts";
import type { Graph, Node, ValueInfo } from "../../graph/types.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { inputsRead, LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";
import { lower } from "./registry.ts";

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
    for (const node of graph.nodes) {
      if (context.isFused(node) || !needed.has(node)) continue;
      const operation = lower(node, context);
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
    for (const name of inputsRead(node)) wanted.add(name);
  }
  return needed;
}
