/** A graph inside a node (the branch of a condition that is known, a turn of a loop): its nodes are imported in place of the one that has it. */
import type { GraphEditor } from "../graph/editor.ts";
import type { GraphProto, NodeProto } from "./generated/onnx_pb.ts";
import type { UnrollingBudget } from "./loop.ts";
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
  /** What is left of what loops may become. */
  readonly unrolling: UnrollingBudget;
  /** Imports nodes in an order in which values are written before they are read. */
  importNodes(nodes: readonly NodeProto[]): void;
}

/** What the nodes of an inner graph may read beside those of the graphs around it. */
export interface InnerNames {
  /** Graph names of its inputs, by theirs. */
  readonly given?: ReadonlyMap<string, string>;
  /** Other names for some that it reads. */
  readonly shared?: ReadonlyMap<string, string>;
}

/**
 * @param prefix of the values that the branch itself has
 * @returns the names of those values and of its outputs, by theirs in the branch: keys of `names` of the scope
 */
export function importBranch(
  branch: GraphProto,
  prefix: string,
  { editor, names, importNodes }: Scope,
  { given = new Map(), shared = new Map() }: InnerNames = {},
): Map<string, string> {
  const own = [
    ...branch.initializer.map(({ name }) => name),
    ...branch.node.flatMap(({ output }) => output),
    ...given.keys(),
  ];
  const found = new Map(own.map((name) => [name, `${prefix}/${name}`]));
  const rename = (name: string) => found.get(name) ?? shared.get(name) ?? name;
  for (const [name, value] of given) names.set(rename(name), value);
  for (const tensor of branch.initializer) {
    const name = rename(tensor.name);
    editor.constants.set(name, readTensor(tensor, `onnx: initializer "${name}"`));
    names.set(name, name);
  }
  const output = branch.output.map((value) => changed(value, { name: rename(value.name) }));
  const node = branch.node.map((inner) => renamedNode(inner, rename, inner.name && `${prefix}/${inner.name}`));
  importNodes(sortNodes({ node, output }, names));
  for (const { name } of branch.output) found.set(name, rename(name));
  return found;
}
