/**
 * Checks a graph that came from outside before anything is allocated for it. What passes can be lowered without looking
 * back: names resolve, every value is written once and before it is read, attributes and shapes fit, constants hold what
 * they say.
 */
import { GraphError } from "../errors.ts";
import { bytesOf } from "../tensor.ts";
import { checkAttributes, isDim } from "./attributes.ts";
import { checkConstant, constantInfo } from "./constants.ts";
import {
  constantElements,
  inferOutputs,
  inputRule,
  isCustomNode,
  type OperatorRules,
  rulesOf,
  unknownOperator,
} from "./operators.ts";
import { OPEN } from "./shapes.ts";
import type { CustomNode, DType, Graph, Json, Node, ValueInfo } from "./types.ts";

const dtypes: ReadonlySet<string> = new Set<DType>([...(Object.keys(bytesOf) as DType[]), "bit", "trit"]);

/** Elements that one value may have: beyond it, a 32-bit memory cannot hold it. */
const maxElements = 2 ** 31;

/**
 * A graph of constants alone, without nodes, inputs and outputs, is valid: a collection of tensors. It can be stored, not
 * run.
 *
 * @throws GraphError with the node's or value's name, on the first rule that is broken
 */
export function validateGraph(graph: Graph): void {
  const { values, constants } = graph;
  for (const [name, info] of values) checkValue(name, info);
  for (const [name, constant] of constants) {
    if (values.has(name)) throw new GraphError(`constant "${name}"`, "name", "one that no value has", name);
    checkConstant(name, constant);
  }
  const written = new Set<string>();
  const write = (by: string, name: string) => {
    if (constants.has(name) || written.has(name)) throw new GraphError(by, "output", "a name written once", name);
    if (!values.has(name)) throw new GraphError(by, "output", "a value with dtype and shape", name);
    written.add(name);
  };
  for (const name of graph.inputs) write("graph input", name);
  const names = new Set<string>();
  for (const node of graph.nodes) {
    const rules = rulesOf(node.op);
    if (!rules) throw unknownOperator(node);
    if (names.has(node.name)) throw new GraphError(label(node), "name", "a unique one", node.name);
    names.add(node.name);
    checkNode(graph, node, rules, written);
    for (const output of node.outputs) write(label(node), output);
  }
  const isCollection = graph.nodes.length === 0 && graph.inputs.length === 0 && constants.size > 0;
  if (graph.outputs.length === 0 && !isCollection) throw new GraphError("graph", "outputs", "at least one", 0);
  for (const name of graph.outputs)
    if (!written.has(name))
      throw new GraphError("graph output", "name", "a value that a node or an input writes", name);
  for (const name of Object.keys(graph.preprocessing ?? {}))
    if (!graph.inputs.includes(name)) throw new GraphError("preprocessing", "name", graph.inputs, name);
}

const label = (node: Node): string => `${node.op} "${node.name}"`;

function checkValue(name: string, info: ValueInfo): void {
  const by = `value "${name}"`;
  if (!dtypes.has(info.dtype)) throw new GraphError(by, "dtype", [...dtypes], info.dtype);
  if (!Array.isArray(info.shape) || info.shape.length > 16 || !info.shape.every(isDim))
    throw new GraphError(by, "shape", "at most 16 sizes or symbols", info.shape);
  const size = info.shape.reduce<number>((product, d) => product * (typeof d === "number" ? d : 1), 1);
  if (size > maxElements) throw new GraphError(by, "elements (at most)", maxElements, size);
  if ((info.dtype === "bit" || info.dtype === "trit") && typeof info.shape.at(-1) !== "number")
    throw new GraphError(by, "last axis of packed bits", "a known size", info.shape.at(-1));
  const { quantization } = info;
  if (!quantization) return;
  const low = info.dtype === "int8" ? -128 : 0;
  if (info.dtype !== "int8" && info.dtype !== "uint8")
    throw new GraphError(by, "dtype with a quantization", "int8 or uint8", info.dtype);
  if (!(Number.isFinite(quantization.scale) && quantization.scale > 0))
    throw new GraphError(by, "scale", "a finite number above 0", quantization.scale);
  const { zeroPoint } = quantization;
  if (!(Number.isInteger(zeroPoint) && zeroPoint >= low && zeroPoint <= low + 255))
    throw new GraphError(by, "zero point", `an integer of ${low} to ${low + 255}`, zeroPoint);
}

function checkNode(graph: Graph, node: Node, rules: OperatorRules, written: ReadonlySet<string>): void {
  const by = label(node);
  const min = rules.inputs.filter(({ optional }) => !optional).length;
  const max = rules.most ?? rules.inputs.length;
  const count = (what: string, low: number, high: number, got: number) => {
    if (got < low || got > high) throw new GraphError(by, what, low === high ? low : `${low} to ${high}`, got);
  };
  count("inputs", min, max, node.inputs.length);
  checkAttributes(node.op, rules.attributes, node.attributes, (attribute, wanted, got) => {
    throw new GraphError(by, attribute, wanted, got);
  });
  if (isCustomNode(node)) checkJson(node);
  const inputs = node.inputs.map((name, i): ValueInfo | undefined => {
    const { constant: wantsConstant, optional, codes } = inputRule(rules, i);
    if (name === "" && optional) return undefined;
    const constant = graph.constants.get(name);
    if (constant?.kind === "quantized" && !codes)
      throw new GraphError(by, `input ${i}`, "a plain constant", `quantized constant ${name}`);
    if (constant) return constantInfo(constant);
    // A name that is written later is a cycle or a wrong order; one that never is, is missing.
    if (!written.has(name))
      throw new GraphError(
        by,
        `input ${i}`,
        "a constant or a value written before",
        graph.values.has(name) ? `${name}, written later` : name,
      );
    if (wantsConstant) throw new GraphError(by, `input ${i}`, "a constant", `value ${name}`);
    return graph.values.get(name)!;
  });
  // Whether a kernel for these types exists, lowering says.
  const checkType = (what: string, wanted: readonly DType[], got: DType) => {
    if (!wanted.includes(got)) throw new GraphError(by, `dtype of ${what}`, wanted, got);
  };
  for (const [i, input] of inputs.entries()) {
    const { dtypes, what = `input ${i}` } = inputRule(rules, i);
    if (input && dtypes !== "any") checkType(what, dtypes === "same" ? [inputs[0]!.dtype] : dtypes, input.dtype);
  }
  const outputs = inferOutputs(node, inputs, constantElements(node, rules, graph.constants));
  count("outputs", 1, outputs.length, node.outputs.length);
  for (const [i, name] of node.outputs.entries()) {
    const declared = graph.values.get(name);
    if (!declared) continue;
    const what = `the output${i ? ` ${i}` : ""}`;
    const { dtypes, shape } = outputs[i]!;
    checkType(what, dtypes, declared.dtype);
    if (declared.shape.length !== shape.length || shape.some((d, axis) => d !== OPEN && d !== declared.shape[axis]))
      throw new GraphError(by, `shape of ${what}`, shape, declared.shape);
  }
  const { quantized } = rules;
  if (quantized && !(quantized === "input" ? inputs[0] : graph.values.get(node.outputs[0]!))?.quantization)
    throw new GraphError(
      by,
      `quantization of ${quantized === "input" ? "input 0" : "the output"}`,
      "scale and zero point",
      "none",
    );
}

/** Attributes of an operator from outside go into the packed file as they are. */
function checkJson(node: CustomNode): void {
  // The file's whole metadata may be 12 deep.
  const isJson = (value: Json | undefined, depth: number): boolean =>
    typeof value === "object" && value !== null
      ? depth > 0 && Object.values(value).every((member: Json) => isJson(member, depth - 1))
      : value === null || typeof value === "boolean" || typeof value === "string" || Number.isFinite(value);
  for (const [name, value] of Object.entries(node.attributes))
    if (!isJson(value, 4)) throw new GraphError(label(node), name, "what JSON holds, at most 4 deep", value);
}
