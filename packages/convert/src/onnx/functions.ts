/** Functions that a model defines itself: every call becomes the nodes of the body, so that importers see operators only. */
import { create } from "@bufbuild/protobuf";
import { ModelFileError } from "../errors.ts";
import { type FunctionProto, type ModelProto, type NodeProto, NodeProtoSchema } from "./generated/onnx_pb.ts";
import { changed, renamedNode, withGraph } from "./rename.ts";

/** Nodes and calls that functions may become: a file of a kilobyte could announce billions. */
const MOST_NODES = 2 ** 16;

const keyOf = (domain: string, name: string, overload: string) => `${domain}:${name}:${overload}`;

/**
 * @returns the nodes of the model's graph; values of a body are named `<output of the call>/<name>`
 * @throws ModelFileError for functions that call themselves, or that become too many nodes
 */
export function inlineFunctions(model: ModelProto, opset: number): NodeProto[] {
  const nodes = model.graph!.node;
  if (model.functions.length === 0) return nodes;
  const functions = new Map(model.functions.map((one) => [keyOf(one.domain, one.name, one.overload), one]));
  let count = 0;
  const inline = (node: NodeProto, callers: readonly FunctionProto[]): NodeProto[] => {
    if (++count > MOST_NODES)
      throw new ModelFileError("onnx", "nodes of functions", `at most ${MOST_NODES}`, "more of them");
    const called = functions.get(keyOf(node.domain, node.opType, node.overload));
    if (called) {
      if (callers.includes(called))
        throw new ModelFileError("onnx", "functions", "none that calls itself", `"${called.name}"`);
      checkOpset(called, opset);
      return bodyOf(called, node).flatMap((inner) => inline(inner, [...callers, called]));
    }
    const attribute = node.attribute.map((one) =>
      withGraph(one, (graph) => changed(graph, { node: graph.node.flatMap((inner) => inline(inner, callers)) })),
    );
    return [changed(node, { attribute })];
  };
  return nodes.flatMap((node) => inline(node, []));
}

/** The operators of a body are those of the operator set that the model has. */
function checkOpset({ name, opsetImport }: FunctionProto, opset: number): void {
  const own = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  if (own && own.version !== BigInt(opset))
    throw new ModelFileError("onnx", `operator set of function "${name}"`, opset, own.version);
}

function bodyOf(called: FunctionProto, call: NodeProto): NodeProto[] {
  const prefix = call.output.find((name) => name !== "");
  if (prefix === undefined)
    throw new ModelFileError(`onnx: call of "${called.name}"`, "outputs", "at least one", "none");
  const names = new Map<string, string>();
  const written = called.node.flatMap(({ output }) => output);
  for (const name of written) names.set(name, `${prefix}/${name}`);
  for (const [i, name] of called.input.entries()) names.set(name, call.input[i] ?? "");
  // What is read and returned as it is has no node that could write it.
  const passed: NodeProto[] = [];
  for (const [i, name] of called.output.entries()) {
    const output = call.output[i] ?? "";
    if (output === "") continue;
    if (written.includes(name)) names.set(name, output);
    else
      passed.push(create(NodeProtoSchema, { opType: "Identity", input: [names.get(name) ?? name], output: [output] }));
  }
  const rename = (name: string) => names.get(name) ?? `${prefix}/${name}`;
  const body = called.node.map((node) =>
    renamedNode(withAttributes(node, called, call), rename, node.name && `${prefix}/${node.name}`),
  );
  return [...body, ...passed];
}

/** References to attributes of the function replaced by those of the call, else by its defaults, else left out. */
function withAttributes(node: NodeProto, called: FunctionProto, call: NodeProto): NodeProto {
  const attribute = node.attribute.flatMap((one) => {
    const graphs = withGraph(one, (graph) =>
      changed(graph, { node: graph.node.map((inner) => withAttributes(inner, called, call)) }),
    );
    if (one.refAttrName === "") return [graphs];
    const same = ({ name }: { readonly name: string }) => name === one.refAttrName;
    const given = call.attribute.find(same) ?? called.attributeProto.find(same);
    return given ? [changed(given, { name: one.name })] : [];
  });
  return changed(node, { attribute });
}
