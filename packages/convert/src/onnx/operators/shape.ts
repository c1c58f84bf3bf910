import { type Dim, OPEN } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import { numbersOf } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

/** Sizes that are known up to symbols of x go into an attribute; others, and what has no one symbol left for -1, are a value. */
function reshape(node: NodeContext): void {
  const [x, target] = [node.input(0), node.input(1)];
  const allowZero = node.attributes.int("allowzero", 0) !== 0;
  const shape = node.elements(target);
  const given = node.shape(x);
  const constant = node.constantOf(target);
  if (constant) checkTarget(node, numbersOf(constant), allowZero ? Number.POSITIVE_INFINITY : given.length);
  const isPlain =
    shape && !(allowZero && shape.includes(0)) && (constant || !shape.includes(OPEN)) && fits(given, shape);
  if (isPlain) node.bind(node.main("reshape", [x], { shape }));
  else node.bind(node.main("reshapeTo", [x, target], { allowZero }));
}

function checkTarget(node: NodeContext, shape: readonly number[], zeros: number): void {
  if (
    shape.some((size, axis) => size < -1 || (size === 0 && axis >= zeros)) ||
    shape.filter((size) => size === -1).length > 1
  ) {
    throw new ModelFileError(
      `onnx: ${node.title}`,
      "shape",
      "sizes, at most one -1, 0 only where the input has that axis",
      shape,
    );
  }
}

/** Whether the target's symbols are x's, and what of them is left for a -1 is one symbol alone or a number. */
function fits(x: readonly Dim[], target: readonly Dim[]): boolean {
  const symbols = x.filter((size) => typeof size === "string");
  let [known, wanted] = [product(x.filter((size) => typeof size === "number"))!, 1];
  for (const [axis, size] of target.entries()) {
    const one = size === 0 ? x[axis]! : size;
    if (typeof one === "string") {
      const at = symbols.indexOf(one);
      if (at < 0) return false;
      symbols.splice(at, 1);
    } else if (one !== -1) wanted *= one;
  }
  known /= wanted;
  return symbols.length === 0 || (symbols.length === 1 && known === 1 && target.includes(-1));
}

/** [d0 ... dn] as a matrix: axes before `axis` by those from it on. */
function flatten(node: NodeContext): void {
  const x = node.input(0);
  const shape = node.shape(x);
  const axis = node.attributes.int("axis", 1);
  // axis = rank is legal: everything is a row.
  const split = axis === shape.length ? axis : node.axis(axis, shape.length);
  const inner = product(shape.slice(split));
  const outer = product(shape.slice(0, split));
  let target: Dim[];
  if (split === 1 && inner !== undefined) target = [0, inner];
  else if (outer !== undefined) target = [outer, inner ?? -1];
  else if (inner !== undefined) target = [-1, inner];
  else node.unsupported(`dynamic sizes on both sides of axis ${split}`, "at most one");
  node.bind(node.main("reshape", [x], { shape: target }));
}

function product(sizes: readonly Dim[]): number | undefined {
  return sizes.reduce<number | undefined>(
    (all, size) => (all === undefined || typeof size !== "number" ? undefined : all * size),
    1,
  );
}

function squeeze(node: NodeContext): void {
  const x = node.input(0);
  const shape = node.shape(x);
  const axes = node.list("axes", 1)?.map((axis) => node.axis(axis, shape.length, "axes"));
  for (const axis of axes ?? []) {
    if (shape[axis] !== 1) throw new ModelFileError(`onnx: ${node.title}`, `size of axis ${axis}`, 1, shape[axis]);
  }
  const target = shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1));
  node.bind(node.main("reshape", [x], { shape: target }));
}

function unsqueeze(node: NodeContext): void {
  const x = node.input(0);
  const axes = node.list("axes", 1);
  if (axes === undefined) throw new ModelFileError(`onnx: ${node.title}`, "axes", "a list of axes", "none");
  const source = node.shape(x);
  const rank = source.length + axes.length;
  const added = new Set(axes.map((axis) => node.axis(axis, rank, "axes")));
  if (added.size !== axes.length) throw new ModelFileError(`onnx: ${node.title}`, "axes", "different axes", axes);
  let next = 0;
  const target = Array.from({ length: rank }, (_, axis): Dim => (added.has(axis) ? 1 : source[next++]!));
  node.bind(node.main("reshape", [x], { shape: target }));
}

function transpose(node: NodeContext): void {
  const x = node.input(0);
  const rank = node.shape(x).length;
  const permutation = node.attributes.ints("perm") ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const isPermutation =
    permutation.length === rank &&
    Array.from({ length: rank }, (_, axis) => axis).every((axis) => permutation.includes(axis));
  if (!isPermutation)
    throw new ModelFileError(`onnx: ${node.title}`, "perm", `a permutation of 0..${rank - 1}`, permutation);
  node.bind(node.main("transpose", [x], { permutation }));
}

function concat(node: NodeContext): void {
  const inputs = Array.from({ length: node.inputCount }, (_, index) => node.input(index));
  const axis = node.axis(node.attributes.int("axis", 0), node.shape(inputs[0]!).length);
  const isKnown = inputs.every((input) => typeof node.shape(input)[axis] === "number");
  if (inputs.length === 1) node.bind(inputs[0]!);
  else node.bind(node.main(isKnown ? "concat" : "join", inputs, { axis }));
}

/** Constant pads of 0 to 65535. */
function isSmall(node: NodeContext): boolean {
  const pads = node.opset < 11 ? node.attributes.ints("pads") : node.elements(node.input(1));
  return pads?.every((size) => Number(size) >= 0 && Number(size) <= 0xffff) ?? false;
}

function padNd(node: NodeContext, mode: string): void {
  if (mode !== "constant" && mode !== "edge" && mode !== "reflect" && mode !== "wrap")
    node.unsupported(`mode ${mode}`, "constant, edge, reflect or wrap");
  const x = node.input(0);
  const value = node.opset < 11 ? undefined : node.optional(2);
  if (node.opset < 11 && node.attributes.float("value", 0) !== 0) node.unsupported("negative pads with a value", "0");
  const inputs = [x, node.sizes("pads", 1), value ?? "", node.optional(3) ?? ""];
  while (inputs.at(-1) === "") inputs.pop();
  node.bind(node.main("padNd", inputs, { mode }));
}

/** Attributes before operator set 11, inputs from then on; `axes` (input 3) from 18 on. */
function pad(node: NodeContext): void {
  const mode = node.attributes.string("mode", "constant");
  // What the pad of every network does not do; before operator set 11 lists are attributes.
  const isConstant = node.opset < 11 || [1, 2, 3].every((i) => !node.optional(i) || node.constantOf(node.optional(i)));
  const isPlain = mode === "constant" && node.info(node.input(0)).dtype === "f32" && isConstant && isSmall(node);
  if (!isPlain) {
    padNd(node, mode);
    return;
  }
  const x = node.float(0);
  const rank = node.shape(x).length;
  const given = node.opset < 11 ? node.attributes.ints("pads") : node.list("pads", 1);
  const value =
    node.opset < 11 ? node.attributes.float("value", 0) : Number(node.constantInput(2, "value")?.data[0] ?? 0);
  const chosen = node.constantInput(3, "axes");
  const axes = chosen
    ? numbersOf(chosen).map((axis) => node.axis(axis, rank, "axes"))
    : Array.from({ length: rank }, (_, axis) => axis);
  if (given?.length !== 2 * axes.length)
    throw new ModelFileError(`onnx: ${node.title}`, "pads", `${2 * axes.length} sizes`, given);
  if (given.some((size) => size < 0 || size > 0xffff)) node.unsupported(`pads ${given}`, "sizes of 0 to 65535");
  const pads = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, index) => {
    pads[axis] = given[index]!;
    pads[axis + rank] = given[index + axes.length]!;
  });
  node.bind(node.main("pad", [x], { pads, value }));
}

export const shape: Readonly<Record<string, OperatorImporter>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Pad: pad,
};
