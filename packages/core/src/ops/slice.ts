/**
 * Every `step`-th element from `start` to before `end` of some axes, as in ONNX and numpy: negative positions count from the end of the
 * axis, positions beyond an end of it are moved there, negative steps go backwards.
 *
 * Inputs: x of any type but bits; starts, ends [k]; axes [k] (absent: 0 to k - 1); steps [k], none 0 (absent: 1); all int64 or int32.
 * Output: the type of x.
 */
import type { Elements } from "../graph/operators.ts";
import { axisOf, OPEN, type Shape } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import type { Segment } from "../kernels/strided.ts";
import { movable, type Operator, refuse, shapeOf, sizes } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";
import { lowerStrided, stridesOf, whole } from "./strided.ts";

export type SliceAttributes = Record<never, never>;

type Slice = NodeOf<"slice">;
type Lists = readonly (Elements | undefined)[];
/** What is taken of an axis: a segment, all of it, as many as a symbol says, or what only a run can tell. */
type Part = Segment | undefined | string;

function segmentsOf(node: Slice, shape: Shape, [, starts, ends, axes, steps]: Lists): Part[] {
  const segments: Part[] = shape.map(() => undefined);
  // Where not even the axes are known, any of them may be cut.
  if (!starts || (!axes && node.inputs[3])) return shape.map(() => OPEN);
  if (ends && ends.length !== starts.length) refuse(node, "ends", starts.length, ends.length);
  for (const [i, start] of starts.entries()) {
    const axis = axisOf(node, axes ? Number(axes[i]) : i, shape.length);
    const [size, end, step = 1] = [shape[axis]!, ends?.[i], steps ? steps[i] : node.inputs[4] ? OPEN : 1];
    const isKnown = [size, start, end, step].every((value) => typeof value === "number");
    // The first S of them, as positions of a text are taken: S, for a run with more than there are is refused.
    const isFirst = start === 0 && step === 1 && typeof size === "number" && typeof end === "string";
    segments[axis] = isKnown
      ? segment(node, size as number, start as number, end as number, step as number)
      : isFirst
        ? end
        : OPEN;
  }
  return segments;
}

function segment(node: Slice, size: number, start: number, end: number, step: number): Segment {
  if (step === 0) refuse(node, "steps", "none of them 0", step);
  // Backwards, the place before the first element is an end of its own.
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const place = (position: number) => Math.min(high, Math.max(low, position < 0 ? position + size : position));
  const first = place(start);
  return { start: Math.max(0, first), step, count: Math.max(0, Math.ceil((place(end) - first) / step)) };
}

const countOf = (part: Part, size: Dim): Dim => (typeof part === "object" ? part.count : (part ?? size));

export const slice: Operator<"slice"> = {
  name: "slice",
  attributes: {},
  inputs: [{ dtypes: movable }, sizes, sizes, { ...sizes, optional: true }, { ...sizes, optional: true }],
  outputs(node, inputs, elements) {
    const x = shapeOf(node, inputs);
    const segments = segmentsOf(node, x, elements);
    return [{ dtypes: [inputs[0]!.dtype], shape: x.map((size, axis) => countOf(segments[axis], size)) }];
  },
  evaluate(node, [x], elements) {
    const [list] = elements;
    const taken: Part = x?.shape.length === 1 ? segmentsOf(node, x.shape, elements)[0] : OPEN;
    if (!list || typeof taken === "string") return undefined;
    return taken ? Array.from({ length: taken.count }, (_, i) => list[taken.start + i * taken.step]!) : list;
  },
  lower(node, context) {
    return lowerStrided(node, context, (binding) => {
      const shape = binding.shape(node.inputs[0]!);
      const segments = segmentsOf(node, shape, node.inputs.map(binding.elements));
      const strides = stridesOf(shape);
      const axes = shape.map((size, axis) => ({
        stride: strides[axis]!,
        segments: [(segments[axis] ?? whole(size)) as Segment],
      }));
      return { axes: [axes] };
    });
  },
};

/** By numpy's definition: the positions of each axis as Python's `range(*slice.indices(size))` has them. */
export function reference(node: Slice, inputs: readonly (Value | undefined)[]): Value[] {
  const [x, starts, ends, axes, steps] = inputs;
  const positions = x!.shape.map((size) => Array.from({ length: size }, (_, i) => i));
  for (const [i, from] of starts!.data.entries()) {
    const axis = axisOf(node, axes ? axes.data[i]! : i, x!.shape.length);
    const size = x!.shape[axis]!;
    const step = steps?.data[i] ?? 1;
    const clamp = (position: number) => {
      const place = position < 0 ? position + size : position;
      return step < 0 ? Math.max(-1, Math.min(size - 1, place)) : Math.max(0, Math.min(size, place));
    };
    positions[axis] = [];
    for (let p = clamp(from); step < 0 ? p > clamp(ends!.data[i]!) : p < clamp(ends!.data[i]!); p += step)
      positions[axis]!.push(p);
  }
  const shape = positions.map(({ length }) => length);
  return [
    build(
      x!.dtype,
      shape,
      (index) =>
        at(
          x!,
          index.map((i, axis) => positions[axis]![i]!),
        ),
      x!.quantization,
    ),
  ];
}
