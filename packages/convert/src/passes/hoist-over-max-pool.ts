import type { Node } from "lowbit";
import type { GraphEditor } from "../graph/editor.ts";
import { affineForm, feedsSign } from "./affine-form.ts";
import { isLayer } from "./channel-function.ts";
import type { Pass } from "./pass.ts";

export const hoistOverMaxPool: Pass = {
  name: "hoist-over-max-pool",
  explain:
    "What never falls as its input grows (a clip, a quantization, a scale that is not negative) moves in front of a max pool, where the layer before it takes it in.",
  run(editor, note) {
    for (const node of editor.live()) {
      const pool = editor.producer(node.inputs[0]);
      if (pool?.op !== "maxPool" || !editor.soleConsumer(pool.outputs[0]!)) continue;
      const source = pool.inputs[0]!;
      if (!isLayer(editor.producer(source)) || !editor.soleConsumer(source) || editor.info(source).dtype !== "f32")
        continue;
      if (!rises(editor, node)) continue;
      const output = node.outputs[0]!;
      const { dtype, quantization } = editor.info(output);
      const info = { dtype, ...(quantization ? { quantization } : {}) };
      const between = editor.freshValue(`${node.name}/unpooled`);
      editor.remove(node);
      editor.remove(pool);
      editor.add(node.op, node.name, [source, ...node.inputs.slice(1)], node.attributes as never, {
        output: between,
        info,
      });
      editor.add("maxPool", pool.name, [between], pool.attributes, { output });
      note(`${node.name}: moved in front of ${pool.name}`);
    }
  },
};

/** Whether the node, with x as its first input, never falls as x grows, in any channel. */
function rises(editor: GraphEditor, node: Node): boolean {
  if (node.op === "clip" || node.op === "quantize") return true;
  const form = affineForm(editor, node);
  return (
    form !== undefined &&
    form.x === node.inputs[0] &&
    form.scale.every((scale) => scale >= 0) &&
    !feedsSign(editor, node.outputs[0]!)
  );
}
