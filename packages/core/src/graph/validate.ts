/**
 * Checks a graph that came from outside before anything is allocated for it. What passes can be lowered without looking
 * back: names resolve, every value is written once and before it is read, attributes and shapes fit, constants hold what
 * they say.
 */
import { GraphError } from "../errors.ts";
import { bytesOf } from "../tensor.ts";
import { checkAttributes, isDim, operators } from "./attributes.ts";
import { checkConstant } from "./constants.ts";
import { inferShape, type Shape } from "./shapes.ts";
import type { DType, Graph, Node, Op, ValueInfo } from "./types.ts";

/** Inputs of an operator: how many, and which must be constants. */
interface Arity {
  readonly min: number;
  readonly max: number;
  readonly constants: readonly number[];
}

const one: Arity = { min: 1, max: 1, constants: [] };
const two: Arity = { min: 2, max: 2, constants: [] };
const weighted: Arity = { min: 2, max: 3, constants: [1, 2] };

const arities: Readonly<Record<Op, Arity>> = {
  conv2d: weighted,
  dense: weighted,
  matmul: two,
  threshold: { min: 2, max: 2, constants: [1] },
  affine: { min: 3, max: 3, constants: [1, 2] },
  sign: one,
  quantize: one,
  dequantize: one,
  maxPool: one,
  avgPool: one,
  globalAvgPool: one,
  batchNorm: { min: 5, max: 5, constants: [1, 2, 3, 4] },
  add: two,
  sub: two,
  mul: two,
  div: two,
  clip: one,
  leakyRelu: one,
  sigmoid: one,
  tanh: one,
  softmax: one,
  reshape: one,
  transpose: one,
  concat: { min: 1, max: 1024, constants: [] },
  pad: one,
  cast: one,
};

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
    if (!operators.has(node.op)) throw new GraphError(`node "${node.name}"`, "operator", "a known one", node.op);
    if (names.has(node.name)) throw new GraphError(label(node), "name", "a unique one", node.name);
    names.add(node.name);
    checkNode(graph, node, written);
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

function checkNode(graph: Graph, node: Node, written: ReadonlySet<string>): void {
  const by = label(node);
  const { min, max, constants } = arities[node.op];
  if (node.inputs.length < min || node.inputs.length > max)
    throw new GraphError(by, "inputs", min === max ? min : `${min} to ${max}`, node.inputs.length);
  if (node.outputs.length !== 1) throw new GraphError(by, "outputs", 1, node.outputs.length);
  checkAttributes(node.op, node.attributes, (attribute, wanted, got) => {
    throw new GraphError(by, attribute, wanted, got);
  });
  const shapes = node.inputs.map((name, i): Shape | undefined => {
    if (name === "" && i >= min) return undefined;
    const constant = graph.constants.get(name);
    if (constant) return constant.shape;
    // A name that is written later is a cycle or a wrong order; one that never is, is missing.
    if (!written.has(name))
      throw new GraphError(
        by,
        `input ${i}`,
        "a constant or a value written before",
        graph.values.has(name) ? `${name}, written later` : name,
      );
    if (constants.includes(i)) throw new GraphError(by, `input ${i}`, "a constant", `value ${name}`);
    return graph.values.get(name)!.shape;
  });
  for (const [i, name] of node.inputs.entries()) {
    const constant = graph.constants.get(name);
    if (constant?.kind === "quantized" && !(i === 1 && (node.op === "conv2d" || node.op === "dense")))
      throw new GraphError(by, `input ${i}`, "a plain constant", `quantized constant ${name}`);
  }
  checkTypes(graph, node);
  const declared = graph.values.get(node.outputs[0]!)?.shape;
  const inferred = inferShape(node, shapes);
  if (declared && (declared.length !== inferred.length || declared.some((d, i) => d !== inferred[i])))
    throw new GraphError(by, "shape of the output", inferred, declared);
}

const dtypeOf = (graph: Graph, name: string): DType | "quantized" | undefined => {
  const constant = graph.constants.get(name);
  if (constant) return constant.kind === "plain" ? constant.dtype : "quantized";
  return graph.values.get(name)?.dtype;
};

const floats: readonly DType[] = ["f32"];
const images: readonly DType[] = ["f32", "int8", "uint8", "bit"];

/** Input and output types by operator: [of x, of y]; "same": y has x's. Whether a kernel exists, lowering says. */
const types: Readonly<Record<Op, readonly [x: readonly DType[] | "any", y: readonly DType[] | "same"]>> = {
  conv2d: [
    ["f32", "int8", "uint8", "bit", "trit"],
    ["f32", "int8", "uint8", "int32"],
  ],
  dense: [
    ["f32", "int8", "uint8", "bit", "trit"],
    ["f32", "int8", "uint8", "int32"],
  ],
  matmul: [floats, floats],
  threshold: [["int32"], ["bit"]],
  affine: [["f32", "int32"], floats],
  sign: [floats, ["f32", "trit", "bit"]],
  quantize: [floats, ["int8", "uint8"]],
  dequantize: [["int8", "uint8"], floats],
  maxPool: [images, "same"],
  avgPool: [floats, floats],
  globalAvgPool: [floats, floats],
  batchNorm: [floats, floats],
  add: [floats, floats],
  sub: [floats, floats],
  mul: [floats, floats],
  div: [floats, floats],
  clip: [["f32", "int8", "uint8"], "same"],
  leakyRelu: [floats, floats],
  sigmoid: [floats, floats],
  tanh: [floats, floats],
  softmax: [floats, floats],
  reshape: ["any", "same"],
  transpose: ["any", "same"],
  concat: ["any", "same"],
  pad: ["any", "same"],
  cast: ["any", ["f32", "f16", "int8", "uint8", "int32", "int64", "bool"]],
};

const binary: ReadonlySet<Op> = new Set<Op>(["matmul", "add", "sub", "mul", "div"]);

function checkTypes(graph: Graph, node: Node): void {
  const by = label(node);
  const [wantedX, wantedY] = types[node.op];
  const x = dtypeOf(graph, node.inputs[0]!);
  const y = graph.values.get(node.outputs[0]!)?.dtype;
  const check = (what: string, wanted: readonly DType[] | "any", got: DType | "quantized" | undefined) => {
    if (got === "quantized" || (got !== undefined && wanted !== "any" && !wanted.includes(got)))
      throw new GraphError(by, `dtype of ${what}`, wanted, got);
  };
  check("input 0", wantedX, x);
  if (y !== undefined) check("the output", wantedY === "same" ? [x as DType] : wantedY, y);
  if (binary.has(node.op)) check("input 1", wantedX, dtypeOf(graph, node.inputs[1]!));
  if (node.op === "concat")
    for (const [i, name] of node.inputs.entries()) check(`input ${i}`, [x as DType], dtypeOf(graph, name));
  if (node.op === "cast" && y !== node.attributes.to)
    throw new GraphError(by, "dtype of the output", node.attributes.to, y);
  if (node.op === "threshold") check("thresholds", ["int32"], dtypeOf(graph, node.inputs[1]!));
  if (node.op === "affine" || node.op === "batchNorm")
    for (const name of node.inputs.slice(1)) check("per-channel constants", floats, dtypeOf(graph, name));
  if ((node.op === "conv2d" || node.op === "dense") && node.inputs[2])
    check("bias", floats, dtypeOf(graph, node.inputs[2]));
  const quantized = (name: string) => graph.values.get(name)?.quantization !== undefined;
  if (node.op === "quantize" && !quantized(node.outputs[0]!))
    throw new GraphError(by, "quantization of the output", "scale and zero point", "none");
  if (node.op === "dequantize" && !quantized(node.inputs[0]!))
    throw new GraphError(by, "quantization of input 0", "scale and zero point", "none");
}
