import type { NodeOf } from "lowbit";
import type { GraphEditor } from "../graph/editor.ts";
import type { Pass } from "./pass.ts";

export const fusePadding: Pass = {
  name: "fuse-padding",
  explain: "A pad with zeros in front of a convolution becomes the convolution's own padding.",
  run(editor, note) {
    for (const node of editor.live()) {
      if (node.op !== "pad" || node.attributes.value !== 0 || editor.info(node.inputs[0]!).dtype !== "f32") continue;
      const pads = spatialPads(node);
      const readers = editor.consumers(node.outputs[0]!);
      if (pads === undefined || editor.outputs.includes(node.outputs[0]!)) continue;
      for (const reader of readers) {
        if (reader.op !== "conv2d" || reader.inputs[0] !== node.outputs[0] || reader.attributes.padding !== "zero")
          continue;
        addPads(editor, reader, node.inputs[0]!, pads);
        note(`${node.name}: joined with the padding of ${reader.name}`);
      }
    }
  },
};

/** [top, left, bottom, right] of a pad of an NHWC value that leaves batch and channels alone. */
export function spatialPads(node: NodeOf<"pad">): readonly [number, number, number, number] | undefined {
  const [n0, top, left, c0, n1, bottom, right, c1] = node.attributes.pads;
  if (node.attributes.pads.length !== 8 || n0 !== 0 || c0 !== 0 || n1 !== 0 || c1 !== 0) return undefined;
  return [top!, left!, bottom!, right!];
}

function addPads(
  editor: GraphEditor,
  conv: NodeOf<"conv2d">,
  x: string,
  pads: readonly [number, number, number, number],
): void {
  const own = conv.attributes.pads;
  const sum = [own[0] + pads[0], own[1] + pads[1], own[2] + pads[2], own[3] + pads[3]] as const;
  editor.replace(conv, { inputs: [x, ...conv.inputs.slice(1)], attributes: { ...conv.attributes, pads: sum } });
}
