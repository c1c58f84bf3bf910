/** What operators that slide a window over one to three spatial axes share: attributes, sizes, and the axes of the kernel. */
import type { AttributeRules } from "../graph/attributes.ts";
import * as attribute from "../graph/attributes.ts";
import { OPEN } from "../graph/shapes.ts";
import type { Dim, Node } from "../graph/types.ts";
import type { WindowAxis } from "../kernels/windows.ts";
import { refuse } from "./operator.ts";

/** A window over as many axes as `kernel` has. */
export interface WindowAttributes {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before each axis, then behind each. */
  readonly pads: readonly number[];
}

const sizes = (least: number, most: number) => attribute.someIntegers(least, attribute.maxSize, most);

export const windowRules: AttributeRules<WindowAttributes> = {
  kernel: sizes(1, 3),
  strides: sizes(1, 3),
  dilations: sizes(1, 3),
  pads: sizes(0, 6),
};

/** Elements from the first to the last tap along an axis. */
export const reachOf = ({ kernel, dilations }: WindowAttributes, axis: number): number =>
  (kernel[axis]! - 1) * dilations[axis]! + 1;

/** @throws GraphError where the lists do not have an entry for each of the `rank` spatial axes */
export function checkRank(node: Node, { kernel, strides, dilations, pads }: WindowAttributes, rank: number): void {
  const lengths = [kernel, strides, dilations].map((list) => list.length);
  if (rank < 1 || lengths.some((length) => length !== rank) || pads.length !== 2 * rank)
    refuse(node, "spatial axes, and entries of the window", rank, [...lengths, pads.length / 2]);
}

/** Places of the window along `axis`: by floor, or by ceil where no place begins in the padding behind the image. */
export function placesAlong(node: Node, window: WindowAttributes, axis: number, size: Dim, ceil = false): Dim {
  if (typeof size !== "number") return OPEN;
  const { strides, pads, kernel } = window;
  const [stride, before] = [strides[axis]!, pads[axis]!];
  const room = size + before + pads[axis + kernel.length]! - reachOf(window, axis);
  if (room < 0) refuse(node, `padded axis ${axis} (at least)`, reachOf(window, axis), room + reachOf(window, axis));
  const places = Math.floor((room + (ceil ? stride - 1 : 0)) / stride) + 1;
  return ceil && (places - 1) * stride >= size + before ? places - 1 : places;
}

/** The axes of the kernel for an image and the places of its window. */
export const windowAxes = (
  { kernel, strides, dilations, pads }: WindowAttributes,
  image: readonly number[],
  places: readonly number[],
): WindowAxis[] =>
  image.map((input, axis) => ({
    input,
    output: places[axis]!,
    kernel: kernel[axis]!,
    stride: strides[axis]!,
    dilation: dilations[axis]!,
    before: pads[axis]!,
    after: pads[axis + image.length]!,
  }));

/** For references: every place with its taps in order, each the pixel's coordinates, or undefined outside the image. */
export function* placesOf(
  window: WindowAttributes,
  image: readonly number[],
  places: readonly number[],
): Generator<{ readonly place: readonly number[]; readonly taps: readonly (readonly number[] | undefined)[] }> {
  for (const place of indices(places)) {
    const taps = [...indices(window.kernel)].map((tap) => {
      const pixel = tap.map(
        (t, axis) => place[axis]! * window.strides[axis]! + t * window.dilations[axis]! - window.pads[axis]!,
      );
      return pixel.every((p, axis) => p >= 0 && p < image[axis]!) ? pixel : undefined;
    });
    yield { place, taps };
  }
}

/** Every index of a shape, row-major. */
export function* indices(shape: readonly number[]): Generator<readonly number[]> {
  const count = shape.reduce((product, size) => product * size, 1);
  for (let i = 0; i < count; i++) {
    let rest = i;
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield index;
  }
}
