/** The body of a Loop or a Scan whose turns are known: each turn's nodes are imported one after another, and those that no turn changes once. */
import type { Dim } from "lowbit";
import { ModelFileError } from "../errors.ts";
import type { NodeContext } from "./context.ts";
import type { GraphProto, NodeProto } from "./generated/onnx_pb.ts";
import { changed, inputsOf } from "./rename.ts";

/** Nodes that turns may become, and bytes of tensors inside them: a file of a kilobyte could announce billions. */
export interface UnrollingBudget {
  nodes: number;
  bytes: number;
}

export const unrollingBudget = (): UnrollingBudget => ({ nodes: 2 ** 13, bytes: 2 ** 20 });

/** Values that a node of `concat` may have. */
const MOST_VALUES = 1024;

export class LoopBody {
  readonly #node: NodeContext;
  readonly #graph: GraphProto;
  /** What a turn has of its own. */
  readonly #inner: GraphProto;
  readonly #bytes: number;
  /** Names of what is the same in every turn. */
  readonly #shared: ReadonlyMap<string, string>;

  constructor(node: NodeContext, graph: GraphProto) {
    this.#node = node;
    this.#graph = graph;
    const [same, inner] = split(graph);
    // Initializers and constants are among what is the same, however large.
    this.#shared = node.importPart(changed(graph, { node: same, output: [] }), "body").names;
    this.#inner = changed(graph, { node: inner, initializer: [] });
    this.#bytes = inner.reduce((sum, one) => sum + tensorBytes(one), 0);
  }

  /** @throws ModelFileError where the body has other inputs, or fewer outputs */
  checkCounts(inputs: number, outputs: number): void {
    const { input, output } = this.#graph;
    if (input.length !== inputs)
      throw new ModelFileError(`onnx: ${this.#node.title}`, "inputs of the body", inputs, input.length);
    if (output.length < outputs)
      throw new ModelFileError(`onnx: ${this.#node.title}`, "outputs of the body (at least)", outputs, output.length);
  }

  /** Imports a turn: Graph names of what goes in and comes out. */
  turn(turn: number, given: readonly string[]): string[] {
    const { input, output, node } = this.#inner;
    this.#node.unroll(node.length + 1, this.#bytes);
    const inputs = new Map(input.map(({ name }, i) => [name, given[i]!]));
    const part = this.#node.importPart(this.#inner, `turn${turn}`, { given: inputs, shared: this.#shared });
    return output.map(({ name }) => part.resultOf(name));
  }

  #joined(values: readonly string[], part: string, axis: number): string {
    if (values.length === 1) return values[0]!;
    if (values.length <= MOST_VALUES) return this.#node.step(part, "concat", values, { axis });
    const groups = Array.from({ length: Math.ceil(values.length / MOST_VALUES) }, (_, g) =>
      this.#joined(values.slice(g * MOST_VALUES, (g + 1) * MOST_VALUES), `${part}/${g}`, axis),
    );
    return this.#joined(groups, part, axis);
  }

  /** Binds the node's outputs: the last states, then what all turns gave, side by side along an axis of their own. */
  bind(carried: readonly string[], collected: readonly (readonly string[])[], axes: readonly number[]): void {
    const node = this.#node;
    for (const [i, value] of carried.entries()) node.bind(value, i);
    const count = this.#graph.output.length - carried.length;
    for (let i = 0; i < count; i++) {
      const index = carried.length + i;
      if (!node.hasOutput(index)) continue;
      const values = collected.flatMap((row) => row[i] ?? []);
      if (values.length === 0) node.unsupported(`output ${index} of no turns`, "one turn or more");
      const axis = node.axis(axes[i] ?? 0, node.shape(values[0]!).length + 1, "scan_output_axes");
      const apart = values.map((value, turn) => {
        const shape: Dim[] = [...node.shape(value)];
        shape.splice(axis, 0, 1);
        return node.step(`collected${i}/${turn}`, "reshape", [value], { shape });
      });
      node.bind(this.#joined(apart, `collected${i}`, axis), index);
    }
  }
}

/** The nodes of a body that no input of it reaches, and the others. */
function split({ node, input }: GraphProto): [same: NodeProto[], inner: NodeProto[]] {
  const readers = new Map<string, NodeProto[]>();
  for (const one of node)
    for (const name of inputsOf(one)) {
      const list = readers.get(name);
      if (list) list.push(one);
      else readers.set(name, [one]);
    }
  const reached = input.map(({ name }) => name);
  const inner = new Set<NodeProto>();
  for (let next = 0; next < reached.length; next++)
    for (const one of readers.get(reached[next]!) ?? []) {
      if (inner.has(one)) continue;
      inner.add(one);
      reached.push(...one.output);
    }
  return [node.filter((one) => !inner.has(one)), node.filter((one) => inner.has(one))];
}

/** Bytes of tensors in attributes, which every turn reads anew. */
function tensorBytes({ attribute }: NodeProto): number {
  let bytes = 0;
  for (const { t, tensors, g, graphs } of attribute) {
    for (const tensor of [t, ...tensors]) bytes += tensor?.rawData.length ?? 0;
    for (const graph of [g, ...graphs]) {
      for (const { rawData } of graph?.initializer ?? []) bytes += rawData.length;
      for (const node of graph?.node ?? []) bytes += tensorBytes(node);
    }
  }
  return bytes;
}
