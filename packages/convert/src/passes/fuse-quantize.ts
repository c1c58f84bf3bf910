import type { GraphEditor } from "../graph/editor.ts";
import { rowScales } from "../graph/low-bit.ts";
import { isLayer, type Layer } from "./channel-function.ts";
import type { Pass } from "./pass.ts";

/** The kernels keep a bias of up to this many units beside the sums in 32 bits. */
const LARGEST_BIAS = 2 ** 30;

export const fuseQuantize: Pass = {
  name: "fuse-quantize",
  explain: "A layer over int8 codes whose result is quantized again writes the new codes itself, from its 32-bit sums.",
  run(editor, note) {
    for (const quantize of editor.live()) {
      if (quantize.op !== "quantize") continue;
      const layer = editor.producer(quantize.inputs[0]);
      if (!isLayer(layer) || !editor.soleConsumer(layer.outputs[0]!)) continue;
      const { dtype } = editor.info(layer.inputs[0]!);
      if ((dtype !== "int8" && dtype !== "uint8") || editor.info(layer.outputs[0]!).dtype !== "f32") continue;
      if (!holdsBias(editor, layer)) continue;
      const output = quantize.outputs[0]!;
      const info = editor.info(output);
      editor.remove(quantize);
      editor.remove(layer);
      editor.add(layer.op, layer.name, layer.inputs, layer.attributes as never, { output, info });
      note(`${quantize.name}: ${layer.name} writes its ${info.dtype} codes`);
    }
  },
};

/**
 * Whether the bias can be added to the sums, as an integer: in units of what a sum's 1 is worth. A channel that is worth
 * nothing (normalization with scale 0) or next to nothing has a bias that no integer holds; it is added in f32 then.
 */
function holdsBias(editor: GraphEditor, layer: Layer): boolean {
  const weight = editor.constants.get(layer.inputs[1]!);
  const bias = layer.inputs[2] ? editor.plain(layer.inputs[2])?.data : undefined;
  if (bias === undefined) return true;
  const scales = weight?.kind === "quantized" ? rowScales(weight) : undefined;
  // Scales per group are applied in f32, and the bias with them.
  if (scales === undefined) return true;
  const { scale } = editor.info(layer.inputs[0]!).quantization!;
  return scales.every((own, c) => {
    const units = Number(bias[c]) / Math.fround(own * scale);
    return Number(bias[c]) === 0 || Math.abs(units) < LARGEST_BIAS;
  });
}
