import { UnsupportedError } from "../../errors.ts";
import { inputRule, rulesOf } from "../../graph/operators.ts";
import type { Constant, Graph, Node, NodeOf, Op, PlainConstant, ValueInfo } from "../../graph/types.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { cast } from "../../kernels/transform.ts";
import { sizeOf } from "../../tensor.ts";
import type { Operation } from "./operation.ts";

/** Names of the inputs whose elements a run reads. */
export const inputsRead = ({ op, inputs }: Node): string[] =>
  inputs.filter((name, i) => name !== "" && !inputRule(rulesOf(op)!, i).reads);

/** What one operator's lowering sees: its graph, the instance, and what other nodes expect of it. */
export class LoweringContext {
  readonly instance: KernelInstance;
  /** Nodes for which no kernel exists; lowering goes on, so that all of them are reported at once. */
  readonly unsupported: string[] = [];
  readonly #consumers = new Map<string, Node[]>();
  readonly #outputs: ReadonlySet<string>;
  readonly #runs = new Map<string, number>();
  /** Names of nodes that another node's kernel does in the same call. */
  readonly #fused = new Set<string>();
  readonly #uploaded = new Map<string, { readonly pointer: number; readonly bytes: number }>();

  #graph: Graph;

  /** @param outputs values that must exist after a run */
  constructor(graph: Graph, instance: KernelInstance, outputs: Iterable<string>) {
    this.#graph = graph;
    this.instance = instance;
    this.#outputs = new Set(outputs);
    for (const node of graph.nodes)
      for (const name of new Set(node.inputs)) {
        const list = this.#consumers.get(name);
        if (list) list.push(node);
        else this.#consumers.set(name, [node]);
      }
  }

  /** Type and declared shape of a value or a plain constant. */
  info(name: string): ValueInfo {
    const value = this.#graph.values.get(name);
    if (value) return value;
    const { dtype, shape } = this.plain(name);
    return { dtype, shape };
  }

  isConstant(name: string): boolean {
    return this.#graph.constants.has(name);
  }

  constant(name: string): Constant {
    return this.#graph.constants.get(name)!;
  }

  plain(name: string): PlainConstant {
    const constant = this.constant(name);
    // Validation admits quantized constants as weights only.
    if (constant.kind !== "plain") throw new UnsupportedError("lower", [`quantized constant ${name}`]);
    return constant;
  }

  /** A plain f32 or f16 constant as f32; undefined for the name of an absent input. */
  floats(name: string | undefined): Float32Array | undefined {
    if (!name) return undefined;
    const { data, dtype, shape } = this.plain(name);
    if (dtype !== "f16") return data as Float32Array;
    const { instance } = this;
    const from = instance.upload(data);
    const size = sizeOf(shape);
    const to = instance.alloc(size * 4);
    try {
      cast(instance, "f16", from, size, "f32", to);
      return instance.f32(to, size).slice();
    } finally {
      instance.free(from, data.byteLength);
      instance.free(to, size * 4);
    }
  }

  /** Address of a constant that is read like a value; uploaded once, freed by {@link LoweringContext.freeConstants}. */
  pointer(name: string): number {
    let block = this.#uploaded.get(name);
    if (!block) {
      const { data } = this.plain(name);
      block = { pointer: this.instance.upload(data), bytes: data.byteLength };
      this.#uploaded.set(name, block);
    }
    return block.pointer;
  }

  /**
   * Uploads every constant that `nodes` read like values, and forgets the graph: its weights are packed by now, and the file that
   * they are views of need not be kept.
   */
  finish(operations: readonly Operation[]): void {
    for (const { constants = [] } of operations) for (const name of constants) this.pointer(name);
    this.#graph = { ...this.#graph, constants: new Map() };
  }

  freeConstants(): void {
    if (!this.instance.ended)
      for (const { pointer, bytes } of this.#uploaded.values()) this.instance.free(pointer, bytes);
    this.#uploaded.clear();
  }

  /** The only reader of `name` where there is exactly one, it is a `wanted`, and nobody asked for `name` itself. */
  soleConsumer<K extends Op>(name: string, wanted: K): NodeOf<K> | undefined {
    if (this.#outputs.has(name)) return undefined;
    const [node, ...others] = this.#consumers.get(name) ?? [];
    if (!node || others.length > 0 || node.op !== wanted || node.inputs[0] !== name) return undefined;
    return node as NodeOf<K>;
  }

  /**
   * Elements of a packed value that lie side by side before the next one starts a new word: its last axis, or, where the value
   * is a flattened image of bits, the image's channels.
   */
  runLength(name: string): number {
    return this.#runs.get(name) ?? (this.info(name).shape.at(-1) as number);
  }

  /** Notes the run length of a value that keeps the memory of another. */
  setRunLength(name: string, length: number): void {
    this.#runs.set(name, length);
  }

  /** Whether each row of a packed value is one run, or runs without spare bits between them. */
  isWholeRows(name: string): boolean {
    const run = this.runLength(name);
    const { dtype, shape } = this.info(name);
    return run === shape.at(-1) || (dtype === "bit" && run % 32 === 0);
  }

  /** Notes that one kernel call does all of these nodes. */
  fuse(nodes: readonly string[]): void {
    for (const name of nodes) this.#fused.add(name);
  }

  isFused({ name }: Node): boolean {
    return this.#fused.has(name);
  }

  /** A node's inputs: the values, and the constants that are read like values. */
  inputsOf(node: Node): Pick<Operation, "inputs" | "constants"> {
    const inputs = inputsRead(node);
    return {
      inputs: inputs.filter((name) => !this.isConstant(name)),
      constants: inputs.filter((name) => this.isConstant(name)),
    };
  }

  /** Notes that `node` has no kernel. */
  refuse(node: Node, why: string): undefined {
    this.unsupported.push(`${node.op} "${node.name}": ${why}`);
    return undefined;
  }
}
