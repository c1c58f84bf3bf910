/** An array as operators see it that follow one of its axes: [elements in front, of the axis, behind it]. */
import type { Lines } from "../kernels/reduce.ts";
import { sizeOf } from "../tensor.ts";

export const linesOf = (shape: readonly number[], axis: number): Lines => [
  sizeOf(shape.slice(0, axis)),
  shape[axis]!,
  sizeOf(shape.slice(axis + 1)),
];

/** Positions of every line's elements, for oracles. */
export const positionsOf = (shape: readonly number[], axis: number): number[][] => {
  const [outer, size, inner] = linesOf(shape, axis);
  return Array.from({ length: outer * inner }, (_, line) =>
    Array.from({ length: size }, (_, i) => (Math.floor(line / inner) * size + i) * inner + (line % inner)),
  );
};
