/** Float against quantized: what every layer and the whole model lost. */
import { createModel, type Graph, type Model, Tensor } from "lowbit";
import { compareFloats } from "lowbit/quantize";
import type { Agreement, ErrorFigures, Feed } from "./api.ts";
import { GraphEditor } from "./graph/editor.ts";
import type { Layer } from "./passes/channel-function.ts";
import { isWeighted, type Weighted } from "./schemes.ts";

/** Some values of a graph by name, one tensor of f32 per feed. */
export type Recording = ReadonlyMap<string, readonly Tensor<"f32">[]>;

/** Figures between a value of the float network and of the quantized one, over all feeds. */
export async function figuresOf(
  float: readonly Tensor<"f32">[],
  quantized: readonly Tensor<"f32">[],
): Promise<ErrorFigures> {
  const { sqnr, cosine, maxAbs } = await compareFloats(joined(float), joined(quantized));
  return { sqnr, cosine, maxError: maxAbs };
}

/** Runs a graph on all feeds and keeps the given values. int8 codes are recorded as the reals that they stand for. */
export async function record(
  graph: Graph,
  feeds: readonly Feed[],
  values: readonly string[],
  step: () => Promise<void>,
): Promise<Recording> {
  const taps = values.filter((value) => !graph.inputs.includes(value));
  using model: Model = await createModel(graph, { taps });
  const recording = new Map<string, Tensor<"f32">[]>(values.map((value) => [value, []]));
  for (const feed of feeds) {
    const outputs = await model.run(feed);
    for (const value of values) recording.get(value)!.push(reals(graph, value, outputs[value] ?? feed[value]!));
    await step();
  }
  return recording;
}

function reals(graph: Graph, value: string, tensor: Tensor): Tensor<"f32"> {
  if (tensor.dtype === "f32") return tensor as Tensor<"f32">;
  const { scale, zeroPoint } = graph.values.get(value)?.quantization ?? { scale: 1, zeroPoint: 0 };
  const codes = tensor.data as ArrayLike<number>;
  return new Tensor(
    "f32",
    tensor.shape,
    Float32Array.from(codes, (code) => (Number(code) - zeroPoint) * scale),
  );
}

/** All elements, feed after feed. */
export function joined(tensors: readonly Tensor<"f32">[]): Float32Array {
  const all = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const { data } of tensors) {
    all.set(data, at);
    at += data.length;
  }
  return all;
}

/**
 * One layer as a graph of its own: from the float value in front of it (through the quantize of its input, where it
 * computes on codes) to its float output.
 */
export function isolated(graph: Graph, layer: Layer): Graph {
  const editor = GraphEditor.from(graph);
  const current = [...editor.nodes].find((node) => node.name === layer.name)!;
  const path = [current];
  for (let before = editor.producer(current.inputs[0]); before?.op === "dequantize" || before?.op === "quantize"; ) {
    path.unshift(before);
    before = editor.producer(before.inputs[0]);
  }
  const input = path[0]!.inputs[0]!;
  const single = new GraphEditor({ name: layer.name });
  single.addInput(input, editor.info(input));
  for (const node of path) {
    for (const name of node.inputs) {
      const constant = editor.constants.get(name);
      if (constant) single.constants.set(name, constant);
    }
    single.insert(node);
    single.declare(node.outputs[0]!, editor.info(node.outputs[0]!));
  }
  single.outputs = [current.outputs[0]!];
  return single.freeze();
}

/**
 * Agreement of first outputs: share of samples (rows of the last axis) whose largest entry is in the same place, and
 * the figures over all elements.
 */
export async function agreementOf(
  floats: readonly Tensor<"f32">[],
  codes: readonly Tensor<"f32">[],
): Promise<Agreement> {
  const classes = floats[0]!.shape.at(-1) ?? 1;
  const [float, quantized] = [joined(floats), joined(codes)];
  const samples = float.length / classes;
  let same = 0;
  for (let sample = 0; sample < samples; sample++) {
    if (largest(float, sample * classes, classes) === largest(quantized, sample * classes, classes)) same++;
  }
  return { ...(await figuresOf(floats, codes)), samples, top1: same / samples };
}

/** Position of the largest of `count` elements from `start` on, the lowest on a tie; -1 where one is NaN. */
function largest(data: Float32Array, start: number, count: number): number {
  let best = 0;
  for (let i = 0; i < count; i++) {
    const value = data[start + i]!;
    if (Number.isNaN(value)) return -1;
    if (value > data[start + best]!) best = i;
  }
  return best;
}

/** Layers by node name. */
export function layerMap(graph: Graph): Map<string, Weighted> {
  return new Map(graph.nodes.filter(isWeighted).map((layer) => [layer.name, layer]));
}
