import type { Constant, Node, PlainConstant, QuantizedConstant } from "lowbit";
import { sameKind } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import { packCodes, rowScales, unpackCodes } from "../graph/low-bit.ts";

/** Operators that treat every feature alike, whatever its place. */
const INDIFFERENT: ReadonlySet<string> = new Set([
  "clip",
  "leakyRelu",
  "sigmoid",
  "tanh",
  "sign",
  "quantize",
  "dequantize",
  "cast",
]);

/**
 * Feature j of `value` [batch, K] is about to move to position order[j]. Moves the entries of every constant that meets
 * the features, down to the columns of the dense layers that consume them. Returns false, with nothing changed, where
 * something else reads them.
 */
export function permuteFeatures(editor: GraphEditor, value: string, order: Uint32Array): boolean {
  const edits: (() => void)[] = [];
  const visit = (current: string): boolean => {
    if (editor.outputs.includes(current)) return false;
    return editor.consumers(current).every((node) => {
      if (INDIFFERENT.has(node.op)) return visit(node.outputs[0]!);
      if (node.op === "dense" && node.inputs[0] === current) return plan(editor, node, 1, order, edits);
      if (node.op === "batchNorm" || node.op === "affine") {
        return (
          node.inputs.slice(1).every((_, index) => plan(editor, node, index + 1, order, edits)) &&
          visit(node.outputs[0]!)
        );
      }
      if (node.op !== "add" && node.op !== "sub" && node.op !== "mul" && node.op !== "div") return false;
      const other = node.inputs[0] === current ? 1 : 0;
      return plan(editor, node, other, order, edits) && visit(node.outputs[0]!);
    });
  };
  if (!visit(value)) return false;
  for (const edit of edits) edit();
  return true;
}

/** Plans to move the last axis of constant input `index`. Scalars stay. */
function plan(editor: GraphEditor, node: Node, index: number, order: Uint32Array, edits: (() => void)[]): boolean {
  const name = node.inputs[index]!;
  const constant = editor.constants.get(name);
  if (constant === undefined || constant.shape.length > 2) return false;
  if (constant.kind === "quantized" && !hasMovableCodes(constant)) return false;
  if (constant.kind === "plain" && constant.data.length === 1) return true;
  if (constant.shape.at(-1) !== order.length) return false;
  edits.push(() => {
    // The node may have been replaced by an earlier edit of its other constants.
    const current = editor.producer(node.outputs[0]!)!;
    const inputs = current.inputs.map((input, i) =>
      i === index ? editor.constant(name, lastAxisMoved(constant, order)) : input,
    );
    const { dtype, quantization } = editor.info(current.outputs[0]!);
    editor.replace(current, { inputs, info: { dtype, ...(quantization ? { quantization } : {}) } });
  });
  return true;
}

/** Whether every code stands for one weight, by a rule that knows its row alone. */
const hasMovableCodes = (constant: QuantizedConstant): boolean =>
  ["sign", "affine", "table"].includes(constant.decoding.kind) && rowScales(constant) !== undefined;

function lastAxisMoved(constant: Constant, order: Uint32Array): Constant {
  if (constant.kind === "plain") return { ...constant, data: moved(constant.data, order) };
  const { codes, bits } = constant;
  const rows = constant.shape[0]!;
  const values = moved(unpackCodes(codes, rows, order.length, bits), order);
  return { ...constant, codes: packCodes(values, rows, order.length, bits) };
}

/** Row after row with element j at place order[j]. */
function moved<T extends PlainConstant["data"]>(source: T, order: Uint32Array): T {
  const data = sameKind(source, source.length);
  for (let start = 0; start < data.length; start += order.length) {
    for (let j = 0; j < order.length; j++) data[start + order[j]!] = source[start + j]!;
  }
  return data;
}
