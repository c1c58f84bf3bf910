/** Operators of transformers (`lowbit/ops`) in standard ONNX: one operator where there is one, else the formula. */
import type { Graph, NodeOf, OpsOp, PlainConstant } from "lowbit";
import { TensorProto_DataType as DataType } from "../generated/onnx_pb.ts";
import { writeWeights } from "./codes.ts";
import type { OnnxWriter } from "./writer.ts";

export type OpsExporters = { readonly [K in OpsOp]?: (writer: OnnxWriter, node: NodeOf<K>) => void };

/** Adds a node behind another, with a name made from the given one. */
const chain =
  (writer: OnnxWriter, near: string) =>
  (opType: string, inputs: readonly string[], attributes: Parameters<OnnxWriter["node"]>[3] = {}): string =>
    writer.node(opType, inputs, { near }, attributes);

/** A table of rows as floats. */
function table(writer: OnnxWriter, near: string, name: string): string {
  const constant = writer.graph.constants.get(name)!;
  if (constant.kind === "quantized") return writeWeights(writer, name, constant, "rows");
  const plain = writer.typed(`${name}/table`, constant.dtype === "f16" ? DataType.FLOAT16 : DataType.FLOAT, constant);
  return constant.dtype === "f16" ? writer.node("Cast", [plain], { near }, { to: DataType.FLOAT }) : plain;
}

/** Entry `axis` of a value's shape, as a list of one. */
function sizeAt(writer: OnnxWriter, near: string, value: string, axis: number): string {
  const shape = writer.node("Shape", [value], { near });
  return writer.node("Gather", [shape, writer.integers(`${near}/axis`, [axis])], { near }, { axis: 0 });
}

/** 0, 1 ... below a size, which is a list of one. */
function positions(writer: OnnxWriter, near: string, size: string): string {
  const scalar = writer.node("Squeeze", [size], { near });
  const [from, step] = [0, 1].map((value) => writer.scalar(`${near}/range`, value));
  return writer.node("Range", [from!, scalar, step!], { near });
}

function rmsNorm(writer: OnnxWriter, { name, inputs, outputs, attributes }: NodeOf<"rmsNorm">): void {
  writer.needs(21);
  const add = chain(writer, name);
  const [x, scale] = inputs as [string, string];
  const mean = add("ReduceMean", [add("Mul", [x, x]), writer.integers(`${name}/axes`, [-1])]);
  const root = add("Sqrt", [add("Add", [mean, writer.floats(`${name}/epsilon`, [], [attributes.epsilon])])]);
  writer.node("Mul", [add("Div", [x, root]), scale], outputs[0]!);
}

function maskedMean(writer: OnnxWriter, { name, inputs, outputs }: NodeOf<"maskedMean">): void {
  const add = chain(writer, name);
  const [x, mask] = inputs as [string, string];
  const [middle, last] = [1, 2].map((axis) => writer.integers(`${name}/axes`, [axis]));
  const kept = add("Cast", [add("Cast", [mask], { to: DataType.BOOL })], { to: DataType.FLOAT });
  const sum = add("ReduceSum", [add("Mul", [x, add("Unsqueeze", [kept, last!])]), middle!], { keepdims: 0 });
  const count = add("ReduceSum", [kept, middle!], { keepdims: 1 });
  writer.node("Div", [sum, add("Max", [count, writer.floats(`${name}/one`, [], [1])])], outputs[0]!);
}

const isFloats = ({ values, constants }: Graph, name: string): boolean =>
  (values.get(name) ?? (constants.get(name) as PlainConstant)).dtype === "f32";

/** softmax(q kᵀ scale + mask) v by heads; a query that sees no key gives zeros. */
function attention(writer: OnnxWriter, { name, inputs, outputs, attributes }: NodeOf<"attention">): void {
  const add = chain(writer, name);
  const { heads, kvHeads, scale, causal } = attributes;
  const [q, k, v, mask] = inputs as [string, string, string, string | undefined];
  const width = writer.graph.values.get(q)!.shape[2] as number;
  const depth = width / heads;
  const split = (value: string, count: number): string => {
    const parted = add("Reshape", [value, writer.integers(`${name}/heads`, [0, 0, count, depth])]);
    const moved = add("Transpose", [parted], { perm: [0, 2, 1, 3] });
    if (count === heads) return moved;
    // Every head of k and v serves heads / kvHeads of q, one after another.
    const order = Array.from({ length: heads }, (_, head) => Math.floor(head / (heads / kvHeads)));
    return add("Gather", [moved, writer.integers(`${name}/shared`, order)], { axis: 1 });
  };
  const keys = add("Transpose", [split(k, kvHeads)], { perm: [0, 1, 3, 2] });
  const dots = add("MatMul", [split(q, heads), keys]);
  let scores = add("Mul", [dots, writer.floats(`${name}/scale`, [], [scale])]);
  const seen: string[] = [];
  if (mask) {
    if (isFloats(writer.graph, mask)) scores = add("Add", [scores, mask]);
    else
      seen.push(
        add("Unsqueeze", [add("Cast", [mask], { to: DataType.BOOL }), writer.integers(`${name}/axes`, [1, 2])]),
      );
  }
  if (causal) {
    // Query s sees the keys 0 to s + T - S.
    const [queries, count] = [sizeAt(writer, name, q, 1), sizeAt(writer, name, k, 1)];
    const last = add("Add", [positions(writer, name, queries), add("Sub", [count, queries])]);
    const column = add("Unsqueeze", [last, writer.integers(`${name}/axes`, [1])]);
    seen.push(add("LessOrEqual", [positions(writer, name, count), column]));
  }
  const [first, second] = seen;
  const both = first && second ? add("And", [first, second]) : first;
  // The least float, not infinity: rows that see nothing stay finite, and are made zeros behind the softmax.
  if (both) scores = add("Where", [both, scores, writer.floats(`${name}/least`, [], [-3.4028234663852886e38])]);
  let weights = add("Softmax", [scores], { axis: -1 });
  if (both) weights = add("Mul", [weights, add("Cast", [both], { to: DataType.FLOAT })]);
  const mixed = add("Transpose", [add("MatMul", [weights, split(v, kvHeads)])], { perm: [0, 2, 1, 3] });
  writer.node("Reshape", [mixed, writer.integers(`${name}/width`, [0, 0, width])], outputs[0]!);
}

/** Pairs (i, i + depth / 2) of every head turned by position times theta^(-2 i / depth). */
function rotary(writer: OnnxWriter, { name, inputs, outputs, attributes }: NodeOf<"rotary">): void {
  const add = chain(writer, name);
  const { heads, theta } = attributes;
  const [x] = inputs as [string];
  const width = writer.graph.values.get(x)!.shape[2] as number;
  const depth = width / heads;
  const half = depth / 2;
  const powers = Array.from({ length: half }, (_, i) => (-2 * i) / depth);
  const steps = add("Pow", [
    writer.floats(`${name}/theta`, [], [theta]),
    writer.floats(`${name}/powers`, [half], powers),
  ]);
  const at = add("Cast", [positions(writer, name, sizeAt(writer, name, x, 1))], { to: DataType.FLOAT });
  // [S, 1, 1] by [half]: the same for every batch and head.
  const column = add("Unsqueeze", [at, writer.integers(`${name}/axes`, [1, 2])]);
  const angles = add("Mul", [column, steps]);
  const [cos, sin] = [add("Cos", [angles]), add("Sin", [angles])];
  const parted = add("Reshape", [x, writer.integers(`${name}/heads`, [0, 0, heads, depth])]);
  const part = (from: number, to: number) =>
    add("Slice", [parted, ...[from, to, 3].map((value) => writer.integers(`${name}/part`, [value]))]);
  const [low, high] = [part(0, half), part(half, depth)];
  const turned = [
    add("Sub", [add("Mul", [low, cos]), add("Mul", [high, sin])]),
    add("Add", [add("Mul", [high, cos]), add("Mul", [low, sin])]),
  ];
  const joined = add("Concat", turned, { axis: 3 });
  writer.node("Reshape", [joined, writer.integers(`${name}/width`, [0, 0, width])], outputs[0]!);
}

export const TRANSFORMER: OpsExporters = {
  attention,
  maskedMean,
  rmsNorm,
  rotary,
  embedding(writer, { name, inputs, outputs }) {
    writer.node("Gather", [table(writer, name, inputs[1]!), inputs[0]!], outputs[0]!, { axis: 0 });
  },
  addPositions(writer, { name, inputs, outputs, attributes }) {
    const add = chain(writer, name);
    const offset = writer.integers(`${name}/offset`, [attributes.offset]);
    const end = add("Add", [sizeAt(writer, name, inputs[0]!, -2), offset]);
    const axis = writer.integers(`${name}/axis`, [0]);
    const rows = add("Slice", [table(writer, name, inputs[1]!), offset, end, axis]);
    writer.node("Add", [inputs[0]!, rows], outputs[0]!);
  },
  layerNorm(writer, { inputs, outputs, attributes }) {
    writer.needs(21);
    writer.node("LayerNormalization", inputs, outputs[0]!, { axis: -1, epsilon: { float: attributes.epsilon } });
  },
  gelu(writer, { inputs, outputs, attributes }) {
    writer.needs(21);
    writer.node("Gelu", inputs, outputs[0]!, { approximate: { text: attributes.approximate } });
  },
  silu(writer, { name, inputs, outputs }) {
    writer.node("Mul", [inputs[0]!, chain(writer, name)("Sigmoid", inputs)], outputs[0]!);
  },
  slice: (writer, { inputs, outputs }) => void writer.node("Slice", inputs, outputs[0]!),
};
