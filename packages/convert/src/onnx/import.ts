import { type Graph, UnsupportedError } from "lowbit";
import { UnsupportedOperatorsError } from "../errors.ts";
import { GraphEditor } from "../graph/editor.ts";
import type { Scope } from "./branch.ts";
import { NodeContext } from "./context.ts";
import type { ModelProto, NodeProto } from "./generated/onnx_pb.ts";
import { unrollingBudget } from "./loop.ts";
import { OPERATORS } from "./operators/registry.ts";
import { nodeTitle, parseOnnx, readOnnxModel, type SourceModel } from "./reader.ts";

/**
 * An .onnx file as a Graph: the operators that the registry lists, operator sets 7 to 25. Images are channels first in
 * ONNX and last in a Graph; transposes bridge the two, and the passes take most of them away again.
 *
 * @throws ModelFileError for a damaged file, UnsupportedOperatorsError with every node that has no importer
 */
export const importOnnx = (bytes: Uint8Array, name?: string): Graph => importOnnxModel(parseOnnx(bytes), name);

/** The same of its message, whose external data were read. */
export function importOnnxModel(model: ModelProto, name?: string): Graph {
  const source = readOnnxModel(model);
  const editor = new GraphEditor({ name: name ?? (source.name || "model") });
  const names = new Map<string, string>();
  for (const output of source.outputs) editor.reserved.add(output);
  for (const [key, constant] of source.initializers) {
    editor.constants.set(key, constant);
    names.set(key, key);
  }
  for (const input of source.inputs) {
    editor.addInput(input.name, { dtype: input.dtype, shape: input.shape });
    names.set(input.name, input.name);
  }
  const { opset, types } = source;
  const scope: Scope = {
    ...{ opset, editor, names, types },
    unrolling: unrollingBudget(),
    importNodes(nodes) {
      refuseUnknown(nodes);
      for (const node of nodes) OPERATORS.get(operatorName(node))!(new NodeContext(node, scope));
    },
  };
  scope.importNodes(source.nodes);
  bindOutputs(source, editor, names);
  return editor.freeze();
}

function refuseUnknown(nodes: readonly NodeProto[]): void {
  const unknown = nodes.filter((node) => !OPERATORS.has(operatorName(node)));
  if (unknown.length > 0)
    throw new UnsupportedOperatorsError(
      unknown.map((node) => [operatorName(node), nodeTitle(node)]),
      [...OPERATORS.keys()],
    );
}

function operatorName({ domain, opType }: NodeProto): string {
  return domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`;
}

/** Outputs keep their ONNX names, also where the value behind one is an input, a constant or another output. */
function bindOutputs(source: SourceModel, editor: GraphEditor, names: Map<string, string>): void {
  for (const output of source.outputs) {
    const value = names.get(output);
    if (value === undefined)
      throw new UnsupportedError(
        "importModel",
        [`output "${output}": for training only`],
        "outputs that inference has",
      );
    if (editor.plain(value) && value !== output) {
      editor.outputs.push(editor.add("identity", output, [value], {}, { output }));
      continue;
    }
    if (value === output && editor.producer(value) === undefined) {
      throw new UnsupportedError(
        "importModel",
        [`output "${output}": an input or initializer itself`],
        "outputs that a node writes",
      );
    }
    if (value === output) {
      editor.outputs.push(output);
    } else if (editor.producer(value) && !editor.outputs.includes(value)) {
      editor.outputs.push(value);
      editor.rename(value, output);
      for (const [alias, target] of names) if (target === value) names.set(alias, output);
    } else {
      editor.outputs.push(editor.add("reshape", output, [value], { shape: editor.shape(value) }, { output }));
    }
  }
}
