import type { Node } from "lowbit";
import { floats, perChannel } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { operands } from "./channel-function.ts";
import { isProduct, productOf, withScalar } from "./factors.ts";
import type { Pass } from "./pass.ts";

export const recognizeLayerNorm: Pass = {
  name: "recognize-layer-norm",
  explain:
    "(x - mean) / √(mean of squares + ε) over the last axis, scaled and shifted by constants, is layerNorm, and without the mean rmsNorm: one kernel in place of nine steps.",
  run(editor, note) {
    for (const root of editor.live()) {
      if (root.op !== "sqrt") continue;
      const epsilon = withScalar(editor, editor.producer(root.inputs[0]), "add");
      const squares = epsilon && lastMean(editor, epsilon.x);
      const deviation = squares && squareRoot(editor, squares);
      if (!deviation || epsilon.scalar < 0) continue;
      for (const normal of quotients(editor, deviation, root.outputs[0]!)) {
        const centered = centeredSource(editor, deviation);
        const x = centered ?? deviation;
        const op = centered === undefined ? "rmsNorm" : "layerNorm";
        const made = scaledAndShifted(editor, normal, x);
        if (!made || editor.info(x).dtype !== "f32") continue;
        const vectors = made.vectors.map((vector, i) =>
          editor.constant(`${normal.name}/${i === 0 ? "scale" : "bias"}`, floats([vector.length], vector)),
        );
        editor.replace(made.last, { op, inputs: [x, ...vectors], attributes: { epsilon: epsilon.scalar } });
        note(`${made.last.name}: ${root.name} and what is around it are ${op}`);
      }
    }
  },
};

/** x of a mean over the last axis, which stays as 1. */
function lastMean(editor: GraphEditor, value: string): string | undefined {
  const node = editor.producer(value);
  if (node?.op !== "reduce" || node.attributes.reduction !== "mean" || !node.attributes.keepAxes) return undefined;
  const axes = node.inputs[1] ? editor.elements(node.inputs[1]) : undefined;
  const rank = editor.shape(node.inputs[0]!).length;
  return axes?.length === 1 && (axes[0] === -1 || axes[0] === rank - 1) ? node.inputs[0] : undefined;
}

/** v of v². */
function squareRoot(editor: GraphEditor, value: string): string | undefined {
  const { values, constant } = productOf(editor, value, [], 1);
  return constant === 1 && values.length === 2 && values[0] === values[1] ? values[0] : undefined;
}

/** x of x - mean(x). */
function centeredSource(editor: GraphEditor, value: string): string | undefined {
  const node = editor.producer(value);
  if (node?.op !== "sub") return undefined;
  return lastMean(editor, node.inputs[1]!) === node.inputs[0] ? node.inputs[0] : undefined;
}

/** Whether two values are x - mean(x) of one x: some exporters write it twice. */
function isSame(editor: GraphEditor, a: string, b: string): boolean {
  const source = centeredSource(editor, a);
  return a === b || (source !== undefined && source === centeredSource(editor, b));
}

/** The nodes that are deviation / root, or deviation * (1 / root). */
function quotients(editor: GraphEditor, deviation: string, root: string): Node[] {
  return editor.consumers(root).flatMap((node) => {
    const isOver = node.op === "div" && node.inputs[1] === root;
    if (isOver && isSame(editor, node.inputs[0]!, deviation)) return [node];
    const isInverse = node.op === "reciprocal" || (isOver && isProduct(productOf(editor, node.inputs[0]!, []), [], 1));
    if (!isInverse) return [];
    const inverse = node.outputs[0]!;
    return editor
      .consumers(inverse)
      .filter(({ op, inputs }) => op === "mul" && inputs.some((input) => isSame(editor, input, deviation)));
  });
}

/** The last of the nodes that scale and shift by constants, one number per channel. */
function scaledAndShifted(
  editor: GraphEditor,
  normal: Node,
  x: string,
): { last: Node; vectors: readonly Float32Array[] } | undefined {
  const channels = editor.shape(x).at(-1);
  if (typeof channels !== "number" || editor.shape(normal.outputs[0]!).join() !== editor.shape(x).join())
    return undefined;
  const next = (node: Node, op: "mul" | "add") => {
    const reader = editor.soleConsumer(node.outputs[0]!);
    if (reader?.op !== op) return undefined;
    const vector = perChannel(
      editor.constants.get(operands(editor, reader).constant ?? ""),
      channels,
      editor.shape(x).length,
    );
    return vector && { reader, vector };
  };
  const scaled = next(normal, "mul");
  const shifted = next(scaled?.reader ?? normal, "add");
  const scale = scaled?.vector ?? new Float32Array(channels).fill(1);
  return {
    last: shifted?.reader ?? scaled?.reader ?? normal,
    vectors: shifted ? [scale, shifted.vector] : [scale],
  };
}
