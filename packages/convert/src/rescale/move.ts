/** Moves factors: what makes the channels is divided, the layers behind are multiplied. Their weights go to core's formulas as one matrix. */
import type { PlainConstant } from "lowbit";
import { divideOutputs, type FloatTensor } from "lowbit/quantize";
import { floats, isFloat, transposed } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { isLayer, type Layer } from "../passes/channel-function.ts";
import { isDepthwise, type Pair } from "./pair.ts";

type FloatConstant = PlainConstant & { readonly data: Float32Array };

/** A constant that `pairOf` has seen to be of floats. */
export function floatsOf(editor: GraphEditor, name: string): FloatConstant {
  const constant = editor.constants.get(name);
  if (!isFloat(constant)) throw new Error(`rescale: "${name}" is no f32 constant`);
  return constant;
}

/** The layers' weights, one below another, as rows of as many columns as there are channels. */
export function stacked(editor: GraphEditor, { layers, channels }: Pair): FloatTensor {
  const data = joined(layers.map((layer) => rowsOf(editor, layer)));
  return { shape: [data.length / channels, channels], data };
}

/** Floats one behind the other. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const data = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return data;
}

/** A layer's weights so that element k belongs to input channel k mod C: those of a depthwise convolution turned round. */
function rowsOf(editor: GraphEditor, layer: Layer): Float32Array {
  const { shape, data } = floatsOf(editor, layer.inputs[1]!);
  const [outputs = 1] = shape;
  return isDepthwise(layer, outputs) ? turned(data, outputs) : data;
}

const turned = (data: Float32Array, rows: number): Float32Array =>
  transposed(floats([rows, data.length / rows], data), [1, 0]).data as Float32Array;

/** Puts the multiplied rows of {@link stacked} back into the layers, and divides their source. */
export async function move(
  editor: GraphEditor,
  pair: Pair,
  multiplied: Float32Array,
  factors: Float64Array,
): Promise<void> {
  let at = 0;
  for (const layer of pair.layers) {
    const { shape, data } = floatsOf(editor, layer.inputs[1]!);
    const part = multiplied.slice(at, at + data.length);
    at += data.length;
    const [outputs = 1] = shape;
    const back = isDepthwise(layer, outputs) ? turned(part, data.length / outputs) : part;
    setInput(editor, layer.name, 1, floats(shape, back));
  }
  await divide(editor, pair, factors);
}

async function divide(editor: GraphEditor, { source }: Pair, factors: Float64Array): Promise<void> {
  const first = floatsOf(editor, source.inputs[1]!);
  const bias = source.inputs[2] ? floatsOf(editor, source.inputs[2]).data : undefined;
  // A scale of each channel is a matrix of one column.
  const matrix = isLayer(source) ? first : { shape: [first.data.length, 1], data: first.data };
  const divided = await divideOutputs(matrix, bias, factors);
  setInput(editor, source.name, 1, floats(first.shape, divided.first));
  if (divided.bias) setInput(editor, source.name, 2, floats([divided.bias.length], divided.bias));
}

/** Another constant for input `index` of a node; others that share the old one keep it. */
function setInput(editor: GraphEditor, name: string, index: number, constant: PlainConstant): void {
  const node = [...editor.nodes].find((each) => each.name === name)!;
  const inputs = [...node.inputs];
  inputs[index] = editor.constant(inputs[index]!, constant);
  editor.replace(node, { inputs });
}
