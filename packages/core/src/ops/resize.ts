/**
 * Resampling (ONNX Resize): every place of y along an axis is a weighted sum of elements of x around its coordinate, axis by axis, first axis first; one chain of f32 over ascending elements
 * each. Coordinates are computed in f32; crates/kernels/src/resize says what each mode and filter is.
 *
 * Inputs: x [axes...], f32, or of any type where the filter is a nearest one; region f32 [2 * k], starts then ends, of `tf_crop_and_resize` (absent: 0, 1); scales f32 [k]; sizes [k]. One of
 * the last two; k is the number of `axes`. Output: x's type, sizes as given or floor(size * scale).
 */
import * as attribute from "../graph/attributes.ts";
import type { Elements } from "../graph/operators.ts";
import { axisOf, OPEN, type Shape } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import {
  coordinateModes,
  Resize as Kernel,
  type ResizeAxis,
  type ResizeMethod,
  resizeFilters,
} from "../kernels/resize.ts";
import { bytesOf, type TensorDType } from "../tensor.ts";
import { bytesOfNumber, movable, type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import { build, type Value } from "./reference.ts";

export interface ResizeAttributes extends ResizeMethod {
  /** What region, scales and sizes are of; absent: all. */
  readonly axes?: readonly number[];
  /** What sizes are: the result's, or what it must not be larger or smaller than at one scale for all axes. */
  readonly policy: "stretch" | "not_larger" | "not_smaller";
}

type Resize = NodeOf<"resize">;

/** An axis with sizes as far as they are known. */
interface Wanted extends Omit<ResizeAxis, "input" | "output"> {
  readonly input: Dim;
  readonly output: Dim;
}

const isNearest = ({ filter }: ResizeMethod): boolean => filter !== "linear" && filter !== "cubic";

/** Rounds to the nearest integer, halves up: what the policies want. */
const rounded = (x: number): number => Math.floor(x + 0.5);

function axesOf(node: Resize, shape: Shape, [, region, scales, sizes]: readonly (Elements | undefined)[]): Wanted[] {
  const { axes = shape.map((_, axis) => axis), policy } = node.attributes;
  const chosen = axes.map((axis) => axisOf(node, axis, shape.length));
  for (const [what, list, length] of [
    ["region", region, 2 * chosen.length],
    ["scales", scales, chosen.length],
    ["sizes", sizes, chosen.length],
  ] as const)
    if (list && list.length !== length) refuse(node, what, length, list.length);
  const ratios = chosen.map((axis, i) => Number(sizes?.[i]) / Number(shape[axis]));
  const ratio = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return shape.map((input, axis): Wanted => {
    const i = chosen.indexOf(axis);
    const bounds = [Number(region?.[i] ?? 0), Number(region?.[i + chosen.length] ?? 1)] as const;
    if (i < 0) return { input, output: input, scale: 1, region: [0, 1] };
    const [scale, size] = [scales?.[i], sizes?.[i]];
    if (scale !== undefined) {
      const output =
        typeof input === "number" ? Math.floor(Math.fround(input * Number(scale))) : scale === 1 ? input : OPEN;
      return { input, output, scale: Number(scale), region: bounds };
    }
    if (typeof size !== "number" || typeof input !== "number")
      return { input, output: policy === "stretch" && size !== undefined ? size : OPEN, scale: 1, region: bounds };
    if (policy === "stretch") return { input, output: size, scale: size / input, region: bounds };
    if (!Number.isFinite(ratio)) return { input, output: OPEN, scale: 1, region: bounds };
    return { input, output: rounded(ratio * input), scale: ratio, region: bounds };
  });
}

const numbers = { dtypes: ["f32" as const], reads: "sizes" as const, optional: true };

export const resize: Operator<"resize"> = {
  name: "resize",
  attributes: {
    coordinates: attribute.oneOf(...coordinateModes),
    filter: attribute.oneOf(...resizeFilters),
    a: attribute.finite,
    antialias: attribute.flag,
    excludeOutside: attribute.flag,
    extrapolation: attribute.real,
    axes: { ...attribute.someIntegers(-8, 7, 8), optional: true },
    policy: attribute.oneOf("stretch", "not_larger", "not_smaller"),
  },
  inputs: [{ dtypes: movable }, numbers, numbers, { dtypes: ["int64", "int32"], reads: "sizes", optional: true }],
  outputs(node, inputs, elements) {
    const x = shapeOf(node, inputs);
    const { dtype } = inputs[0]!;
    const given = [2, 3].filter((i) => node.inputs[i]);
    if (given.length !== 1) refuse(node, "inputs", "scales or sizes", given.length === 0 ? "none" : "both");
    if (!isNearest(node.attributes) && dtype !== "f32") refuse(node, "type of x", "f32", dtype);
    const known = elements[2] || elements[3];
    const shape = known ? axesOf(node, x, elements).map(({ output }) => output) : x.map(() => OPEN);
    return [{ dtypes: [dtype], shape }];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const { attributes } = node;
    const { dtype } = context.info(x);
    const elementBytes = bytesOf[dtype as TensorDType] as 1 | 2 | 4 | 8;
    const outside = bytesOfNumber(dtype as TensorDType, attributes.extrapolation);
    return operationOf(node, context, "resize", {
      bind({ instance, pointer, shape, elements, own }) {
        const axes = axesOf(node, shape(x), node.inputs.map(elements)) as ResizeAxis[];
        const kernel = own(new Kernel(instance, { ...attributes, axes, elementBytes, outside }));
        const [from, to] = [pointer(x), pointer(y)];
        return () => kernel.run(from, to);
      },
    });
  },
};

/** ONNX's formulas in f64, every axis's weights at once. */
export function reference(node: Resize, [x, region, scales, sizes]: readonly (Value | undefined)[]): Value[] {
  const { attributes } = node;
  const lists = [undefined, region, scales, sizes].map((value) => value && Array.from(value.data));
  const axes = axesOf(node, x!.shape, lists) as ResizeAxis[];
  const tables = axes.map((axis) => Array.from({ length: axis.output }, (_, at) => weightsOf(attributes, axis, at)));
  const shape = axes.map(({ output }) => output);
  const value = (index: readonly number[]): number => {
    const taps = index.map((at, axis) => tables[axis]![at]!);
    if (taps.some((list) => list === undefined)) return attributes.extrapolation;
    const sum = (axis: number, offset: number): number =>
      axis === axes.length
        ? x!.data[offset]!
        : taps[axis]!.reduce((total, [at, weight]) => total + weight * sum(axis + 1, offset * x!.shape[axis]! + at), 0);
    return sum(0, 0);
  };
  return [build(x!.dtype, shape, value, x!.quantization)];
}

/** Elements of x with their weights; undefined where the place is extrapolated. */
function weightsOf(method: ResizeMethod, axis: ResizeAxis, at: number): [number, number][] | undefined {
  const { input, output } = axis;
  // In f32 and in this order: a place that falls on an element's edge is decided by its rounding.
  const f = Math.fround;
  const scale = f(axis.scale);
  const [start, end] = axis.region.map(f) as [number, number];
  const half = f(f((at + 0.5) / scale) - 0.5);
  const crop = () => f(f(f(at * f(end - start)) * (input - 1)) / (output - 1));
  const coordinate = {
    half_pixel: () => half,
    half_pixel_symmetric: () => f(f((input / 2) * f(1 - f(output / f(scale * input)))) + half),
    pytorch_half_pixel: () => (output > 1 ? half : 0),
    align_corners: () => (output > 1 ? f((at * (input - 1)) / (output - 1)) : 0),
    asymmetric: () => f(at / scale),
    tf_crop_and_resize: () =>
      output > 1 ? f(f(start * (input - 1)) + crop()) : f(f(0.5 * f(start + end)) * (input - 1)),
    tf_half_pixel_for_nn: () => f((at + 0.5) / scale),
  }[method.coordinates]();
  if (method.coordinates === "tf_crop_and_resize" && (coordinate < 0 || coordinate > input - 1)) return undefined;
  const border = (i: number) => Math.min(input - 1, Math.max(0, i));
  const floor = Math.floor(coordinate);
  const nearest: Partial<Record<string, () => number>> = {
    round_prefer_floor: () => Math.ceil(coordinate - 0.5),
    round_prefer_ceil: () => Math.floor(coordinate + 0.5),
    floor: () => floor,
    ceil: () => Math.ceil(coordinate),
  };
  const chosen = nearest[method.filter];
  if (chosen) return [[border(chosen()), 1]];
  const cubic = method.filter === "cubic";
  const { a } = method;
  const weight = (distance: number): number => {
    const d = Math.abs(distance);
    if (!cubic) return Math.max(0, 1 - d);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  };
  const shrink = method.antialias ? Math.min(1, scale) : 1;
  const reach = Math.ceil((cubic ? 2 : 1) / shrink);
  const taps: [number, number][] = [];
  for (let i = floor - reach; i <= floor + reach + 1; i++) {
    const isOutside = i < 0 || i >= input;
    const w = weight((i - coordinate) * shrink);
    if (w !== 0 && !(isOutside && method.excludeOutside)) taps.push([border(i), w]);
  }
  const total = taps.reduce((sum, [, w]) => sum + w, 0);
  return taps.map(([i, w]) => [i, w / total]);
}
