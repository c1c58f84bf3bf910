import type { Clamp } from "lowbit";
import { clampStep } from "./channel-function.ts";
import type { Pass } from "./pass.ts";

export const fuseClamp: Pass = {
  name: "fuse-clamp",
  explain: "A ReLU or clip becomes the clamp of the convolution, dense layer or affine step that it reads.",
  run(editor, note) {
    for (const clip of editor.live()) {
      if (clip.op !== "clip") continue;
      const before = editor.producer(clip.inputs[0]);
      if (before?.op !== "conv2d" && before?.op !== "dense" && before?.op !== "affine") continue;
      if (!editor.soleConsumer(before.outputs[0]!) || editor.info(before.outputs[0]!).dtype !== "f32") continue;
      const { min, max } = clip.attributes;
      if (!(min <= max)) continue;
      const limit = clampStep([min, max]);
      const own: Clamp = before.attributes.clamp ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      const clamp: Clamp = [limit(own[0], 0), limit(own[1], 0)];
      const output = clip.outputs[0]!;
      editor.remove(clip);
      editor.remove(before);
      editor.add(before.op, before.name, before.inputs, { ...before.attributes, clamp } as never, { output });
      note(`${clip.name}: clamp of ${before.name}`);
    }
  },
};
