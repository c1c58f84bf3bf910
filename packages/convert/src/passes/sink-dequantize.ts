import type { Pass } from "./pass.ts";
import { explicitShape } from "./remove-no-ops.ts";

export const sinkDequantize: Pass = {
  name: "sink-dequantize",
  explain:
    "A DequantizeLinear moves behind a max pool, a reshape or a transpose, which give the same on codes, next to the layer that can compute on them.",
  run(editor, note) {
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of editor.live()) {
        if (node.op !== "maxPool" && node.op !== "reshape" && node.op !== "transpose") continue;
        const before = editor.producer(node.inputs[0]);
        if (before?.op !== "dequantize") continue;
        const attributes =
          node.op === "reshape" ? { shape: explicitShape(editor.shape(node.outputs[0]!)) } : node.attributes;
        if ("shape" in attributes && attributes.shape === undefined) continue;
        const output = node.outputs[0]!;
        const codes = editor.freshValue(`${node.name}/codes`);
        editor.remove(node);
        editor.add(node.op, node.name, [before.inputs[0]!], attributes as never, { output: codes });
        editor.add("dequantize", `${node.name}/dequantize`, [codes], {}, { output });
        note(`${node.name}: on the codes in front of ${before.name}`);
        changed = true;
      }
    }
  },
};
