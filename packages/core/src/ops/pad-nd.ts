/**
 * Padding, and the cutting off that negative padding is. What stands outside of x: `constant` the value; `edge` the nearest element; `reflect` x mirrored at
 * its first and last element, which are not repeated; `wrap` x over and over.
 *
 * Inputs: x of any type but bits; pads [2 k] int64 or int32, before each axis, then after each; value of x's type, within ±2^53 where it is no constant (absent: 0); axes [k] (absent: all).
 * Output: x's type.
 */
import { oneOf } from "../graph/attributes.ts";
import type { Elements } from "../graph/operators.ts";
import { axisOf, OPEN, type Shape } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import type { Segment } from "../kernels/strided.ts";
import type { TensorDType } from "../tensor.ts";
import { bytesOfNumber, movable, type Operator, refuse, shapeOf, sizes } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { lowerStrided, stridesOf } from "./strided.ts";

export interface PadNdAttributes {
  readonly mode: "constant" | "edge" | "reflect" | "wrap";
}

type Pad = NodeOf<"padNd">;

/** Elements before and after each axis; undefined where the lists are not known. */
function padsOf(
  node: Pad,
  rank: number,
  lists: readonly (Elements | undefined)[],
): (readonly [Dim, Dim])[] | undefined {
  const [, pads, , axes] = lists;
  if (!pads || (!axes && node.inputs[3])) return undefined;
  const chosen =
    axes?.map((axis) => axisOf(node, Number(axis), rank)) ?? Array.from({ length: rank }, (_, axis) => axis);
  if (pads.length !== 2 * chosen.length) refuse(node, "pads", 2 * chosen.length, pads.length);
  const all = Array.from({ length: rank }, (): readonly [Dim, Dim] => [0, 0]);
  for (const [i, axis] of chosen.entries()) all[axis] = [pads[i]!, pads[i + chosen.length]!];
  return all;
}

function paddedSize(node: Pad, size: Dim, [before, after]: readonly [Dim, Dim]): Dim {
  if (before === 0 && after === 0) return size;
  if (typeof size !== "number" || typeof before !== "number" || typeof after !== "number") return OPEN;
  const padded = size + before + after;
  if (padded < 0) refuse(node, "pads", `${-size} or more together`, before + after);
  if (size === 0 && padded > 0 && node.attributes.mode !== "constant")
    refuse(node, "size of a padded axis", "1 or more", 0);
  return padded;
}

/** Where the place `index` of y, counted from the start of x, lies in an axis of `size`; -1 is padding. */
function place(mode: PadNdAttributes["mode"], index: number, size: number): number {
  if (index >= 0 && index < size) return index;
  switch (mode) {
    case "constant":
      return -1;
    case "edge":
      return index < 0 ? 0 : size - 1;
    case "wrap":
      return ((index % size) + size) % size;
    case "reflect": {
      // Back and forth with a period of 2 (size - 1).
      const period = Math.max(1, 2 * (size - 1));
      const inside = ((index % period) + period) % period;
      return Math.min(inside, period - inside) % size;
    }
  }
}

/** The places of y along an axis, as few runs as they are: where the step changes, a new one begins. */
function segmentsOf(mode: PadNdAttributes["mode"], size: number, before: number, after: number): Segment[] {
  if (before <= 0 && after <= 0) return [{ start: -before, step: 1, count: size + before + after }];
  const [first, end] = [-before, size + after];
  const segments: { start: number; step: number; count: number }[] = [];
  const inside = [Math.max(0, first), Math.min(size, end)] as const;
  const outside = (from: number, to: number) => {
    if (from >= to) return;
    if (mode === "constant") segments.push({ start: -1, step: 0, count: to - from });
    else if (mode === "edge") segments.push({ start: place(mode, from, size), step: 0, count: to - from });
    else
      for (let index = from; index < to; index++) {
        const [at, last] = [place(mode, index, size), segments.at(-1)];
        const next = last && last.start + last.step * last.count;
        if (last && last.count === 1 && index > from) Object.assign(last, { step: at - last.start, count: 2 });
        else if (last && index > from && next === at) last.count++;
        else segments.push({ start: at, step: 0, count: 1 });
      }
  };
  outside(first, Math.min(0, end));
  if (inside[0] < inside[1]) segments.push({ start: inside[0], step: 1, count: inside[1] - inside[0] });
  outside(Math.max(size, first), end);
  return segments;
}

export const padNd: Operator<"padNd"> = {
  name: "padNd",
  attributes: { mode: oneOf("constant", "edge", "reflect", "wrap") },
  inputs: [
    { dtypes: movable },
    sizes,
    { what: "value", dtypes: "same", reads: "sizes", optional: true },
    { ...sizes, optional: true },
  ],
  outputs(node, inputs, elements) {
    const x = shapeOf(node, inputs);
    const pads = padsOf(node, x.length, elements);
    const shape: Shape = x.map((size, axis) => (pads ? paddedSize(node, size, pads[axis]!) : OPEN));
    return [{ dtypes: [inputs[0]!.dtype], shape }];
  },
  lower(node, context) {
    const { mode } = node.attributes;
    const [x = "", , value] = node.inputs;
    const data = value && context.isConstant(value) ? context.plain(value).data : undefined;
    const constant = data && new Uint8Array(data.buffer, data.byteOffset, data.BYTES_PER_ELEMENT).slice();
    const { dtype } = context.info(x);
    return lowerStrided(node, context, ({ shape, elements }) => {
      const sizesOfX = shape(x);
      const strides = stridesOf(sizesOfX);
      const pads = padsOf(node, sizesOfX.length, node.inputs.map(elements))!;
      const axes = sizesOfX.map((size, axis) => {
        const [before, after] = pads[axis] as [number, number];
        return { stride: strides[axis]!, segments: segmentsOf(mode, size, before, after) };
      });
      const given = elements(value)?.[0];
      const fill = constant ?? (given === undefined ? undefined : bytesOfNumber(dtype as TensorDType, given));
      return { axes: [axes], ...(fill && { fill }) };
    });
  },
};

export function reference(node: Pad, inputs: readonly (Value | undefined)[]): Value[] {
  const [x, , value] = inputs;
  const pads = padsOf(
    node,
    x!.shape.length,
    inputs.map((input) => input && [...input.data]),
  ) as [number, number][];
  const shape = x!.shape.map((size, axis) => size + pads[axis]![0] + pads[axis]![1]);
  return [
    build(x!.dtype, shape, (index) => {
      const places = index.map((i, axis) => place(node.attributes.mode, i - pads[axis]![0], x!.shape[axis]!));
      return places.includes(-1) ? (value?.data[0] ?? 0) : at(x!, places);
    }),
  ];
}
