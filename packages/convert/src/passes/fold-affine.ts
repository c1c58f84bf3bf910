import type { Constant, PlainConstant } from "lowbit";
import { elementCount, floats, isFloat, perChannel } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { type AffineForm, affineForm, feedsSign } from "./affine-form.ts";
import { isLayer, type Layer } from "./channel-function.ts";
import type { Pass } from "./pass.ts";

export const foldAffine: Pass = {
  name: "fold-affine",
  explain:
    "Batch normalization and constants added, subtracted, multiplied or divided by per channel go into the weights and bias of the layer before them.",
  run(editor, note) {
    for (const node of editor.live()) {
      const form = affineForm(editor, node);
      const layer = form && editor.producer(form.x);
      if (!form || !isLayer(layer) || !editor.soleConsumer(form.x)) continue;
      if (layer.attributes.clamp || editor.info(form.x).dtype !== "f32") continue;
      if (editor.info(node.outputs[0]!).shape.length !== editor.shape(form.x).length) continue;
      const additive = form.scale.every((scale) => scale === 1);
      // A bias added to a layer without one is the source's own operation; anything else rounds differently, and may
      // turn a 0 into a sign.
      const exact = additive && !layer.inputs[2];
      if (!exact && feedsSign(editor, node.outputs[0]!)) continue;
      const weight = additive ? layer.inputs[1]! : scaledWeight(editor, layer, form.scale);
      if (weight === undefined) continue;
      const bias = editor.constant(`${layer.name}/bias`, floats([form.bias.length], foldedBias(editor, layer, form)));
      const output = node.outputs[0]!;
      editor.remove(node);
      editor.remove(layer);
      const inputs = [layer.inputs[0]!, weight, bias];
      editor.add(layer.op, layer.name, inputs, layer.attributes as never, { output });
      note(`${node.name}: ${node.op} folded into ${additive ? "the bias" : "weights and bias"} of ${layer.name}`);
    }
  },
};

function foldedBias(editor: GraphEditor, layer: Layer, { scale, bias }: AffineForm): Float32Array {
  const own = layer.inputs[2] ? perChannel(editor.constants.get(layer.inputs[2]), bias.length, 1)! : undefined;
  return Float32Array.from(bias, (value, c) => (own ? own[c]! * scale[c]! : 0) + value);
}

/** A new constant with output channel n times scale[n]: floats themselves, or the scales of codes. */
function scaledWeight(editor: GraphEditor, layer: Layer, scale: Float64Array): string | undefined {
  const constant = editor.constants.get(layer.inputs[1]!)!;
  const scaled = isFloat(constant) ? scaledFloats(constant, scale) : scaledCodes(constant, scale);
  return scaled && editor.constant(layer.inputs[1]!, scaled);
}

function scaledFloats(constant: PlainConstant & { readonly data: Float32Array }, scale: Float64Array): PlainConstant {
  const columns = constant.data.length / scale.length;
  const data = Float32Array.from(constant.data, (value, index) => value * scale[Math.floor(index / columns)]!);
  return { ...constant, data };
}

/** The same codes with the scales of output channel n times scale[n]; undefined of constants without codes. */
export function scaledCodes(constant: Constant, scale: Float64Array): Constant | undefined {
  if (constant.kind !== "quantized") return undefined;
  const rows = scale.length;
  const columns = elementCount(constant.shape.slice(1));
  const groupSize = constant.groupSize ?? columns;
  const groups = Math.ceil(columns / groupSize);
  const own = constant.scale;
  const shared = own !== undefined && own.length === groups && rows > 1;
  const data = new Float32Array(rows * groups);
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < groups; group++) {
      const value = own === undefined ? 1 : own[shared ? group : row * groups + group]!;
      data[row * groups + group] = value * scale[row]!;
    }
  }
  return { ...constant, scale: data, scaleShape: [rows, groups], groupSize };
}
