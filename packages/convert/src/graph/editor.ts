import type { AttributesOf, Constant, Dim, Graph, Node, PlainConstant, ValueInfo } from "lowbit";
import { evaluate, isEvaluated } from "lowbit/ops";
import type { Codes } from "./codes.ts";
import { elementsOf, inferAll } from "./infer.ts";

/**
 * A Graph under construction or under a pass. Nodes keep their order of creation until {@link freeze}, which sorts them
 * so that every value is written before it is read, infers every shape anew and drops what no output needs.
 */
export class GraphEditor {
  readonly nodes = new Set<Node>();
  readonly constants = new Map<string, Constant>();
  readonly inputs: string[] = [];
  outputs: string[] = [];
  /** Names that {@link freshValue} leaves free: those that the graph's outputs will have. */
  readonly reserved = new Set<string>();
  readonly #infos = new Map<string, ValueInfo>();
  /** Of constants that an importer made of codes, what they were. */
  readonly codes = new Map<string, Codes>();
  readonly #producers = new Map<string, Node>();
  readonly #consumers = new Map<string, Set<Node>>();
  readonly #nodeNames = new Set<string>();
  readonly #elements = new WeakMap<object, readonly Dim[] | undefined>();
  readonly #source: Omit<Graph, "inputs" | "outputs" | "nodes" | "values" | "constants">;

  constructor(source: Omit<Graph, "inputs" | "outputs" | "nodes" | "values" | "constants">) {
    this.#source = source;
  }

  static from(graph: Graph): GraphEditor {
    const { inputs, outputs, nodes, values, constants, ...rest } = graph;
    const editor = new GraphEditor(rest);
    for (const name of inputs) editor.addInput(name, values.get(name)!);
    for (const [name, constant] of constants) editor.constants.set(name, constant);
    for (const node of nodes) {
      editor.insert(node);
      for (const output of node.outputs) editor.#infos.set(output, values.get(output)!);
    }
    editor.outputs = [...outputs];
    return editor;
  }

  addInput(name: string, info: ValueInfo): void {
    this.inputs.push(name);
    this.#infos.set(name, info);
  }

  /** dtype and shape of a value or a constant. */
  info(name: string): ValueInfo {
    const info = this.#infos.get(name);
    if (info !== undefined) return info;
    const constant = this.constants.get(name);
    if (constant === undefined) throw new Error(`graph editor: no value named "${name}"`);
    return { dtype: constant.kind === "plain" ? constant.dtype : "f32", shape: constant.shape };
  }

  /** Replaces what is known of a value. */
  declare(name: string, info: ValueInfo): void {
    this.#infos.set(name, info);
  }

  has(name: string): boolean {
    return this.#infos.has(name) || this.constants.has(name);
  }

  shape(name: string): readonly Dim[] {
    return this.info(name).shape;
  }

  /**
   * What is known of the elements of a small value before a run: the numbers of a constant, or sizes and symbols that were computed with; undefined where
   * nothing is, "?" for an element of which nothing is.
   */
  elements(name: string): readonly Dim[] | undefined {
    const constant = this.plain(name);
    const source = constant ?? this.producer(name);
    if (source === undefined) return undefined;
    if (!this.#elements.has(source))
      this.#elements.set(source, constant ? elementsOf(constant) : this.evaluate(this.producer(name)!));
    return this.#elements.get(source);
  }

  /** The elements of the first output of `node`, which need not be in the graph. */
  evaluate(node: Node): readonly Dim[] | undefined {
    if (!isEvaluated(node)) return undefined;
    const infos = node.inputs.map((input) => (input === "" ? undefined : this.info(input)));
    return evaluate(
      node,
      infos,
      node.inputs.map((input) => (input === "" ? undefined : this.elements(input))),
    );
  }

  /** Types and shapes of the outputs of `node`, which need not be in the graph. */
  infer(node: Node, stated?: Partial<ValueInfo>): readonly ValueInfo[] {
    return inferAll(
      node,
      (value) => this.info(value),
      (value) => this.elements(value),
      stated,
    );
  }

  #infer(node: Node, stated?: Partial<ValueInfo>): void {
    const infos = this.infer(node, stated);
    for (const [i, output] of node.outputs.entries()) this.#infos.set(output, infos[i]!);
  }

  plain(name: string | undefined): PlainConstant | undefined {
    const constant = name ? this.constants.get(name) : undefined;
    return constant?.kind === "plain" ? constant : undefined;
  }

  producer(value: string | undefined): Node | undefined {
    return value ? this.#producers.get(value) : undefined;
  }

  consumers(value: string): readonly Node[] {
    return [...(this.#consumers.get(value) ?? [])];
  }

  /** The one node that reads the value, if there is one and the value is no output of the graph. */
  soleConsumer(value: string): Node | undefined {
    const consumers = this.#consumers.get(value);
    return consumers?.size === 1 && !this.outputs.includes(value) ? consumers.values().next().value : undefined;
  }

  /** `base` where it is free, else `base_2`, `base_3` ... */
  freshValue(base: string): string {
    return unused(base, (name) => this.has(name) || this.reserved.has(name));
  }

  freshNode(base: string): string {
    return unused(base, (name) => this.#nodeNames.has(name));
  }

  /** Stores a constant under a free name made from `base` and returns that name. */
  constant(base: string, constant: Constant): string {
    const name = this.freshValue(base);
    this.constants.set(name, constant);
    return name;
  }

  /** Adds a node of one output and infers its shape. Returns the output's name. */
  add<K extends Node["op"]>(
    op: K,
    name: string,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    options: { readonly output?: string; readonly info?: Partial<ValueInfo> } = {},
  ): string {
    const nodeName = this.freshNode(name);
    const output = options.output ?? this.freshValue(nodeName);
    const node = { op, name: nodeName, inputs, outputs: [output], attributes } as unknown as Node;
    this.#infer(node, options.info);
    this.insert(node);
    return output;
  }

  /** Adds a node of `count` outputs. Returns their names. */
  addMany<K extends Node["op"]>(
    op: K,
    name: string,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    count: number,
  ): readonly string[] {
    const nodeName = this.freshNode(name);
    const outputs = Array.from({ length: count }, (_, i) => this.freshValue(i === 0 ? nodeName : `${nodeName}:${i}`));
    const node = { op, name: nodeName, inputs, outputs, attributes } as unknown as Node;
    this.#infer(node);
    this.insert(node);
    return outputs;
  }

  /** Puts other inputs, attributes or another operator in a node's place; its outputs and name stay. */
  replace<K extends Node["op"]>(
    node: Node,
    change: { op?: K; inputs?: readonly string[]; attributes?: AttributesOf<K>; info?: Partial<ValueInfo> },
  ): Node {
    const { info, ...fields } = change;
    const next = { ...node, ...fields } as Node;
    this.remove(node);
    this.insert(next);
    this.#infer(next, info);
    return next;
  }

  /** Every reader of `old` (and the graph's outputs) reads `replacement` instead. */
  redirect(old: string, replacement: string): void {
    for (const consumer of this.consumers(old)) {
      const inputs = consumer.inputs.map((input) => (input === old ? replacement : input));
      const infos = consumer.outputs.map((output) => this.#infos.get(output)!);
      this.remove(consumer);
      this.insert({ ...consumer, inputs } as Node);
      consumer.outputs.forEach((output, index) => {
        this.#infos.set(output, infos[index]!);
      });
    }
  }

  remove(node: Node): void {
    this.nodes.delete(node);
    this.#nodeNames.delete(node.name);
    for (const output of node.outputs) {
      if (this.#producers.get(output) === node) this.#producers.delete(output);
      this.#infos.delete(output);
    }
    for (const input of node.inputs) this.#consumers.get(input)?.delete(node);
  }

  insert(node: Node): void {
    this.nodes.add(node);
    this.#nodeNames.add(node.name);
    for (const output of node.outputs) this.#producers.set(output, node);
    for (const input of node.inputs) {
      const consumers = this.#consumers.get(input);
      if (consumers) consumers.add(node);
      else this.#consumers.set(input, new Set([node]));
    }
  }

  /** A value that stands in for an output of the graph keeps that output's name: renames `value` to `name`. */
  rename(value: string, name: string): void {
    const producer = this.producer(value);
    if (producer === undefined) throw new Error(`graph editor: "${value}" is not written by a node`);
    const infos = producer.outputs.map((output) => this.info(output));
    const outputs = producer.outputs.map((output) => (output === value ? name : output));
    const readers = this.consumers(value);
    this.remove(producer);
    this.insert({ ...producer, outputs } as Node);
    for (const [i, output] of outputs.entries()) this.#infos.set(output, infos[i]!);
    for (const reader of readers) {
      const infos = reader.outputs.map((output) => this.#infos.get(output)!);
      this.remove(reader);
      this.insert({ ...reader, inputs: reader.inputs.map((input) => (input === value ? name : input)) } as Node);
      reader.outputs.forEach((output, index) => {
        this.#infos.set(output, infos[index]!);
      });
    }
    this.outputs = this.outputs.map((output) => (output === value ? name : output));
  }

  /** Nodes in an order in which every value is written before it is read, without those that no output needs. */
  ordered(): Node[] {
    const order: Node[] = [];
    const state = new Map<Node, "open" | "done">();
    const stack: { node: Node; next: number }[] = [];
    const visit = (value: string) => {
      const node = this.producer(value);
      if (node === undefined || state.has(node)) {
        if (node !== undefined && state.get(node) === "open")
          throw new Error(`graph editor: "${node.name}" is in a cycle`);
        return;
      }
      state.set(node, "open");
      stack.push({ node, next: 0 });
      while (stack.length > 0) {
        const top = stack.at(-1)!;
        if (top.next === top.node.inputs.length) {
          state.set(top.node, "done");
          order.push(top.node);
          stack.pop();
          continue;
        }
        const input = this.producer(top.node.inputs[top.next++]);
        if (input === undefined || state.get(input) === "done") continue;
        if (state.get(input) === "open") throw new Error(`graph editor: "${input.name}" is in a cycle`);
        state.set(input, "open");
        stack.push({ node: input, next: 0 });
      }
    };
    for (const output of this.outputs) visit(output);
    return order;
  }

  /**
   * The nodes in order, for a pass that edits on its way: each as it is when its turn comes (an edit before may have
   * changed its inputs), none that is gone.
   */
  *live(): Generator<Node> {
    for (const { outputs } of this.ordered()) {
      const current = this.producer(outputs[0]);
      if (current) yield current;
    }
  }

  /** Removes the nodes that no output needs, so that they no longer count as readers. */
  prune(): void {
    const needed = new Set(this.ordered());
    for (const node of [...this.nodes]) if (!needed.has(node)) this.remove(node);
  }

  freeze(): Graph {
    const nodes = this.ordered();
    const values = new Map<string, ValueInfo>();
    const constants = new Map<string, Constant>();
    for (const name of this.inputs) values.set(name, this.info(name));
    for (const node of nodes) {
      for (const input of node.inputs) {
        const constant = this.constants.get(input);
        if (constant) constants.set(input, constant);
      }
      for (const output of node.outputs) values.set(output, this.info(output));
    }
    return { ...this.#source, inputs: [...this.inputs], outputs: [...this.outputs], nodes, values, constants };
  }
}

function unused(base: string, taken: (name: string) => boolean): string {
  if (!taken(base)) return base;
  for (let suffix = 2; ; suffix++) {
    if (!taken(`${base}_${suffix}`)) return `${base}_${suffix}`;
  }
}
