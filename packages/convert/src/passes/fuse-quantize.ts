import { isLayer } from "./channel-function.ts";
import type { Pass } from "./pass.ts";

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
      const output = quantize.outputs[0]!;
      const info = editor.info(output);
      editor.remove(quantize);
      editor.remove(layer);
      editor.add(layer.op, layer.name, layer.inputs, layer.attributes as never, { output, info });
      note(`${quantize.name}: ${layer.name} writes its ${info.dtype} codes`);
    }
  },
};
