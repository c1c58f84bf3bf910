import type { Dim, Node, NodeOf } from "lowbit";
import { reshaped, transposed, transposedIndex } from "../graph/constants.ts";
import type { GraphEditor } from "../graph/editor.ts";
import type { Pass } from "./pass.ts";
import { permuteFeatures } from "./permute-features.ts";
import { explicitShape } from "./remove-no-ops.ts";

/**
 * An importer of a channels-first format puts a transpose before and after every convolution. Each one here moves
 * towards the outputs, through whatever computes element by element, until it meets its inverse, or a flattening in
 * front of a dense layer, whose columns take the order over. What stays is at most one transpose at an image input with
 * several channels, and one at an image output.
 */
export const eliminateTransposes: Pass = {
  name: "eliminate-transposes",
  explain:
    "Transposes between channels-first and channels-last sink until they cancel, become reshapes (one channel, one pixel), or end in the order of a dense layer's columns.",
  run(editor, note) {
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of editor.live()) {
        const change = node.op === "transpose" ? fromTranspose(editor, node) : sink(editor, node);
        if (change !== undefined) {
          note(`${node.name}: ${change}`);
          changed = true;
        }
      }
    }
  },
};

type Transpose = NodeOf<"transpose">;

/** Rewrites that begin at the transpose itself. */
function fromTranspose(editor: GraphEditor, node: Transpose): string | undefined {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const shape = editor.shape(x);
  const { permutation } = node.attributes;
  const target = explicitShape(editor.shape(y));
  if (target && keepsOrder(shape, permutation)) {
    editor.replace(node, { op: "reshape", attributes: { shape: target } });
    return "transpose of axes of size 1 became a reshape";
  }
  const before = editor.producer(x);
  if (before?.op === "transpose") {
    const joined = permutation.map((axis) => before.attributes.permutation[axis]!);
    const identity = joined.every((axis, index) => axis === index);
    if (identity && !editor.outputs.includes(y)) {
      editor.redirect(y, before.inputs[0]!);
      editor.remove(node);
      return `cancelled against ${before.name}`;
    }
    if (identity) return undefined;
    editor.replace(node, { inputs: [before.inputs[0]!], attributes: { permutation: joined } });
    return `joined with ${before.name}`;
  }
  return undefined;
}

/** Whether the elements stay where they are: axes of more than one element keep their order. */
function keepsOrder(shape: readonly Dim[], permutation: readonly number[]): boolean {
  const moving = permutation.filter((axis) => shape[axis] !== 1);
  return moving.every((axis, index) => index === 0 || moving[index - 1]! < axis);
}

const UNARY: ReadonlySet<string> = new Set([
  "clip",
  "leakyRelu",
  "sigmoid",
  "tanh",
  "sign",
  "quantize",
  "dequantize",
  "cast",
]);

/** Puts a node in front of the transpose that it reads. */
function sink(editor: GraphEditor, node: Node): string | undefined {
  const transposes = node.inputs.map((input) => asTranspose(editor.producer(input)));
  const first = transposes.find((transpose) => transpose !== undefined);
  if (first === undefined) return undefined;
  const { permutation } = first.attributes;
  switch (node.op) {
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const inputs = node.inputs.map((input, index) => beforeTranspose(editor, input, transposes[index], permutation));
      if (!inputs.every((input) => input !== undefined)) return undefined;
      return behind(editor, node, inputs, permutation);
    }
    case "softmax": {
      const axis = node.attributes.axis < 0 ? node.attributes.axis + permutation.length : node.attributes.axis;
      return behind(editor, node, [first.inputs[0]!], permutation, { axis: permutation[axis]! });
    }
    case "concat": {
      const same = transposes.every(
        (transpose) => transpose && samePermutation(transpose.attributes.permutation, permutation),
      );
      if (!same) return undefined;
      const axis = node.attributes.axis < 0 ? node.attributes.axis + permutation.length : node.attributes.axis;
      return behind(
        editor,
        node,
        transposes.map((transpose) => transpose!.inputs[0]!),
        permutation,
        { axis: permutation[axis]! },
      );
    }
    case "pad": {
      const rank = permutation.length;
      const pads = new Array<number>(2 * rank);
      permutation.forEach((axis, index) => {
        pads[axis] = node.attributes.pads[index]!;
        pads[axis + rank] = node.attributes.pads[index + rank]!;
      });
      return behind(editor, node, [first.inputs[0]!], permutation, { pads, value: node.attributes.value });
    }
    case "reshape":
      return flatten(editor, node, first);
    default:
      return UNARY.has(node.op) ? behind(editor, node, [first.inputs[0]!], permutation) : undefined;
  }
}

function asTranspose(node: Node | undefined): Transpose | undefined {
  return node?.op === "transpose" ? node : undefined;
}

const samePermutation = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((axis, index) => axis === b[index]);

/** An operand as it is before the transpose: the transpose's source, or a constant with its axes moved back. */
function beforeTranspose(
  editor: GraphEditor,
  input: string,
  transpose: Transpose | undefined,
  permutation: readonly number[],
): string | undefined {
  if (transpose)
    return samePermutation(transpose.attributes.permutation, permutation) ? transpose.inputs[0]! : undefined;
  const constant = editor.plain(input);
  if (constant === undefined || constant.shape.length > permutation.length) return undefined;
  if (constant.data.length === 1)
    return constant.shape.length === 0 ? input : editor.constant(input, reshaped(constant, []));
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  const missing = new Array<number>(permutation.length - constant.shape.length).fill(1);
  return editor.constant(input, transposed(reshaped(constant, [...missing, ...constant.shape]), inverse));
}

/** The node on untransposed inputs, then the transpose. */
function behind(
  editor: GraphEditor,
  node: Node,
  inputs: readonly string[],
  permutation: readonly number[],
  attributes: Node["attributes"] = node.attributes,
): string {
  const output = node.outputs[0]!;
  const { dtype, quantization } = editor.info(output);
  // While `output` still has its name, so that the two differ.
  const unordered = editor.freshValue(node.name);
  editor.remove(node);
  const info = { dtype, ...(quantization ? { quantization } : {}) };
  const moved = editor.add(node.op, node.name, inputs, attributes as never, { output: unordered, info });
  editor.add("transpose", `${node.name}/order`, [moved], { permutation }, { output });
  return `moved in front of a transpose`;
}

/**
 * transpose, then reshape to a matrix [batch, features]: the features come in another order. Where what follows is
 * element by element up to dense layers, their constants take that order over and the transpose goes.
 */
function flatten(editor: GraphEditor, node: NodeOf<"reshape">, transpose: Transpose): string | undefined {
  const source = editor.shape(transpose.inputs[0]!);
  const target = editor.shape(node.outputs[0]!);
  const { permutation } = transpose.attributes;
  const inner = source.slice(1);
  if (permutation[0] !== 0 || target.length !== 2 || target[0] !== source[0]) return undefined;
  if (!inner.every((size): size is number => typeof size === "number")) return undefined;
  // order[j] = the position, channels last, of what was feature j channels first.
  const order = transposedIndex(
    inner,
    permutation.slice(1).map((axis) => axis - 1),
  );
  if (!permuteFeatures(editor, node.outputs[0]!, order)) return undefined;
  editor.replace(node, {
    inputs: [transpose.inputs[0]!],
    attributes: { shape: node.attributes.shape[0] === 0 ? [0, order.length] : [...target] },
  });
  return "transpose before it removed; the dense layers' columns are in the new order";
}
