import type { Dim, Node } from "lowbit";
import type { GraphEditor } from "../graph/editor.ts";
import { withScalar } from "./factors.ts";
import type { Pass } from "./pass.ts";

export const recognizeAttention: Pass = {
  name: "recognize-attention",
  explain:
    "softmax(q kᵀ * scale + mask) v over heads that were split by reshapes and transposes is attention: no matrix of scores in memory, no transposes.",
  run(editor, note) {
    for (const product of editor.live()) {
      if (product.op !== "matmul") continue;
      const found = attentionOf(editor, product);
      if (!found) continue;
      const { heads, kvHeads, scale, inputs, merged } = found;
      const attributes = { heads, kvHeads, scale, causal: false };
      const [batch, length, , depth] = editor.shape(merged.outputs[0]!);
      const flat = editor.add("attention", `${product.name}/attention`, inputs, attributes);
      for (const reader of editor.consumers(merged.outputs[0]!)) joined(editor, reader, merged.outputs[0]!, flat);
      if (editor.consumers(merged.outputs[0]!).length > 0 || editor.outputs.includes(merged.outputs[0]!))
        editor.replace(merged, { op: "reshape", inputs: [flat], attributes: { shape: [0, 0, heads, depth!] } });
      const shared = kvHeads === heads ? "" : `, keys and values of ${kvHeads}`;
      note(`${product.name}: attention of ${heads} heads of ${depth}${shared} (batch ${batch}, length ${length})`);
    }
  },
};

interface Found {
  readonly heads: number;
  /** Heads of k and v, which groups of q's share (Ainslie et al. 2023). */
  readonly kvHeads: number;
  readonly scale: number;
  /** q, k, v [batch, length, heads * depth], and a mask. */
  readonly inputs: readonly string[];
  /** The transpose that puts the heads back beside their depth. */
  readonly merged: Node;
}

function attentionOf(editor: GraphEditor, product: Node): Found | undefined {
  const merged = editor.soleConsumer(product.outputs[0]!);
  const softmax = editor.producer(product.inputs[0]);
  if (!isTranspose(merged, [0, 2, 1, 3]) || softmax?.op !== "softmax") return undefined;
  if (softmax.attributes.axis !== -1 && softmax.attributes.axis !== 3) return undefined;
  const scores = unmasked(editor, softmax.inputs[0]!);
  const dots = editor.producer(scores.x);
  if (dots?.op !== "matmul") return undefined;
  const q = split(editor, dots.inputs[0]!, [0, 2, 1, 3]);
  const k = split(editor, dots.inputs[1]!, [0, 2, 3, 1]);
  const v = split(editor, product.inputs[1]!, [0, 2, 1, 3]);
  if (!q || !k || !v || v.scale !== 1 || q.groups !== 1 || k.heads !== v.heads || k.groups !== v.groups)
    return undefined;
  if (q.heads !== k.heads * k.groups) return undefined;
  if (v.isTurned) return undefined;
  const [shapeQ, shapeK, shapeV] = [q.shape, k.shape, v.shape];
  if (shapeK.join() !== shapeV.join() || shapeQ[0] !== shapeK[0] || q.depth !== k.depth) return undefined;
  const { mask } = scores;
  if (mask !== undefined && !isMask(editor, mask, [shapeQ[0]!, q.heads, shapeQ[1]!, shapeK[1]!])) return undefined;
  const inputs = [q.x(), k.x(), v.x(), ...(mask === undefined ? [] : [mask])];
  return { heads: q.heads, kvHeads: k.heads, scale: scores.scale * q.scale * k.scale, inputs, merged: merged! };
}

type Shape = readonly Dim[];

const isTranspose = (node: Node | undefined, permutation: readonly number[]): boolean =>
  node?.op === "transpose" && node.attributes.permutation.join() === permutation.join();

/** x and what it is multiplied with by constants on the way. */
function unscaled(editor: GraphEditor, value: string): { x: string; scale: number } {
  const step = withScalar(editor, editor.producer(value), "mul", "div");
  if (!step) return { x: value, scale: 1 };
  const isDiv = editor.producer(value)!.op === "div";
  if ((isDiv && step.first) || editor.shape(step.x).length !== editor.shape(value).length)
    return { x: value, scale: 1 };
  const inner = unscaled(editor, step.x);
  return { x: inner.x, scale: isDiv ? inner.scale / step.scalar : inner.scale * step.scalar };
}

/** The dots behind x * scale + mask. */
function unmasked(editor: GraphEditor, value: string): { x: string; scale: number; mask?: string } {
  const add = editor.producer(value);
  if (add?.op !== "add") return unscaled(editor, value);
  for (const side of [0, 1]) {
    const inner = unscaled(editor, add.inputs[side]!);
    if (editor.producer(inner.x)?.op === "matmul") return { ...inner, mask: add.inputs[1 - side]! };
  }
  return unscaled(editor, value);
}

function isMask(editor: GraphEditor, mask: string, sizes: Shape): boolean {
  const { dtype, shape } = editor.info(mask);
  const fits = (size: Dim, axis: number) => size === sizes[axis] || (axis < 3 && size === 1);
  return dtype === "f32" && shape.length === 4 && shape.every(fits);
}

interface Split {
  /** [batch, length, heads * depth], a value that is there or is made of what the heads became. */
  readonly x: () => string;
  readonly shape: Shape;
  /** Whether something is done with the heads once they are apart: queries and keys that are turned by their positions (Su et al. 2021), or normalized. */
  readonly isTurned: boolean;
  readonly heads: number;
  readonly depth: number;
  /** How often each head is repeated behind the transpose. */
  readonly groups: number;
  readonly scale: number;
}

/** x of a value that is reshaped to heads and transposed, its heads repeated or not, scaled by constants anywhere. */
function split(editor: GraphEditor, value: string, permutation: readonly number[]): Split | undefined {
  const outer = unscaled(editor, value);
  let order = editor.producer(outer.x);
  let wanted = permutation;
  let groups = 1;
  /** The heads themselves, in front of repeats. */
  let apart = outer.x;
  // kᵀ may be transposed in two steps, and is where heads are repeated between them.
  if (isTranspose(order, [0, 1, 3, 2]) && permutation.join() === "0,2,3,1") {
    wanted = [0, 2, 1, 3];
    const inner = unscaled(editor, order!.inputs[0]!);
    if (inner.scale !== 1) return undefined;
    const repeated = unrepeated(editor, inner.x);
    [groups, apart] = [repeated.groups, repeated.x];
    order = editor.producer(apart);
  } else if (wanted.join() === "0,2,1,3") {
    const repeated = unrepeated(editor, outer.x);
    [groups, apart] = [repeated.groups, repeated.x];
    order = editor.producer(apart);
  }
  if (wanted.join() === "0,2,1,3" && !isTranspose(order, wanted)) return turned(editor, apart, groups, outer.scale);
  if (!isTranspose(order, wanted)) return undefined;
  const middle = unscaled(editor, order!.inputs[0]!);
  const reshape = editor.producer(middle.x);
  if (reshape?.op !== "reshape" && reshape?.op !== "reshapeTo") return undefined;
  const inner = unscaled(editor, reshape.inputs[0]!);
  const [source, target] = [editor.shape(inner.x), editor.shape(middle.x)];
  const [heads, depth] = target.slice(2);
  if (source.length !== 3 || target.length !== 4 || typeof heads !== "number" || typeof depth !== "number")
    return undefined;
  if (source[0] !== target[0] || source[1] !== target[1] || source[2] !== heads * depth) return undefined;
  const scale = outer.scale * middle.scale * inner.scale;
  return { x: () => inner.x, shape: source, isTurned: false, heads, depth, groups, scale };
}

/** Heads [batch, heads, length, depth] that come from elsewhere: put side by side again. */
function turned(editor: GraphEditor, value: string, groups: number, scale: number): Split | undefined {
  const shape = editor.shape(value);
  const [batch, heads, length, depth] = shape;
  if (shape.length !== 4 || typeof heads !== "number" || typeof depth !== "number") return undefined;
  const whole = [batch!, length!, heads * depth];
  const x = () => {
    const order = editor.add("transpose", `${value}/beside`, [value], { permutation: [0, 2, 1, 3] });
    return editor.add("reshape", `${value}/joined`, [order], { shape: whole });
  };
  return { x, shape: whole, isTurned: true, heads, depth, groups, scale };
}

/** [batch, heads, length, depth] behind an axis of its own for the repeats, an expansion along it, and a reshape that makes more heads of both: how exporters write shared keys and values. */
function unrepeated(editor: GraphEditor, value: string): { readonly x: string; readonly groups: number } {
  const same = { x: value, groups: 1 };
  const isReshape = (node: Node | undefined): node is Node => node?.op === "reshape" || node?.op === "reshapeTo";
  const merge = editor.producer(value);
  const expansion = isReshape(merge) ? editor.producer(merge.inputs[0]!) : undefined;
  const apart = expansion?.op === "expand" ? editor.producer(expansion.inputs[0]!) : undefined;
  if (!isReshape(apart)) return same;
  const [whole, wide, from] = [value, expansion!.outputs[0]!, apart.inputs[0]!].map((name) => editor.shape(name)) as [
    Shape,
    Shape,
    Shape,
  ];
  const [batch, heads, length, depth] = from;
  const groups = wide[2];
  if (from.length !== 4 || typeof heads !== "number" || typeof groups !== "number") return same;
  const isRepeated =
    editor.shape(apart.outputs[0]!).join() === [batch, heads, 1, length, depth].join() &&
    wide.join() === [batch, heads, groups, length, depth].join() &&
    whole.join() === [batch, heads * groups, length, depth].join();
  return isRepeated ? { x: apart.inputs[0]!, groups } : same;
}

/** A reshape that joins the heads again is the attention itself. */
function joined(editor: GraphEditor, reader: Node, value: string, flat: string): void {
  if ((reader.op !== "reshape" && reader.op !== "reshapeTo") || reader.inputs[0] !== value) return;
  const output = reader.outputs[0]!;
  if (editor.shape(output).join() !== editor.shape(flat).join() || editor.outputs.includes(output)) return;
  editor.redirect(output, flat);
  editor.remove(reader);
}
