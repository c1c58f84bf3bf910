import { fromBinary } from "@bufbuild/protobuf";
import type { DataOf, Dim, PlainConstant } from "lowbit";
import { ModelFileError } from "../errors.ts";
import { inlineFunctions } from "./functions.ts";
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from "./generated/onnx_pb.ts";
import { isAsInSet7 } from "./old-sets.ts";
import { inputsOf } from "./rename.ts";
import { dtypeOf, readTensor, typeName } from "./tensor.ts";

/** Operator set versions of the default domain whose rules the importers know; of older ones, what did not change until then. */
export const OPSETS = { oldest: 7, newest: 25 } as const;

/**
 * The parts of an .onnx file that an import needs, checked: names resolve, no cycle, tensors hold what they announce.
 */
export interface SourceModel {
  readonly name: string;
  /** Version of the default operator set. */
  readonly opset: number;
  /** Inputs that have no initializer: before IR version 4 every initializer was listed as an input too. */
  readonly inputs: readonly { readonly name: string; readonly dtype: keyof DataOf; readonly shape: readonly Dim[] }[];
  /** ONNX types of inputs and initializers, as `TensorProto.DataType` numbers them. */
  readonly types: ReadonlyMap<string, number>;
  readonly outputs: readonly string[];
  readonly initializers: ReadonlyMap<string, PlainConstant>;
  /** In an order in which every value is written before it is read. */
  readonly nodes: readonly NodeProto[];
}

/** How messages name a node: its own name, else its first output. */
export function nodeTitle(node: NodeProto): string {
  return node.name || node.output[0] || node.opType;
}

/** Reads an .onnx file. Throws {@link ModelFileError} for anything that is not a well-formed model. */
export const readOnnx = (bytes: Uint8Array): SourceModel => readOnnxModel(parseOnnx(bytes));

/** The protobuf message of an .onnx file, unchecked beyond that. Throws {@link ModelFileError} where it is none. */
export function parseOnnx(bytes: Uint8Array): ModelProto {
  if (bytes.length === 0) throw new ModelFileError("onnx", "file", "a model", "an empty file");
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFileError(
      "onnx",
      "file",
      "a protobuf ModelProto",
      `another, damaged or truncated file (${what})`,
      cause,
    );
  }
}

/** Throws {@link ModelFileError} for anything that is not a well-formed model. */
export function readOnnxModel(model: ModelProto): SourceModel {
  const { graph } = model;
  if (graph === undefined)
    throw new ModelFileError("onnx", "file", "a ModelProto with a graph", "none (truncated, or no ONNX file)");
  if (graph.output.length === 0) throw new ModelFileError("onnx", "graph", "at least one output", "none (truncated?)");
  const initializers = readInitializers(graph);
  const inputs = graph.input.filter((input) => !initializers.has(input.name)).map(readInput);
  const opset = opsetOf(model);
  return {
    name: graph.name,
    opset,
    inputs,
    types: new Map([
      ...graph.initializer.map(({ name, dataType }) => [name, dataType] as const),
      ...graph.input.map(
        ({ name, type }) => [name, type?.value.case === "tensorType" ? type.value.value.elemType : 0] as const,
      ),
    ]),
    outputs: graph.output.map((output) => output.name),
    initializers,
    nodes: sortNodes(
      { node: inlineFunctions(model, opset), output: graph.output },
      new Set([...initializers.keys(), ...inputs.map((input) => input.name)]),
    ),
  };
}

function opsetOf(model: ModelProto): number {
  const entries = model.opsetImport.filter((entry) => entry.domain === "" || entry.domain === "ai.onnx");
  if (entries.length !== 1) {
    throw new ModelFileError(
      "onnx",
      "opset_import",
      "one version of the default operator set",
      `${entries.length} of them`,
    );
  }
  const version = Number(entries[0]!.version);
  const wanted = `version ${OPSETS.oldest} to ${OPSETS.newest}`;
  if (version < 1 || version > OPSETS.newest) throw new ModelFileError("onnx", "operator set", wanted, version);
  if (version >= OPSETS.oldest) return version;
  const other = model.graph?.node.find(({ opType }) => !isAsInSet7(opType, version));
  if (!other) return OPSETS.oldest;
  const got = `${version}, whose ${other.opType} is not that of ${OPSETS.oldest}`;
  throw new ModelFileError("onnx", "operator set", wanted, got);
}

function readInitializers(graph: GraphProto): Map<string, PlainConstant> {
  if (graph.sparseInitializer.length > 0) {
    throw new ModelFileError("onnx", "initializers", "dense tensors", `${graph.sparseInitializer.length} sparse ones`);
  }
  const initializers = new Map<string, PlainConstant>();
  for (const tensor of graph.initializer) {
    if (tensor.name === "") throw new ModelFileError("onnx", "initializer", "a name", "none");
    if (initializers.has(tensor.name))
      throw new ModelFileError("onnx", "initializer", "unique names", `"${tensor.name}" twice`);
    initializers.set(tensor.name, readTensor(tensor, `onnx: initializer "${tensor.name}"`));
  }
  return initializers;
}

function readInput(input: ValueInfoProto): SourceModel["inputs"][number] {
  const op = `onnx: input "${input.name}"`;
  const type = input.type?.value;
  if (type?.case !== "tensorType") throw new ModelFileError(op, "type", "a tensor", type?.case ?? "none");
  const dtype = dtypeOf(type.value.elemType);
  if (dtype === undefined)
    throw new ModelFileError(op, "element type", "a number type of ONNX", typeName(type.value.elemType));
  if (type.value.shape === undefined) throw new ModelFileError(op, "shape", "a rank and its dims", "none");
  const shape = type.value.shape.dim.map(({ value }, axis): Dim => {
    if (value.case === "dimParam" && value.value !== "") return value.value;
    // A dim without a value is unknown: it gets a name of its own.
    if (value.case !== "dimValue") return `${input.name}_${axis}`;
    if (value.value < 0n || value.value > 0x7fff_ffffn)
      throw new ModelFileError(op, `dim ${axis}`, "0 to 2^31 - 1", value.value);
    return Number(value.value);
  });
  if (shape.length > 8) throw new ModelFileError(op, "rank", "at most 8", shape.length);
  return { name: input.name, dtype, shape };
}

/**
 * Topological order (the file's own where that is one). Names a node of the cycle, or the value that nothing writes.
 */
export function sortNodes(
  graph: Pick<GraphProto, "node" | "output">,
  known: Pick<ReadonlySet<string>, "has">,
): NodeProto[] {
  const writers = new Map<string, NodeProto>();
  for (const node of graph.node) {
    if (node.output.every((output) => output === "")) {
      throw new ModelFileError(`onnx: node "${nodeTitle(node)}"`, "outputs", "at least one", "none");
    }
    for (const output of node.output) {
      if (output === "") continue;
      if (writers.has(output) || known.has(output)) {
        throw new ModelFileError(
          `onnx: node "${nodeTitle(node)}"`,
          "output",
          "a value written once",
          `"${output}" twice`,
        );
      }
      writers.set(output, node);
    }
  }
  const open = new Map<NodeProto, number>();
  const readers = new Map<NodeProto, NodeProto[]>();
  for (const node of graph.node) {
    const sources = new Set<NodeProto>();
    for (const input of inputsOf(node)) {
      if (input === "" || known.has(input)) continue;
      const writer = writers.get(input);
      if (writer === undefined) {
        throw new ModelFileError(`onnx: node "${nodeTitle(node)}"`, "input", "a value of the graph", `"${input}"`);
      }
      sources.add(writer);
    }
    open.set(node, sources.size);
    for (const source of sources) {
      const list = readers.get(source);
      if (list) list.push(node);
      else readers.set(source, [node]);
    }
  }
  const order = graph.node.filter((node) => open.get(node) === 0);
  for (let next = 0; next < order.length; next++) {
    for (const reader of readers.get(order[next]!) ?? []) {
      const left = open.get(reader)! - 1;
      open.set(reader, left);
      if (left === 0) order.push(reader);
    }
  }
  if (order.length < graph.node.length) {
    const stuck = graph.node.filter((node) => open.get(node)! > 0).map(nodeTitle);
    throw new ModelFileError("onnx", "graph", "no cycle", `a cycle through ${stuck.slice(0, 4).join(", ")}`);
  }
  for (const output of graph.output) {
    if (!writers.has(output.name) && !known.has(output.name)) {
      throw new ModelFileError("onnx", "output", "a value of the graph", `"${output.name}"`);
    }
  }
  // Kahn's order goes level by level; the file's own order reads better where it is valid.
  const rank = new Map(graph.node.map((node, index) => [node, index]));
  const inFileOrder = graph.node.every((node) =>
    inputsOf(node).every(
      (input) => input === "" || known.has(input) || rank.get(writers.get(input)!)! < rank.get(node)!,
    ),
  );
  return inFileOrder ? [...graph.node] : order;
}
