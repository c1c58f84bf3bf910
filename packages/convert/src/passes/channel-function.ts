import type { Clamp, Node, NodeOf } from "lowbit";
import { perChannel } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { rowScales } from "../graph/low-bit.ts";

/** A convolution or dense layer. */
export type Layer = NodeOf<"conv2d"> | NodeOf<"dense">;

export function isLayer(node: Node | undefined): node is Layer {
  return node?.op === "conv2d" || node?.op === "dense";
}

/** One f32 operation on an element of channel c, rounded as f32 hardware rounds it. */
export type Step = (x: number, channel: number) => number;

const { fround } = Math;

export const clampStep =
  ([min, max]: Clamp): Step =>
  (x) =>
    Math.min(Math.max(x, min), max);

/** x of a node with one input that is no constant, and the constant of an add, sub, mul or div. */
export function operands(editor: GraphEditor, node: Node): { x: string; constant: string | undefined; first: boolean } {
  const [a, b] = node.inputs;
  const first = b !== undefined && editor.constants.has(a!);
  return { x: first ? b : a!, constant: first ? a : b, first };
}

/**
 * What a node does to each element, where that depends on its channel (last axis) only and never falls as x grows or
 * never rises: batch normalization, affine, a constant added, subtracted, multiplied or divided by, a clip, a
 * sign. `channels` is the size of the last axis.
 */
export function stepOf(editor: GraphEditor, node: Node, channels: number): Step | undefined {
  const rank = editor.shape(node.outputs[0]!).length;
  const vector = (name: string | undefined) =>
    perChannel(name ? editor.constants.get(name) : undefined, channels, rank);
  const { constant, first } = operands(editor, node);
  switch (node.op) {
    case "sign":
      return Math.sign;
    case "clip":
      return clampStep([node.attributes.min, node.attributes.max]);
    case "affine": {
      const [scale, bias] = [vector(node.inputs[1]), vector(node.inputs[2])];
      const clamp = node.attributes.clamp && clampStep(node.attributes.clamp);
      if (!scale || !bias) return undefined;
      const affine: Step = (x, c) => fround(fround(x * scale[c]!) + bias[c]!);
      return clamp ? (x, c) => clamp(affine(x, c), c) : affine;
    }
    case "batchNorm": {
      const [scale, bias, mean, variance] = node.inputs.slice(1).map(vector);
      if (!scale || !bias || !mean || !variance) return undefined;
      const { epsilon } = node.attributes;
      const deviation = variance.map((value) => Math.sqrt(fround(value + fround(epsilon))));
      return (x, c) => fround(fround(fround(fround(x - mean[c]!) / deviation[c]!) * scale[c]!) + bias[c]!);
    }
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const value = vector(constant);
      if (!value) return undefined;
      if (node.op === "add") return (x, c) => fround(x + value[c]!);
      if (node.op === "mul") return (x, c) => fround(x * value[c]!);
      if (node.op === "sub") return first ? (x, c) => fround(value[c]! - x) : (x, c) => fround(x - value[c]!);
      return first ? undefined : (x, c) => fround(x / value[c]!);
    }
    default:
      return undefined;
  }
}

/** A layer over integers, and what becomes of its sums on the way to a value. */
export interface LayerTrace {
  readonly layer: Layer;
  readonly channels: number;
  /** Nodes behind the layer, in order; each is read by the next alone. */
  readonly path: readonly Node[];
  /** The source's f32 value for the integer sum k in channel c, pools and reshapes aside. */
  readonly value: Step;
  /** The sums that can occur: least, least + step, ... -least. */
  readonly least: number;
  readonly step: 1 | 2;
}

/**
 * Walks from `value` up to the layer over integers (bits, trits, int8) whose sums it is a function of, channel by
 * channel.
 */
export function traceToLayer(editor: GraphEditor, value: string): LayerTrace | undefined {
  const path: Node[] = [];
  let current = value;
  for (;;) {
    const node = editor.producer(current);
    if (node === undefined || editor.soleConsumer(current) === undefined) return undefined;
    if (isLayer(node)) return traced(editor, node, path.reverse());
    path.push(node);
    current = operands(editor, node).x;
    if (current === undefined || editor.constants.has(current)) return undefined;
  }
}

function traced(editor: GraphEditor, layer: Layer, path: readonly Node[]): LayerTrace | undefined {
  const output = editor.info(layer.outputs[0]!);
  const channels = output.shape.at(-1);
  const sums = reachableSums(editor, layer);
  if (sums === undefined || output.dtype !== "f32" || typeof channels !== "number") return undefined;
  const own = layerStep(editor, layer);
  if (own === undefined) return undefined;
  const steps = [own];
  let flattened = false;
  for (const node of path) {
    if (node.op === "maxPool") continue;
    if (node.op === "reshape") {
      flattened ||= editor.shape(node.outputs[0]!).at(-1) !== channels;
      continue;
    }
    // Behind a flattening the last axis is no channel: only a constant that is the same everywhere can be read off.
    const step = stepOf(editor, node, flattened ? 1 : channels);
    if (step === undefined) return undefined;
    steps.push(flattened ? (x) => step(x, 0) : step);
  }
  return { layer, channels, path, value: (x, c) => steps.reduce((y, step) => step(y, c), x), ...sums };
}

/** From the integer sum to the layer's own f32 output: scale, bias, clamp. */
function layerStep(editor: GraphEditor, layer: Layer): Step | undefined {
  const weight = editor.constants.get(layer.inputs[1]!);
  const scale = weight?.kind === "quantized" ? rowScales(weight) : undefined;
  if (scale === undefined) return undefined;
  const inputScale = editor.info(layer.inputs[0]!).quantization?.scale ?? 1;
  const factor = scale.map((value) => value * fround(inputScale));
  const bias = layer.inputs[2]
    ? perChannel(editor.constants.get(layer.inputs[2]), scale.length, 1)
    : new Float32Array(scale.length);
  if (bias === undefined) return undefined;
  const hasBias = layer.inputs[2] !== undefined;
  const clamp = layer.attributes.clamp ? clampStep(layer.attributes.clamp) : undefined;
  return (k, c) => {
    const product = fround(k * factor[c]!);
    const sum = hasBias ? fround(product + bias[c]!) : product;
    return clamp ? clamp(sum, c) : sum;
  };
}

/** Every sum of a layer over integers lies in least, least + step, ..., -least; undefined for other layers. */
export function reachableSums(editor: GraphEditor, layer: Layer): { least: number; step: 1 | 2 } | undefined {
  const weight = editor.constants.get(layer.inputs[1]!);
  if (weight?.kind !== "quantized" || (layer.op === "conv2d" && layer.attributes.groups !== 1)) return undefined;
  const { decoding, bits } = weight;
  let largestWeight = 1;
  if (decoding.kind === "affine" && typeof decoding.zeroPoint === "number") {
    largestWeight = Math.max(decoding.zeroPoint, (1 << bits) - 1 - decoding.zeroPoint);
  } else if (decoding.kind !== "sign") return undefined;
  const taps = weight.shape.slice(1).reduce((product, size) => product * size, 1);
  const { dtype, quantization } = editor.info(layer.inputs[0]!);
  if (dtype === "bit" || dtype === "trit") {
    if (decoding.kind !== "sign") return undefined;
    // With all taps present a sum of ±1 has the parity of their number; at a zero-padded border some are missing.
    const whole =
      layer.op === "dense" || layer.attributes.padding === "one" || layer.attributes.pads.every((pad) => pad === 0);
    return { least: -taps, step: dtype === "bit" && whole ? 2 : 1 };
  }
  if ((dtype !== "int8" && dtype !== "uint8") || quantization === undefined) return undefined;
  const [low, high] = dtype === "int8" ? [-128, 127] : [0, 255];
  const largestInput = Math.max(Math.abs(low - quantization.zeroPoint), Math.abs(high - quantization.zeroPoint));
  const largest = taps * largestInput * largestWeight;
  return largest < 2 ** 31 ? { least: -largest, step: 1 } : undefined;
}
