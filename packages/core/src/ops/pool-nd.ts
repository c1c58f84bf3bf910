/**
 * Pooling over one to three spatial axes, channels first: what `maxPool` and `avgPool` leave out. The maximum (a NaN makes it NaN), with the flat places in x of what it found where a
 * second output asks for them (the first of equal ones by rows; counted with the first spatial axis running fastest where `byColumns`); the mean of the taps inside the
 * image (`average`) or of those inside the image and its padding, which is 0 (`averageWithPadding`); the norm (sum |x|^p)^(1/p). `ceil`: places that reach beyond the
 * padding count, unless they begin behind the image.
 *
 * Input: x [N, C, spatial...] of f32, for the maximum int8 or uint8 as well. Outputs: y [N, C, places...] of x's type; for `max`, int64 places of the same shape.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { PoolNd } from "../kernels/windows.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";
import {
  checkRank,
  placesAlong,
  placesOf,
  reachOf,
  type WindowAttributes,
  windowAxes,
  windowRules,
} from "./windows.ts";

export interface PoolNdAttributes extends WindowAttributes {
  readonly kind: "max" | "average" | "averageWithPadding" | "norm";
  /** Of a norm, at least 1; else 0. */
  readonly p: number;
  readonly ceil: boolean;
  readonly byColumns: boolean;
}

type Pool = NodeOf<"poolNd">;

export const poolNd: Operator<"poolNd"> = {
  name: "poolNd",
  attributes: {
    ...windowRules,
    kind: attribute.oneOf("max", "average", "averageWithPadding", "norm"),
    p: attribute.integer(0, attribute.maxSize),
    ceil: attribute.flag,
    byColumns: attribute.flag,
  },
  inputs: [{ dtypes: ["f32", "int8", "uint8"] }],
  outputs(node, inputs) {
    const { attributes } = node;
    const x = shapeOf(node, inputs);
    checkRank(node, attributes, x.length - 2);
    for (const [side, pad] of attributes.pads.entries()) {
      const reach = reachOf(attributes, side % attributes.kernel.length);
      if (pad >= reach) refuse(node, "padding (below the window's reach)", reach, pad);
    }
    const { dtype } = inputs[0]!;
    const isMax = attributes.kind === "max";
    if (!isMax && dtype !== "f32") refuse(node, `type of x for ${attributes.kind}`, "f32", dtype);
    const places = x.slice(2).map((size, axis) => placesAlong(node, attributes, axis, size, attributes.ceil));
    const shape = [...x.slice(0, 2), ...places];
    return [{ dtypes: [dtype], shape }, ...(isMax ? [{ dtypes: ["int64" as const], shape }] : [])];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [y = "", indices] = node.outputs;
    const { kind, p, byColumns } = node.attributes;
    const { dtype } = context.info(x);
    return operationOf(node, context, "windows", {
      bind({ instance, pointer, shape, own }) {
        const axes = windowAxes(node.attributes, shape(x).slice(2), shape(y).slice(2));
        const pool = own(new PoolNd(instance, { kind, p, axes }));
        const planes = sizeOf(shape(x).slice(0, 2));
        const [from, to, places] = [pointer(x), pointer(y), indices === undefined ? 0 : pointer(indices)];
        if (kind !== "max") return () => pool.run(from, planes, to);
        return () => pool.max(from, planes, to, dtype as "f32" | "int8" | "uint8", places, byColumns);
      },
    });
  },
};

export function reference(node: Pool, [x]: readonly (Value | undefined)[]): Value[] {
  const { attributes } = node;
  const { kind, p, ceil, byColumns, pads, kernel } = attributes;
  const image = x!.shape.slice(2);
  const places = image.map((size, axis) => placesAlong(node, attributes, axis, size, ceil) as number);
  const planes = sizeOf(x!.shape.slice(0, 2));
  const pixels = sizeOf(image);
  const [y, found]: [number[], number[]] = [[], []];
  /** Taps of a place along an axis that lie in the image or its padding. */
  const counted = (place: number, axis: number) =>
    Array.from(
      { length: kernel[axis]! },
      (_, tap) => place * attributes.strides[axis]! + tap * attributes.dilations[axis]!,
    ).filter((at) => at < pads[axis]! + image[axis]! + pads[axis + image.length]!).length;
  for (let plane = 0; plane < planes; plane++)
    for (const { place, taps } of placesOf(attributes, image, places)) {
      const inside = taps.filter((pixel) => pixel !== undefined);
      const flat = inside.map((pixel) => pixel.reduce((at, coordinate, axis) => at * image[axis]! + coordinate, 0));
      const values = flat.map((at) => x!.data[plane * pixels + at]!);
      const sum = (term: (value: number) => number) =>
        values.reduce((total, v) => Math.fround(total + Math.fround(term(v))), 0);
      if (kind === "max") {
        const best = values.some(Number.isNaN) ? values.findIndex(Number.isNaN) : values.indexOf(Math.max(...values));
        y.push(values[best]!);
        const columns = inside[best]!.reduceRight((at, coordinate, axis) => at * image[axis]! + coordinate, 0);
        found.push(plane * pixels + (byColumns ? columns : flat[best]!));
      } else if (kind === "norm") y.push(Math.fround(sum((v) => Math.abs(v) ** p) ** (1 / p)));
      else {
        const all = place.reduce((product, at, axis) => product * counted(at, axis), 1);
        y.push(Math.fround(sum((v) => v) / (kind === "average" ? values.length : all)));
      }
    }
  const shape = [...x!.shape.slice(0, 2), ...places];
  const result: Value = { dtype: x!.dtype, shape, data: Float64Array.from(y) };
  return kind === "max" ? [result, { dtype: "int64", shape, data: Float64Array.from(found) }] : [result];
}
