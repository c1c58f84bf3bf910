import type { Dim } from "lowbit";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { StridedSliceOptions } from "../schema.ts";

/** An end that lies behind every element, and one that lies before all of them where steps go backwards. */
const FAR = 2 ** 31 - 1;

/** What is taken of each axis of `x`, as the Graph's slice has it. */
interface Ranges {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

function sliced(node: NodeContext, x: string, { starts, ends, steps }: Ranges): string {
  const list = (part: string, values: readonly number[]) =>
    node.store(part, {
      kind: "plain",
      dtype: "int64",
      shape: [values.length],
      data: BigInt64Array.from(values, BigInt),
    });
  const axes = starts.map((_, axis) => axis);
  return node.main(
    "slice",
    [x, list("starts", starts), list("ends", ends), list("axes", axes), list("steps", steps)],
    {},
  );
}

/** Codes are cut as floats and quantized again, which gives the same codes. */
function cut(node: NodeContext, ranges: Ranges, shape: (cut: readonly Dim[]) => readonly Dim[]): void {
  const { quantization } = node.target();
  const y = sliced(node, quantization ? node.real(0) : node.value(0), ranges);
  const wanted = shape(node.shape(y));
  const result = wanted.length === node.shape(y).length ? y : node.step("shape", "reshape", [y], { shape: wanted });
  if (quantization) node.bindReal(result);
  else node.bind(result);
}

/** begin and size per axis; a size of -1 is all that is left. */
function slice(node: NodeContext): void {
  const [starts, sizes] = [node.numbers(1, "begin"), node.numbers(2, "size")];
  if (starts.length !== sizes.length || starts.some((start) => start < 0) || sizes.some((size) => size < -1))
    node.damaged("begin and size", "a place of 0 or more and a size, or -1, for each axis", `${starts}; ${sizes}`);
  const ends = starts.map((start, axis) => (sizes[axis] === -1 ? FAR : start + sizes[axis]!));
  cut(node, { starts, ends, steps: starts.map(() => 1) }, (shape) => shape);
}

/**
 * begin, end, stride per axis, where bits of the masks say which begins and ends do not count and which axes are left out of
 * the result. Of the sizes of a value, a part of these.
 */
function stridedSlice(node: NodeContext): void {
  const o = node.options(StridedSliceOptions);
  if (o.ellipsisMask !== 0 || o.newAxisMask !== 0 || o.offset)
    node.unsupported("an ellipsis, a new axis or ends that count from begins", "begin, end and stride of every axis");
  const [begin, end, steps] = [node.numbers(1, "begin"), node.numbers(2, "end"), node.numbers(3, "strides")];
  if (begin.length !== end.length || begin.length !== steps.length || steps.includes(0))
    node.damaged("begin, end and strides", "as many of each, no stride of 0", `${begin}; ${end}; ${steps}`);
  const has = (mask: number, axis: number) => ((mask >> axis) & 1) === 1;
  const shrinks = (axis: number) => has(o.shrinkAxisMask, axis);
  const starts = begin.map((start, axis) =>
    has(o.beginMask, axis) && !shrinks(axis) ? (steps[axis]! > 0 ? 0 : FAR) : start,
  );
  const ends = end.map((last, axis) => {
    // The element at -1 is the last one, and what lies behind it is no 0.
    if (shrinks(axis)) return starts[axis] === -1 ? FAR : starts[axis]! + 1;
    return has(o.endMask, axis) ? (steps[axis]! > 0 ? FAR : -FAR) : last;
  });
  const ranges = { starts, ends, steps: steps.map((step, axis) => (shrinks(axis) ? 1 : step)) };
  const sizes = node.constant(0) ? undefined : node.dims(0);
  if (sizes && starts.length === 1 && ranges.steps[0] === 1) node.bindShape(sizes.slice(starts[0], ends[0]));
  else cut(node, ranges, (shape) => shape.filter((_, axis) => !shrinks(axis)));
}

export const slicing: Readonly<Record<string, OperatorImporter>> = { SLICE: slice, STRIDED_SLICE: stridedSlice };
