/**
 * One shape rule per operator: from the shapes of the inputs to the shape of the output.
 *
 * A symbol ("N") stands for a size known at run time. Rules that must compute with a size (windows, flattening) want a
 * number there; a symbol passes through unchanged wherever an axis does. So a batch stays symbolic through a whole network.
 */
import { GraphError } from "../errors.ts";
import type { Dim, Node, NodeOf, Op, Window2d } from "./types.ts";

export type Shape = readonly Dim[];

/** In a rule's answer, a size that is known only when a plan is made. */
export const OPEN = "?";

/** A rule; `shapes[i]` is undefined where optional input i is absent. */
export type ShapeRule<N extends Node = Node> = (node: N, shapes: readonly (Shape | undefined)[]) => Shape;

type Rule<K extends Op> = ShapeRule<NodeOf<K>>;

const refuse = (node: Node, what: string, expected: unknown, got: unknown): never => {
  throw new GraphError(`${node.op} "${node.name}"`, what, expected, got);
};

/** Input `index`, which must have `rank` axes where that is given. */
function input(node: Node, shapes: readonly (Shape | undefined)[], index: number, rank?: number): Shape {
  const shape = shapes[index];
  if (!shape) return refuse(node, `input ${index}`, "a value", "none");
  if (rank !== undefined && shape.length !== rank) refuse(node, `axes of input ${index}`, rank, shape.length);
  return shape;
}

function same(node: Node, what: string, expected: Dim, got: Dim): Dim {
  return expected === got ? got : refuse(node, what, expected, got);
}

function known(node: Node, what: string, dim: Dim): number {
  return typeof dim === "number" ? dim : refuse(node, what, "a known size", `symbol ${dim}`);
}

/** Output size along one axis: floor((size + before + after - reach) / stride) + 1, reach = (kernel - 1) * dilation + 1. */
function slide(node: Node, window: Window2d, axis: 0 | 1, dim: Dim): number {
  const size = known(node, axis === 0 ? "height" : "width", dim);
  const padded = size + window.pads[axis] + window.pads[axis + 2]!;
  const reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
  if (reach > padded) refuse(node, `${axis === 0 ? "height" : "width"} with padding (at least)`, reach, padded);
  return Math.floor((padded - reach) / window.strides[axis]) + 1;
}

/** Per-channel vectors: each given input from `from` on must be [C]. */
function channelVectors(node: Node, shapes: readonly (Shape | undefined)[], from: number, channels: Dim): void {
  for (let i = from; i < shapes.length; i++) {
    const shape = shapes[i];
    if (shape && (shape.length !== 1 || shape[0] !== channels)) refuse(node, `shape of input ${i}`, [channels], shape);
  }
}

/** Numpy's rule: axes align at the end, and a 1 stretches. */
export function broadcast(node: Node, shapes: readonly (Shape | undefined)[]): Shape {
  const a = input(node, shapes, 0);
  const b = input(node, shapes, 1);
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    // A symbol stands for the number beside it, or for 1.
    const fits = typeof x === "string" || typeof y === "string";
    if (!fits) refuse(node, `axis ${i} of the broadcast`, x, y);
    return typeof x === "number" ? x : typeof y === "number" ? y : OPEN;
  });
}

export const unchanged = (node: Node, shapes: readonly (Shape | undefined)[]): Shape => input(node, shapes, 0);

const lastAxis = (node: Node, shape: Shape): Dim => shape.at(-1) ?? refuse(node, "axes of input 0 (at least)", 1, 0);

export function channelwise(node: Node, shapes: readonly (Shape | undefined)[]): Shape {
  const x = input(node, shapes, 0);
  channelVectors(node, shapes, 1, lastAxis(node, x));
  return x;
}

export function pooled(node: NodeOf<"maxPool" | "avgPool">, shapes: readonly (Shape | undefined)[]): Shape {
  const [n, h, w, c] = input(node, shapes, 0, 4) as [Dim, Dim, Dim, Dim];
  const { attributes } = node;
  // A window that lies in the padding alone has no maximum and no mean.
  for (const side of [0, 1, 2, 3] as const) {
    const reach = (attributes.kernel[side % 2]! - 1) * attributes.dilations[side % 2]! + 1;
    if (attributes.pads[side] >= reach)
      refuse(node, "padding (below the window's reach)", reach, attributes.pads[side]);
  }
  return [n, slide(node, attributes, 0, h), slide(node, attributes, 1, w), c];
}

/** `axis` counted from the front. */
export function axisOf(node: Node, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  return at >= 0 && at < rank ? at : refuse(node, "axis", `-${rank} to ${rank - 1}`, axis);
}

function reshaped(node: NodeOf<"reshape">, x: Shape): Shape {
  const wanted = node.attributes.shape.map((d, i) =>
    d === 0 ? (x[i] ?? refuse(node, "axis to copy", x.length, i)) : d,
  );
  // Known sizes are multiplied and symbols are cancelled one against the other; -1 takes what is left.
  let left = 1;
  const symbols: string[] = [];
  for (const d of x) {
    if (typeof d === "number") left *= d;
    else symbols.push(d);
  }
  let size = 1;
  for (const d of wanted) {
    if (d === -1) continue;
    if (typeof d === "number") size *= d;
    else {
      const at = symbols.indexOf(d);
      if (at < 0) refuse(node, "symbols of the new shape", x, d);
      symbols.splice(at, 1);
    }
  }
  const holes = wanted.filter((d) => d === -1).length;
  const fits = holes === 0 ? symbols.length === 0 && left === size : holes === 1 && size > 0 && left % size === 0;
  if (!fits) refuse(node, "elements of the new shape", x, wanted);
  const rest = left / size;
  if (symbols.length > 0 && (symbols.length > 1 || rest !== 1))
    refuse(node, "size of axis -1", "a number or one symbol", x);
  return wanted.map((d) => (d === -1 ? (symbols[0] ?? rest) : d));
}

export const conv2dShape: Rule<"conv2d"> = (node, shapes) => {
  const [n, h, w, c] = input(node, shapes, 0, 4) as [Dim, Dim, Dim, Dim];
  const [o, kh, kw, depth] = input(node, shapes, 1, 4).map((d) => known(node, "weight", d)) as [
    number,
    number,
    number,
    number,
  ];
  const { groups, kernel } = node.attributes;
  if (kh !== kernel[0] || kw !== kernel[1]) refuse(node, "kernel of the weight", kernel, [kh, kw]);
  same(node, "channels (weight's times groups)", depth * groups, c);
  if (o % groups !== 0) refuse(node, "output channels (a multiple of the groups)", groups, o);
  channelVectors(node, shapes, 2, o);
  return [n, slide(node, node.attributes, 0, h), slide(node, node.attributes, 1, w), o];
};

export const denseShape: Rule<"dense"> = (node, shapes) => {
  const x = input(node, shapes, 0);
  const [n, k] = input(node, shapes, 1, 2) as [Dim, Dim];
  same(node, "last axis of x", k, lastAxis(node, x));
  channelVectors(node, shapes, 2, n);
  return [...x.slice(0, -1), n];
};

export const matmulShape: Rule<"matmul"> = (node, shapes) => {
  const a = input(node, shapes, 0);
  const b = input(node, shapes, 1);
  if (a.length < 2 || b.length < 2) refuse(node, "axes of each input (at least)", 2, Math.min(a.length, b.length));
  same(node, "rows of b", a.at(-1)!, b.at(-2)!);
  const outer = broadcast(node, [a.slice(0, -2), b.slice(0, -2)]);
  return [...outer, a.at(-2)!, b.at(-1)!];
};

export const globalAvgPoolShape: Rule<"globalAvgPool"> = (node, shapes) => {
  const [n, , , c] = input(node, shapes, 0, 4) as [Dim, Dim, Dim, Dim];
  return [n, 1, 1, c];
};

export const softmaxShape: Rule<"softmax"> = (node, shapes) => {
  const x = input(node, shapes, 0);
  axisOf(node, node.attributes.axis, x.length);
  return x;
};

export const transposeShape: Rule<"transpose"> = (node, shapes) => {
  const x = input(node, shapes, 0);
  const { permutation } = node.attributes;
  if (
    permutation.length !== x.length ||
    new Set(permutation).size !== x.length ||
    permutation.some((p) => p >= x.length)
  )
    refuse(node, "permutation", `each of 0 to ${x.length - 1} once`, permutation);
  return permutation.map((p) => x[p]!);
};

export const concatShape: Rule<"concat"> = (node, shapes) => {
  const first = input(node, shapes, 0);
  const axis = axisOf(node, node.attributes.axis, first.length);
  let total = 0;
  shapes.forEach((_, i) => {
    const x = input(node, shapes, i, first.length);
    x.forEach((d, a) => {
      if (a !== axis) same(node, `axis ${a} of input ${i}`, first[a]!, d);
    });
    total += known(node, `axis ${axis} of input ${i}`, x[axis]!);
  });
  return first.map((d, a) => (a === axis ? total : d));
};

export const padShape: Rule<"pad"> = (node, shapes) => {
  const x = input(node, shapes, 0);
  const { pads } = node.attributes;
  if (pads.length !== 2 * x.length) refuse(node, "pads", 2 * x.length, pads.length);
  return x.map((d, a) => {
    const extra = pads[a]! + pads[a + x.length]!;
    return extra === 0 ? d : known(node, `padded axis ${a}`, d) + extra;
  });
};

export const reshapeShape: Rule<"reshape"> = (node, shapes) => reshaped(node, input(node, shapes, 0));

/**
 * Symbols bound by comparing a declared shape with an actual one.
 * @returns the first axis that does not fit, or -1
 */
export function bindShape(declared: Shape, actual: readonly number[], symbols: Map<string, number>): number {
  for (const [axis, dim] of declared.entries()) {
    const size = actual[axis];
    const wanted = typeof dim === "number" ? dim : (symbols.get(dim) ?? size);
    if (size === undefined || size !== wanted) return axis;
    if (typeof dim === "string") symbols.set(dim, size);
  }
  return actual.length > declared.length ? declared.length : -1;
}

/** `shape` with every symbol replaced; all of them must be bound. */
export const boundShape = (shape: Shape, symbols: ReadonlyMap<string, number>): number[] =>
  shape.map((dim) => (typeof dim === "number" ? dim : symbols.get(dim)!));
