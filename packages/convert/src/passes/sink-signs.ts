import type { Pass } from "./pass.ts";
import { explicitShape } from "./remove-no-ops.ts";

export const sinkSigns: Pass = {
  name: "sink-signs",
  explain: "A sign moves behind a max pool or a reshape (it commutes with both), next to the layer that reads it.",
  run(editor, note) {
    for (const sign of editor.live()) {
      // Bits are pooled and reshaped faster than floats: what is packed already stays where it is.
      if (sign.op !== "sign" || editor.info(sign.outputs[0]!).dtype !== "f32") continue;
      let current = sign;
      for (;;) {
        const next = editor.soleConsumer(current.outputs[0]!);
        if (next?.op !== "maxPool" && next?.op !== "reshape") break;
        const attributes =
          next.op === "reshape" ? { shape: explicitShape(editor.shape(next.outputs[0]!)) } : next.attributes;
        if ("shape" in attributes && attributes.shape === undefined) break;
        const output = next.outputs[0]!;
        const between = editor.freshValue(`${next.name}/float`);
        editor.remove(current);
        editor.remove(next);
        editor.add(next.op, next.name, [current.inputs[0]!], attributes as never, { output: between });
        editor.add("sign", current.name, [between], {}, { output });
        note(`${current.name}: moved behind ${next.name}`);
        current = editor.producer(output) as typeof current;
      }
    }
  },
};
