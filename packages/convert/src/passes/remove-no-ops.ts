import type { Dim, Node } from "lowbit";
import { elementCount } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import type { Pass } from "./pass.ts";

export const removeNoOps: Pass = {
  name: "remove-no-ops",
  explain:
    "Reshapes to the same shape, transposes that keep the order, empty pads, open clips and casts to the same type go, and a QuantizeLinear of what was just dequantized by the same scale; a reshape of a reshape is one.",
  run(editor, note) {
    for (const node of editor.live()) {
      const [x] = node.inputs;
      const [y] = node.outputs;
      if (x === undefined || y === undefined) continue;
      if (isNoOp(editor, node) && drop(editor, node, x, y)) {
        note(`${node.name}: ${node.op} without effect removed`);
        continue;
      }
      const before = editor.producer(x);
      if (node.op === "quantize" && before?.op === "dequantize" && sameCodes(editor, before.inputs[0]!, y)) {
        if (drop(editor, node, before.inputs[0]!, y)) note(`${node.name}: the codes in front of ${before.name} again`);
        continue;
      }
      if (node.op === "reshape" && before?.op === "reshape") {
        const shape = explicitShape(editor.shape(y));
        if (shape) {
          editor.replace(node, { inputs: [before.inputs[0]!], attributes: { shape } });
          note(`${node.name}: two reshapes in a row joined`);
        }
      }
    }
  },
};

/**
 * Readers of y read x; a value that is an output of the graph passes its name to x's writer, where x has one of its
 * own.
 */
function drop(editor: GraphEditor, node: Node, x: string, y: string): boolean {
  if (!editor.outputs.includes(y)) {
    editor.redirect(y, x);
    editor.remove(node);
    return true;
  }
  if (editor.producer(x) === undefined || editor.outputs.includes(x)) return false;
  editor.redirect(y, x);
  editor.remove(node);
  editor.outputs = editor.outputs.map((output) => (output === y ? x : output));
  editor.rename(x, y);
  return true;
}

function sameCodes(editor: GraphEditor, a: string, b: string): boolean {
  const [x, y] = [editor.info(a), editor.info(b)];
  const { scale, zeroPoint } = x.quantization ?? {};
  return x.dtype === y.dtype && scale === y.quantization?.scale && zeroPoint === y.quantization?.zeroPoint;
}

function isNoOp(editor: GraphEditor, node: Node): boolean {
  const shape = editor.shape(node.inputs[0]!);
  switch (node.op) {
    case "reshape":
      return sameShape(shape, editor.shape(node.outputs[0]!));
    case "transpose":
      return node.attributes.permutation.every((axis, index) => axis === index);
    case "pad":
      return node.attributes.pads.every((size) => size === 0);
    case "clip":
      return node.attributes.min === Number.NEGATIVE_INFINITY && node.attributes.max === Number.POSITIVE_INFINITY;
    case "cast":
      return editor.info(node.inputs[0]!).dtype === node.attributes.to;
    default:
      return false;
  }
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** A reshape target that needs no positions of its source: at most one dynamic size, as its name. */
export function explicitShape(shape: readonly Dim[]): readonly Dim[] | undefined {
  return shape.filter((size) => typeof size === "string").length <= 1 ? shape : undefined;
}

/** Elements of a shape, where all sizes are fixed. */
export function fixedCount(shape: readonly Dim[]): number | undefined {
  return shape.every((size) => typeof size === "number") ? elementCount(shape as number[]) : undefined;
}
