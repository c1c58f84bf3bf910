/**
 * Where factors may move: from what makes a value to the layers that read it. A factor s > 0 for each channel divides what makes it and multiplies the weights of
 * the layers, and passes whatever commutes with positive factors per channel on the way.
 */
import type { Clamp, Node } from "lowbit";
import { isFloat } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { isLayer, type Layer } from "../passes/channel-function.ts";

/** What is divided, and the layers that are multiplied. */
export interface Pair {
  /** A layer, or a scale and bias of each channel: `affine`, `batchNorm`, `layerNorm`, `rmsNorm`. */
  readonly source: Node;
  readonly layers: readonly Layer[];
  readonly channels: number;
}

/** Why nothing can move into the inputs of a layer: the end of a sentence that begins "stays, ". */
export interface NoPair {
  readonly why: string;
}

/** What makes the inputs of `layer`, and all layers that read them. */
export function pairOf(editor: GraphEditor, layer: Layer): Pair | NoPair {
  let value = layer.inputs[0]!;
  const readers = editor.consumers(value);
  const layers = readers.filter(isLayer);
  if (inputChannels(editor, layer) === undefined)
    return { why: "its weights are no floats, or in groups of several channels" };
  if (editor.outputs.includes(value) || layers.length < readers.length)
    return { why: `"${value}" is read by more than layers` };
  for (;;) {
    const source = editor.producer(value);
    if (source === undefined) return { why: "it reads an input of the network" };
    const channels = outputChannels(editor, source);
    if (channels !== undefined) {
      const fits = layers.every((each) => takes(editor, each, channels));
      return fits ? { source, layers, channels } : { why: `channels of ${source.name} do not divide its inputs` };
    }
    const before = inputBehind(editor, source);
    if (before === undefined) return { why: `its inputs come from ${source.op} ${source.name}` };
    value = before;
    if (editor.outputs.includes(value) || editor.consumers(value).length > 1)
      return { why: `"${value}" is read by more than ${source.name}` };
  }
}

/** One input and one output channel for each group. */
export const isDepthwise = (layer: Layer, outputs: number): boolean =>
  layer.op === "conv2d" && layer.attributes.groups > 1 && layer.attributes.groups === outputs;

/** A flattened image has its channels last in every pixel: weight k of a dense row belongs to channel k mod C. */
function takes(editor: GraphEditor, layer: Layer, channels: number): boolean {
  const count = inputChannels(editor, layer);
  return count !== undefined && (layer.op === "dense" ? count % channels === 0 : count === channels);
}

/** Input channels of a layer; undefined for weights that are no floats, and convolutions in groups that are not depthwise. */
function inputChannels(editor: GraphEditor, layer: Layer): number | undefined {
  const weight = editor.constants.get(layer.inputs[1]!);
  if (!isFloat(weight)) return undefined;
  const { shape } = weight;
  if (layer.op === "dense" || layer.attributes.groups === 1) return shape.at(-1);
  return isDepthwise(layer, shape[0]!) ? shape[0] : undefined;
}

/** Output channels of a node that can be divided channel by channel. */
function outputChannels(editor: GraphEditor, source: Node): number | undefined {
  const constants = source.inputs.slice(1).map((name) => editor.constants.get(name));
  const [first] = constants;
  if (!isFloat(first) || !constants.every(isFloat)) return undefined;
  switch (source.op) {
    case "conv2d":
    case "dense":
      return isScaleFree(source.attributes.clamp) ? first.shape[0] : undefined;
    case "affine":
      return isScaleFree(source.attributes.clamp) ? first.data.length : undefined;
    case "batchNorm":
    case "layerNorm":
    case "rmsNorm":
      return first.data.length;
    default:
      return undefined;
  }
}

/** The input of f through which factors per channel pass, f(x / s) = f(x) / s; undefined where there is none. */
function inputBehind(editor: GraphEditor, node: Node): string | undefined {
  switch (node.op) {
    case "clip":
      return isScaleFree([node.attributes.min, node.attributes.max]) ? node.inputs[0] : undefined;
    case "pad":
      return node.attributes.value === 0 ? node.inputs[0] : undefined;
    case "leakyRelu":
    case "maxPool":
    case "avgPool":
    case "globalAvgPool":
      return node.inputs[0];
    case "reshape":
      return keepsChannelsLast(editor, node) ? node.inputs[0] : undefined;
    case "attention":
      // A mean of values, whatever its weights are; where heads share them, a channel of v is several of the output.
      return node.attributes.heads === node.attributes.kvHeads ? node.inputs[2] : undefined;
    default:
      return undefined;
  }
}

/** Ends that a positive factor leaves where they are. */
const isScaleFree = (clamp: Clamp | undefined): boolean =>
  clamp === undefined || clamp.every((end) => end === 0 || !Number.isFinite(end));

/** Whether the last axis becomes a whole number of runs of the one before, as flattening makes it. */
function keepsChannelsLast(editor: GraphEditor, node: Node): boolean {
  const [before, after] = [editor.shape(node.inputs[0]!).at(-1), editor.shape(node.outputs[0]!).at(-1)];
  return typeof before === "number" && typeof after === "number" && after % before === 0;
}
