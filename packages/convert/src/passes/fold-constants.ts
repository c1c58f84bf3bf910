import type { PlainConstant } from "lowbit";
import { foldNode } from "../graph/fold.ts";
import type { Pass } from "./pass.ts";

export const foldConstants: Pass = {
  name: "fold-constants",
  explain:
    "Nodes whose inputs are all constants (reshaped, transposed, cast or combined weights) are computed once, now.",
  run(editor, note) {
    for (const node of editor.live()) {
      const constants = node.inputs.map((input) => editor.plain(input));
      if (!constants.every((constant): constant is PlainConstant => constant !== undefined)) continue;
      const output = node.outputs[0]!;
      const folded = foldNode(node.op, constants, node.attributes);
      if (folded === undefined || editor.outputs.includes(output)) continue;
      editor.remove(node);
      editor.constants.set(output, folded);
      note(`${node.name}: ${node.op} of constants folded`);
    }
  },
};
