/** A branch of a condition that is known: its nodes are imported in place of the one that has it. */
import type { GraphEditor } from "../graph/editor.ts";
import type { GraphProto, NodeProto } from "./generated/onnx_pb.ts";
import { sortNodes } from "./reader.ts";
import { changed, renamedNode } from "./rename.ts";
import { readTensor } from "./tensor.ts";

/** What the nodes of a model share while they are imported. */
export interface Scope {
  readonly opset: number;
  readonly editor: GraphEditor;
  /** Graph names of what was imported so far, by ONNX name. */
  readonly names: Map<string, string>;
  /** ONNX types of inputs and initializers. */
  readonly types: ReadonlyMap<string, number>;
  /** Imports nodes in an order in which values are written before they are read. */
  importNodes(nodes: readonly NodeProto[]): void;
}

/**
 * @param prefix of the values that the branch itself has
 * @returns ONNX names of its outputs
 */
export function importBranch(branch: GraphProto, prefix: string, { editor, names, importNodes }: Scope): string[] {
  const own = new Set([...branch.initializer.map(({ name }) => name), ...branch.node.flatMap(({ output }) => output)]);
  const rename = (name: string) => (own.has(name) ? `${prefix}/${name}` : name);
  for (const tensor of branch.initializer) {
    const name = rename(tensor.name);
    editor.constants.set(name, readTensor(tensor, `onnx: initializer "${name}"`));
    names.set(name, name);
  }
  const output = branch.output.map((value) => changed(value, { name: rename(value.name) }));
  const node = branch.node.map((inner) => renamedNode(inner, rename, inner.name && `${prefix}/${inner.name}`));
  importNodes(sortNodes({ node, output }, new Set(names.keys())));
  return output.map(({ name }) => name);
}
