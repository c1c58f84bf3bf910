/**
 * One number made of the n of some axes: their sum, mean, prod(uct), max, min, the sum of their magnitudes (l1), the root of the sum of squares (l2), that sum (sumSquare), the logarithm of
 * the sum (logSum), or of the sum of exp(x) (logSumExp). Of no elements: 0, NaN, 1, the type's smallest and largest, 0, 0, 0, -infinity, -infinity.
 *
 * Inputs: x of a number type (max and min also of bool); axes [k] int64 or int32, negative ones from the last (absent or empty: all of them, or, `keepWithoutAxes`, x as it is). Output: x's type;
 * `keepAxes` leaves a 1 for each axis. Floats are computed in f64 and rounded once, integers modulo the type's bits.
 */
import { flag, oneOf } from "../graph/attributes.ts";
import type { Elements } from "../graph/operators.ts";
import { axisOf, OPEN, type Shape } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { Reduce, type Reduction, reductions } from "../kernels/reduce.ts";
import type { TensorDType } from "../tensor.ts";
import { numberTypes, of, stored } from "./elementwise.ts";
import { lengthOf, type Operator, operationOf, shapeOf, sizes } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface ReduceAttributes {
  readonly reduction: Reduction;
  readonly keepAxes: boolean;
  readonly keepWithoutAxes: boolean;
}

type ReduceNode = NodeOf<"reduce">;

/** The axes that go, in ascending order; undefined where only a run can tell. */
function axesOf(node: ReduceNode, rank: number, axes: Elements | undefined): readonly number[] | undefined {
  if (node.inputs[1] && !axes?.every((axis) => typeof axis === "number")) return undefined;
  const given = (axes ?? []).map((axis) => axisOf(node, axis as number, rank));
  const all = Array.from({ length: rank }, (_, axis) => axis);
  return given.length === 0 ? (node.attributes.keepWithoutAxes ? [] : all) : all.filter((axis) => given.includes(axis));
}

function shapeWithout(node: ReduceNode, shape: Shape, axes: readonly number[]): Shape {
  if (node.attributes.keepAxes) return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return shape.filter((_, axis) => !axes.includes(axis));
}

export const reduce: Operator<"reduce"> = {
  name: "reduce",
  attributes: { reduction: oneOf(...reductions), keepAxes: flag, keepWithoutAxes: flag },
  inputs: [of([...numberTypes, "bool"]), { ...sizes, optional: true }],
  outputs(node, inputs, elements) {
    const x = shapeOf(node, inputs);
    const axes = axesOf(node, x.length, elements[1]);
    const { keepAxes } = node.attributes;
    const rank = axes || keepAxes ? x.length : x.length - lengthOf(node, inputs, 1);
    return [{ dtypes: [inputs[0]!.dtype], shape: axes ? shapeWithout(node, x, axes) : Array(rank).fill(OPEN) }];
  },
  lower(node, context) {
    const [x = "", list] = node.inputs;
    const [output = ""] = node.outputs;
    const dtype = context.info(x).dtype as TensorDType;
    const { reduction } = node.attributes;
    return operationOf(node, context, "reduce", {
      bind(binding) {
        const shape = binding.shape(x);
        const axes = axesOf(node, shape.length, binding.elements(list))!;
        const object = binding.own(new Reduce(binding.instance, { reduction, dtype, shape, axes }));
        const [from, to] = [binding.pointer(x), binding.pointer(output)];
        return () => object.run(from, to);
      },
    });
  },
};

export function reference(node: ReduceNode, [x, list]: readonly (Value | undefined)[]): Value[] {
  const { shape, dtype } = x!;
  const axes = axesOf(node, shape.length, list && [...list.data])!;
  const isFloat = dtype === "f32" || dtype === "f64" || dtype === "f16";
  const shapeOfGroups = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const groups: number[][] = Array.from({ length: shapeOfGroups.reduce((a, b) => a * b, 1) }, () => []);
  for (const [at, value] of x!.data.entries()) {
    let [rest, group, stride] = [at, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const position = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      if (axes.includes(axis)) continue;
      group += position * stride;
      stride *= shape[axis]!;
    }
    groups[group]!.push(value);
  }
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const bits = { bool: 1, uint8: 8, uint16: 16, uint32: 32, uint64: 64, int8: 7, int16: 15, int32: 31, int64: 63 };
  const most = isFloat ? Number.POSITIVE_INFINITY : 2 ** bits[dtype as keyof typeof bits] - 1;
  const least = isFloat ? Number.NEGATIVE_INFINITY : dtype.startsWith("i") ? -most - 1 : 0;
  const make: Record<Reduction, (values: readonly number[]) => number> = {
    sum,
    mean: (values) => sum(values) / values.length,
    prod: (values) => values.reduce((a, b) => a * b, 1),
    max: (values) => values.reduce((a, b) => Math.max(a, b), least),
    min: (values) => values.reduce((a, b) => Math.min(a, b), most),
    l1: (values) => sum(values.map(Math.abs)),
    l2: (values) => Math.sqrt(sum(values.map((v) => v * v))),
    sumSquare: (values) => sum(values.map((v) => v * v)),
    logSum: (values) => Math.log(sum(values)),
    logSumExp: (values) => Math.log(sum(values.map((v) => Math.exp(v)))),
  };
  const numbers = groups.map((values) => stored(dtype, make[node.attributes.reduction](values)));
  return [{ dtype, shape: shapeWithout(node, shape, axes) as number[], data: Float64Array.from(numbers) }];
}
