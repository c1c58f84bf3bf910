import { floats, perChannel } from "../graph/constants.ts";
import type { Pass } from "./pass.ts";

export const fuseAffine: Pass = {
  name: "fuse-affine",
  explain:
    "A multiplication by constants per channel and an addition of such, in this order, become one affine step: the same two roundings in one pass over memory.",
  run(editor, note) {
    for (const add of editor.live()) {
      if (add.op !== "add" && add.op !== "sub") continue;
      const side = editor.constants.has(add.inputs[1]!) ? 0 : 1;
      // constant - x is no affine step of scale 1.
      if (add.op === "sub" && side === 1) continue;
      const mul = editor.producer(add.inputs[side]);
      if (mul?.op !== "mul" || !editor.soleConsumer(mul.outputs[0]!)) continue;
      const mulSide = editor.constants.has(mul.inputs[1]!) ? 0 : 1;
      const x = mul.inputs[mulSide]!;
      const shape = editor.shape(x);
      const channels = shape.at(-1);
      if (editor.constants.has(x) || typeof channels !== "number") continue;
      const scale = perChannel(editor.constants.get(mul.inputs[1 - mulSide]!), channels, shape.length);
      const offset = perChannel(editor.constants.get(add.inputs[1 - side]!), channels, shape.length);
      if (!scale || !offset) continue;
      const output = add.outputs[0]!;
      editor.remove(add);
      editor.remove(mul);
      const bias = add.op === "add" ? offset : offset.map((value) => -value);
      const constants = [floats([channels], scale), floats([channels], bias)].map((constant, index) =>
        editor.constant(`${add.name}/${index === 0 ? "scale" : "bias"}`, constant),
      );
      editor.add("affine", add.name, [x, ...constants], {}, { output });
      note(`${mul.name}, ${add.name}: one affine step`);
    }
  },
};
