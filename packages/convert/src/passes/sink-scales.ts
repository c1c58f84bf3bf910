import type { Node } from "lowbit";
import type { GraphEditor } from "../graph/editor.ts";
import { isLayer, operands } from "./channel-function.ts";
import { scaledCodes } from "./fold-affine.ts";
import type { Pass } from "./pass.ts";
import { explicitShape } from "./remove-no-ops.ts";

export const sinkScales: Pass = {
  name: "sink-scales",
  explain:
    "One positive factor for all signs goes through pools and reshapes into the scales of the coded weights behind them, so that the layer reads plain signs.",
  run(editor, note) {
    for (const mul of editor.live()) {
      if (mul.op !== "mul") continue;
      const { x, constant } = operands(editor, mul);
      const factor = editor.plain(constant);
      const scale = factor?.data.length === 1 ? Number(factor.data[0]) : 0;
      if (!(scale > 0 && scale < Number.POSITIVE_INFINITY) || editor.producer(x)?.op !== "sign") continue;
      if (editor.shape(x).length !== editor.shape(mul.outputs[0]!).length) continue;
      const last = sunk(editor, mul, x, note);
      intoWeights(editor, last, scale, note);
    }
  },
};

/** Moves the factor behind the pools and reshapes that alone read it. */
function sunk(editor: GraphEditor, mul: Node, x: string, note: (change: string) => void): Node {
  let current = mul;
  let from = x;
  for (;;) {
    const next = editor.soleConsumer(current.outputs[0]!);
    if (next?.op !== "maxPool" && next?.op !== "reshape") return current;
    const attributes =
      next.op === "reshape" ? { shape: explicitShape(editor.shape(next.outputs[0]!)) } : next.attributes;
    if ("shape" in attributes && attributes.shape === undefined) return current;
    const output = next.outputs[0]!;
    const between = editor.freshValue(`${next.name}/signs`);
    const inputs = current.inputs.map((input) => (input === from ? between : input));
    editor.remove(current);
    editor.remove(next);
    editor.add(next.op, next.name, [from], attributes as never, { output: between });
    editor.add("mul", current.name, inputs, {}, { output });
    note(`${current.name}: moved behind ${next.name}`);
    current = editor.producer(output)!;
    from = between;
  }
}

function intoWeights(editor: GraphEditor, mul: Node, scale: number, note: (change: string) => void): void {
  const value = mul.outputs[0]!;
  const layers = editor.consumers(value);
  if (editor.outputs.includes(value) || layers.length === 0) return;
  const weights = layers.map((layer) => {
    const constant = isLayer(layer) && layer.inputs[0] === value ? editor.constants.get(layer.inputs[1]!) : undefined;
    return constant && scaledCodes(constant, new Float64Array(constant.shape[0]!).fill(scale));
  });
  if (!weights.every((weight) => weight !== undefined)) return;
  const { x } = operands(editor, mul);
  for (const [i, layer] of layers.entries()) {
    const weight = editor.constant(layer.inputs[1]!, weights[i]!);
    editor.replace(layer, { inputs: [x, weight, ...layer.inputs.slice(2)] });
  }
  editor.remove(mul);
  note(`${mul.name}: into the scales of ${layers.map(({ name }) => name).join(", ")}`);
}
