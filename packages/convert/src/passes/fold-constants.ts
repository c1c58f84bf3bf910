import { foldValues } from "../graph/fold.ts";
import type { Pass } from "./pass.ts";

export const foldConstants: Pass = {
  name: "fold-constants",
  explain:
    "Nodes whose inputs are all constants (reshaped, transposed, cast or combined weights) are computed once, now.",
  run(editor, note) {
    for (const node of editor.live()) {
      const output = node.outputs[0]!;
      const folded = foldValues(editor, node.op, node.inputs, node.attributes);
      if (folded === undefined || editor.outputs.includes(output)) continue;
      editor.remove(node);
      editor.constants.set(output, folded);
      note(`${node.name}: ${node.op} of constants folded`);
    }
  },
};
