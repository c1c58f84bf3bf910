/** Nodes that stand in another place than the file's, and whose values have other names there: bodies of functions, branches. */
import type { Message } from "@bufbuild/protobuf";
import type { AttributeProto, GraphProto, NodeProto } from "./generated/onnx_pb.ts";

type Rename = (name: string) => string;

/** A copy with other fields; its defaults are its prototype's, which a spread would leave out. */
export const changed = <M extends Message>(message: M, fields: Partial<M>): M =>
  Object.assign(Object.create(Object.getPrototypeOf(message)), message, fields);

/** What an absent input or output is called stays what it is. */
const renamed = (names: readonly string[], rename: Rename): string[] =>
  names.map((name) => (name === "" ? name : rename(name)));

/** A node with the names that `rename` gives, also in its subgraphs; a node of this name, if one is given. */
export function renamedNode(node: NodeProto, rename: Rename, name = node.name): NodeProto {
  return changed(node, {
    name,
    input: renamed(node.input, rename),
    output: renamed(node.output, rename),
    attribute: node.attribute.map((attribute) => withGraph(attribute, (graph) => renamedGraph(graph, rename))),
  });
}

/** An attribute with another subgraph in place of its own. */
export const withGraph = (attribute: AttributeProto, edit: (graph: GraphProto) => GraphProto): AttributeProto =>
  attribute.g ? changed(attribute, { g: edit(attribute.g) }) : attribute;

const renamedGraph = (graph: GraphProto, rename: Rename): GraphProto =>
  changed(graph, {
    initializer: graph.initializer.map((tensor) => changed(tensor, { name: rename(tensor.name) })),
    node: graph.node.map((node) => renamedNode(node, rename)),
    output: graph.output.map((output) => changed(output, { name: rename(output.name) })),
  });

/** What a node reads: its inputs, and what its subgraphs read from outside of them. */
export function inputsOf(node: NodeProto): readonly string[] {
  const captured = node.attribute.flatMap(({ g }) => (g ? capturedBy(g) : []));
  return captured.length === 0 ? node.input : [...node.input, ...captured];
}

function capturedBy(graph: GraphProto): string[] {
  const own = new Set([
    ...graph.initializer.map(({ name }) => name),
    ...graph.input.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ]);
  const read = [...graph.node.flatMap(inputsOf), ...graph.output.map(({ name }) => name)];
  return read.filter((name) => !own.has(name));
}
