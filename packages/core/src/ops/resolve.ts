/** Sizes that values decide: shapes of all values and the numbers behind them, found before a plan is made. */
import { GraphError, UnsupportedError } from "../errors.ts";
import { constantInfo } from "../graph/constants.ts";
import { type Elements, inferOutputs, inputRule, MOST_ELEMENTS, rulesOf } from "../graph/operators.ts";
import { bindShape } from "../graph/shapes.ts";
import type { Graph, Node, ValueInfo } from "../graph/types.ts";
import type { KnownElements, Resolve } from "../runtime/resolver.ts";
import { sizeOf } from "../tensor.ts";
import { evaluate, evaluateOf } from "./evaluate.ts";

/**
 * @param graph validated; its constants are not kept
 * @throws UnsupportedError with every node that decides a size by what is computed on kernels
 */
export function resolve(graph: Graph): Resolve {
  const deciding = decidingValues(graph);
  const constants = new Map([...graph.constants].map(([name, constant]) => [name, constantInfo(constant)]));
  const numbers = new Map<string, readonly number[]>();
  for (const [name, constant] of graph.constants)
    if (deciding.has(name) && constant.kind === "plain")
      numbers.set(name, Array.from(constant.data as ArrayLike<number | bigint>, Number));
  const { inputs, nodes, values } = graph;

  return (symbols, given) => {
    const elements = new Map(numbers);
    const shapes = new Map<string, readonly number[]>();
    const infoOf = (name: string): ValueInfo | undefined => {
      const value = values.get(name);
      return value ? { ...value, shape: shapes.get(name)! } : constants.get(name);
    };
    for (const name of inputs) {
      shapes.set(
        name,
        values.get(name)!.shape.map((dim) => (typeof dim === "number" ? dim : symbols.get(dim)!)),
      );
      if (deciding.has(name)) elements.set(name, Array.from(given(name) as ArrayLike<number | bigint>, Number));
    }
    for (const node of nodes) {
      const infos = node.inputs.map(infoOf);
      const lists = node.inputs.map((name): Elements | undefined => elements.get(name));
      const outputs = inferOutputs(bound(node, symbols), infos, lists);
      for (const [i, name] of node.outputs.entries()) {
        const shape = outputs[i]!.shape as readonly number[];
        const { shape: declared } = values.get(name)!;
        if (bindShape(declared, shape, symbols) >= 0)
          throw new GraphError(`${node.op} "${node.name}"`, "shape of the output", declared, shape);
        shapes.set(name, shape);
      }
      const [first = ""] = node.outputs;
      if (deciding.has(first)) elements.set(first, evaluate(node, infos, lists) as readonly number[]);
    }
    return elements as KnownElements;
  };
}

/** A reshape names symbols in its attribute. */
function bound(node: Node, symbols: ReadonlyMap<string, number>): Node {
  if (node.op !== "reshape") return node;
  const shape = node.attributes.shape.map((dim) => (typeof dim === "string" ? symbols.get(dim)! : dim));
  return { ...node, attributes: { shape } };
}

/** Names of the values and constants whose numbers decide sizes, directly or by way of others. */
function decidingValues({ nodes, values, constants }: Graph): ReadonlySet<string> {
  const deciding = new Set<string>();
  const refused: string[] = [];
  for (const node of nodes.toReversed()) {
    const rules = rulesOf(node.op)!;
    const decides = node.outputs.some((name) => deciding.has(name));
    if (decides && !evaluateOf(node))
      refused.push(`${node.op} "${node.name}": decides sizes, and is computed when the model runs`);
    for (const [i, name] of node.inputs.entries()) {
      const { reads } = inputRule(rules, i);
      if (name !== "" && reads !== "shape" && (decides || reads === "sizes")) deciding.add(name);
    }
  }
  for (const name of deciding) {
    const shape = values.get(name)?.shape ?? constants.get(name)!.shape;
    const known = sizeOf(shape.map((dim) => (typeof dim === "number" ? dim : 1)));
    if (known > MOST_ELEMENTS) refused.push(`"${name}": ${known} elements that decide sizes, at most ${MOST_ELEMENTS}`);
  }
  if (refused.length > 0) throw new UnsupportedError("createModel", refused);
  return deciding;
}
