import {
  type ActivationQuantization,
  type AttributesOf,
  type Dim,
  type Node,
  type PlainConstant,
  type QuantizedConstant,
  UnsupportedError,
  type ValueInfo,
} from "lowbit";
import { ModelFileError } from "../errors.ts";
import { type Codes, movedCodes, rowCodes } from "../graph/codes.ts";
import { numbersOf } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { foldValues } from "../graph/fold.ts";
import { countedAxis } from "../graph/numbers.ts";
import { NodeAttributes } from "./attributes.ts";
import { type InnerNames, importBranch, type Scope } from "./branch.ts";
import type { GraphProto, NodeProto } from "./generated/onnx_pb.ts";
import { nodeTitle } from "./reader.ts";

/** Imports one node: reads it through the context and adds Graph nodes to it. */
export type OperatorImporter = (node: NodeContext) => void;

/**
 * What an importer sees of one ONNX node. Value names are the Graph's; ONNX names are resolved here. A Graph node whose
 * inputs are all constants is folded at once, so an importer need not know whether a weight is stored, cast or
 * reshaped.
 */
export class NodeContext {
  readonly attributes: NodeAttributes;
  /** For messages. */
  readonly title: string;
  readonly #editor: GraphEditor;
  readonly #names: Map<string, string>;
  readonly #scope: Scope;

  constructor(
    readonly proto: NodeProto,
    scope: Scope,
  ) {
    this.title = `${proto.opType} "${nodeTitle(proto)}"`;
    this.attributes = new NodeAttributes(proto);
    this.#editor = scope.editor;
    this.#names = scope.names;
    this.#scope = scope;
  }

  get opset(): number {
    return this.#scope.opset;
  }

  get inputCount(): number {
    return this.proto.input.length;
  }

  get outputCount(): number {
    return this.proto.output.length;
  }

  /** Whether anything may read output `index`. */
  hasOutput(index: number): boolean {
    return Boolean(this.proto.output[index]);
  }

  /** Graph name of input `index`, or undefined where the node does not have it. */
  optional(index: number): string | undefined {
    const name = this.proto.input[index];
    if (!name) return undefined;
    // Bound by no importer: an output of its writer that only training uses, such as a dropout mask.
    return this.#names.get(name) ?? this.unsupported(`input ${index}, "${name}"`, "an output that inference has");
  }

  /** Graph name of input `index`. */
  input(index: number): string {
    const name = this.optional(index);
    if (name === undefined)
      throw new ModelFileError(`onnx: ${this.title}`, "inputs", `input ${index}`, `${this.inputCount} inputs`);
    return name;
  }

  info(value: string): ValueInfo {
    return this.#editor.info(value);
  }

  shape(value: string): readonly Dim[] {
    return this.#editor.info(value).shape;
  }

  /** What is known of the elements of a small value: numbers, symbols, or "?"; undefined where nothing is. */
  elements(value: string): readonly Dim[] | undefined {
    return this.#editor.elements(value);
  }

  /** The ONNX type of input `index`, where the file says it: types of 4 bits are stored as those of 8. */
  codeType(index: number): number | undefined {
    return this.#scope.types.get(this.proto.input[index] ?? "");
  }

  /** Input `index` as a value of f32, of the rank given if one is. */
  float(index: number, rank?: number): string {
    let name = this.input(index);
    // A stored one is converted here, by the operator that folding knows.
    if (this.info(name).dtype === "f64")
      name = this.step(`input${index}`, this.constantOf(name) ? "cast" : "anyCast", [name], { to: "f32" });
    const { dtype, shape } = this.info(name);
    if (dtype !== "f32") this.unsupported(`input ${index} of type ${dtype}`, "f32");
    if (rank !== undefined && shape.length !== rank)
      this.unsupported(`input ${index} of rank ${shape.length}`, `rank ${rank}`);
    return name;
  }

  /** The constant behind a Graph name, if it is one. */
  constantOf(value: string | undefined): PlainConstant | undefined {
    return this.#editor.plain(value);
  }

  /** Input `index` as a constant; undefined where the node does not have it. */
  constantInput(index: number, what: string): PlainConstant | undefined {
    const name = this.optional(index);
    if (name === undefined) return undefined;
    const constant = this.constantOf(name);
    if (constant === undefined) this.unsupported(`${what} computed at run time`, `a constant ${what}`);
    return constant;
  }

  /** The same of an input that the operator cannot be without. */
  neededConstant(index: number, what: string): PlainConstant {
    this.input(index);
    return this.constantInput(index, what)!;
  }

  /** A small list that older operator sets keep in an attribute and newer ones in input `index`. */
  list(attribute: string, index: number): number[] | undefined {
    if (this.attributes.has(attribute)) return this.attributes.ints(attribute);
    const constant = this.constantInput(index, attribute);
    return constant && numbersOf(constant);
  }

  /**
   * A list of integers that decides sizes, as a value of the Graph: an attribute in older operator sets, input `index` in newer ones; "" where
   * the node has neither.
   */
  sizes(attribute: string, index: number): string {
    const list = this.attributes.ints(attribute);
    return list ? this.integers(attribute, list) : (this.optional(index) ?? "");
  }

  /** Stores int64 numbers; `part` says what of the node they are. */
  integers(part: string, list: readonly number[]): string {
    return this.store(part, {
      kind: "plain",
      dtype: "int64",
      shape: [list.length],
      data: BigInt64Array.from(list, BigInt),
    });
  }

  /** Throws for something legal in ONNX that this importer does not do. */
  unsupported(got: string, expected: string): never {
    throw new UnsupportedError("importModel", [`${this.title}: ${got}`], expected);
  }

  /** An axis that may count from the end, as 0..rank-1. */
  axis(axis: number, rank: number, what = "axis"): number {
    const found = countedAxis(axis, rank);
    if (found === undefined) throw new ModelFileError(`onnx: ${this.title}`, what, `${-rank} to ${rank - 1}`, axis);
    return found;
  }

  /** Stores a constant; `part` says what of the node it is. */
  store(part: string, constant: PlainConstant): string {
    return this.#editor.constant(`${this.proto.output[0]}/${part}`, constant);
  }

  /** Adds a Graph node (or its folded result) that is a step of this ONNX node; `part` goes into its name. */
  step<K extends Node["op"]>(
    part: string,
    op: K,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    info?: Partial<ValueInfo>,
  ): string {
    return this.#add(`${nodeTitle(this.proto)}/${part}`, op, inputs, attributes, info);
  }

  /** The step that carries the ONNX node's own name. */
  main<K extends Node["op"]>(
    op: K,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    info?: Partial<ValueInfo>,
  ): string {
    return this.#add(nodeTitle(this.proto), op, inputs, attributes, info);
  }

  /** The node of several outputs that carries the ONNX node's own name, bound to them: as many as the ONNX node has. */
  many<K extends Node["op"]>(op: K, inputs: readonly string[], attributes: AttributesOf<K>): void {
    const { output } = this.proto;
    const names = this.#editor.addMany(op, nodeTitle(this.proto), inputs, attributes, output.length);
    for (const [index, name] of names.entries()) this.bind(name, index);
  }

  /** Adds a Graph node of `count` outputs that is a step of this ONNX node. */
  steps<K extends Node["op"]>(
    part: string,
    op: K,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    count: number,
  ): readonly string[] {
    return this.#editor.addMany(op, `${nodeTitle(this.proto)}/${part}`, inputs, attributes, count);
  }

  /** Binds ONNX output `index` to a Graph value. */
  bind(value: string, index = 0): void {
    const name = this.proto.output[index];
    if (name) this.#names.set(name, value);
  }

  /** Imports a subgraph in place of this node: its outputs are the node's. */
  replace(graph: GraphProto): void {
    const { resultOf } = this.#import(graph, "", {});
    for (const [index, { name }] of graph.output.entries()) this.bind(resultOf(name), index);
  }

  /** Imports a subgraph, or some of its nodes, as a part of this node. */
  importPart(graph: GraphProto, part: string, inner: InnerNames = {}) {
    return this.#import(graph, `/${part}`, inner);
  }

  #import(graph: GraphProto, part: string, inner: InnerNames) {
    const prefix = `${this.proto.output.find((name) => name !== "")!}${part}`;
    const names = importBranch(graph, prefix, this.#scope, inner);
    const resultOf = (name: string): string =>
      this.#names.get(names.get(name)!) ??
      this.unsupported(`output "${name}", for training only`, "outputs that inference has");
    return { names, resultOf };
  }

  /** Takes from what loops may become. @throws ModelFileError where it is more than is left */
  unroll(nodes: number, bytes: number): void {
    const { unrolling } = this.#scope;
    unrolling.nodes -= nodes;
    unrolling.bytes -= bytes;
    if (unrolling.nodes < 0 || unrolling.bytes < 0)
      this.unsupported(
        "loops of many nodes when all their turns are written out",
        "8,192 at most, of 1 MiB of tensors",
      );
  }

  /** Stores the floats that codes stand for; a layer whose weights they become takes the codes: {@link weight}. */
  storeCodes(part: string, constant: PlainConstant, codes: Codes): string {
    const name = this.store(part, constant);
    this.#editor.codes.set(name, codes);
    return name;
  }

  /** A constant as the weights of a layer, rows along axis 0: as codes, where it came from some and every row has one scale. */
  weight(value: string): string {
    const codes = this.#editor.codes.get(value);
    const constant = codes && rowCodes(codes);
    if (!constant) return value;
    const name = `${value}/codes`;
    if (!this.#editor.constants.has(name)) this.#editor.constants.set(name, constant);
    return name;
  }

  /** A constant of codes as a table whose rows are decoded one by one; undefined where they are none. */
  codedTable(value: string): string | undefined {
    const name = this.weight(value);
    const constant = this.#editor.constants.get(name);
    return constant?.kind === "quantized" && constant.decoding.kind === "affine" ? name : undefined;
  }

  /** Stores weights of a layer. */
  storeWeight(part: string, constant: QuantizedConstant): string {
    const name = `${this.proto.output[0]}/${part}`;
    this.#editor.constants.set(name, constant);
    return name;
  }

  /** Says what the codes of a graph input stand for. */
  declare(value: string, quantization: ActivationQuantization): void {
    this.#editor.declare(value, { ...this.info(value), quantization });
  }

  /** A node whose elements are computed from sizes that are known already, as a constant. */
  #known(node: Node): PlainConstant | undefined {
    const list = this.#editor.evaluate(node);
    if (!list?.every((element) => typeof element === "number")) return undefined;
    const [{ dtype, shape }] = this.#editor.infer(node) as [ValueInfo];
    if (dtype === "int64")
      return { kind: "plain", dtype, shape: shape as number[], data: BigInt64Array.from(list, BigInt) };
    const arrays = { int32: Int32Array, f32: Float32Array, bool: Uint8Array } as const;
    const Data = arrays[dtype as keyof typeof arrays] as typeof arrays.int32 | undefined;
    return Data && { kind: "plain", dtype: dtype as "int32", shape: shape as number[], data: Data.from(list) };
  }

  #add<K extends Node["op"]>(
    name: string,
    op: K,
    inputs: readonly string[],
    attributes: AttributesOf<K>,
    info?: Partial<ValueInfo>,
  ): string {
    const folded = foldValues(this.#editor, op, inputs, attributes);
    if (folded) {
      const stored = this.#editor.constant(name, folded);
      const codes = inputs.length === 1 ? this.#editor.codes.get(inputs[0]!) : undefined;
      const moved = codes && movedCodes(codes, op, attributes, folded.shape);
      if (moved) this.#editor.codes.set(stored, moved);
      return stored;
    }
    const known = this.#known({ op, name, inputs, outputs: [name], attributes } as unknown as Node);
    if (known) return this.#editor.constant(name, known);
    return this.#editor.add(op, name, inputs, attributes, info ? { info } : {});
  }
}

/** NCHW to NHWC and back, as transpose permutations. */
export const TO_NHWC = [0, 2, 3, 1] as const;
export const TO_NCHW = [0, 3, 1, 2] as const;
