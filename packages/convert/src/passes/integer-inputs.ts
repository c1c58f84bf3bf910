import type { GraphEditor } from "../graph/editor.ts";
import { isIntegerWeight } from "../graph/low-bit.ts";
import type { Pass } from "./pass.ts";

export const integerInputs: Pass = {
  name: "integer-inputs",
  explain:
    "A layer with integer weights behind a DequantizeLinear reads the codes themselves: an integer kernel sums them exactly and scales once.",
  run(editor, note) {
    for (const node of editor.live()) {
      if (node.op !== "conv2d" && node.op !== "dense") continue;
      const before = editor.producer(node.inputs[0]);
      if (before?.op !== "dequantize" || !takesIntegers(editor, node.inputs[1]!)) continue;
      if (node.op === "conv2d" && node.attributes.padding !== "zero") continue;
      const { dtype } = editor.info(node.outputs[0]!);
      editor.replace(node, { inputs: [before.inputs[0]!, ...node.inputs.slice(1)], info: { dtype } });
      note(`${node.name}: computes on the ${editor.info(before.inputs[0]!).dtype} codes in front of ${before.name}`);
    }
  },
};

function takesIntegers(editor: GraphEditor, weight: string): boolean {
  const constant = editor.constants.get(weight);
  return constant?.kind === "quantized" && isIntegerWeight(constant);
}
