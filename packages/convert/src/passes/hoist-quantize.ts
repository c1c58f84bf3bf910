import type { Pass } from "./pass.ts";
import { explicitShape } from "./remove-no-ops.ts";

export const hoistQuantize: Pass = {
  name: "hoist-quantize",
  explain: "A quantization moves in front of a reshape, towards the layer that can write the codes itself.",
  run(editor, note) {
    for (const quantize of editor.live()) {
      if (quantize.op !== "quantize") continue;
      const reshape = editor.producer(quantize.inputs[0]);
      if (reshape?.op !== "reshape" || !editor.soleConsumer(reshape.outputs[0]!) || !editor.producer(reshape.inputs[0]))
        continue;
      const output = quantize.outputs[0]!;
      const info = editor.info(output);
      const shape = explicitShape(info.shape);
      if (shape === undefined) continue;
      const codes = editor.freshValue(`${quantize.name}/codes`);
      editor.remove(quantize);
      editor.remove(reshape);
      editor.add(
        "quantize",
        quantize.name,
        [reshape.inputs[0]!],
        {},
        { output: codes, info: { dtype: info.dtype, quantization: info.quantization! } },
      );
      editor.add("reshape", reshape.name, [codes], { shape }, { output });
      note(`${quantize.name}: moved in front of ${reshape.name}`);
    }
  },
};
