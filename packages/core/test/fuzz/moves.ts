/** Operators of `lowbit/ops` that move elements. */
import { Gather } from "../../src/kernels/gather.ts";
import { type Segment, Strided } from "../../src/kernels/strided.ts";
import type { Draw } from "./draw.ts";
import { call, type Fuzzer } from "./problem.ts";

/** A few places of an axis of `size`: forwards, backwards, one of them over and over, or padding. */
function segment(draw: Draw, size: number): Segment {
  const [start, step] = [draw.integer(-1, size - 1), draw.integer(-2, 2)];
  const room = step > 0 ? Math.floor((size - 1 - start) / step) + 1 : step < 0 ? Math.floor(start / -step) + 1 : 9;
  return { start, step, count: draw.integer(1, start < 0 ? 3 : Math.max(1, Math.min(room, 9))) };
}

export const strided: Fuzzer = (draw) => {
  const shape = Array.from({ length: draw.integer(0, 4) }, () => draw.integer(1, 7));
  const segments = shape.map((size) =>
    draw.integer(0, 1) === 0
      ? [{ start: 0, step: 1, count: size }]
      : Array.from({ length: draw.integer(1, 3) }, () => segment(draw, size)),
  );
  const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  const axes = segments.map((list, axis) => ({ stride: product(shape.slice(axis + 1)), segments: list }));
  const x = Int32Array.from(draw.integers(product(shape), -999, 999));
  /** Places of each axis; undefined is padding. */
  const places = segments.map((list) =>
    list.flatMap(({ start, step, count }) =>
      Array.from({ length: count }, (_, i) => (start < 0 ? undefined : start + i * step)),
    ),
  );
  const count = product(places.map(({ length }) => length));
  return {
    text: `strided [${shape}] by ${JSON.stringify(segments)}`,
    run: (kernels) => {
      using made = new Strided(kernels, { elementBytes: 4, length: x.length, axes, fill: Uint8Array.of(7) });
      return call(kernels, [x], "i32", count, (y, from) => made.run(from!, y));
    },
    expected: () =>
      Array.from({ length: count }, (_, flat) => {
        let [rest, at, isPadding] = [flat, 0, false];
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          const list = places[axis]!;
          const place = list[rest % list.length];
          rest = Math.floor(rest / list.length);
          if (place === undefined) isPadding = true;
          else at += place * axes[axis]!.stride;
        }
        return isPadding ? 7 : x[at]!;
      }),
  };
};

/** Rows of a matrix, or elements of its rows, some of them beyond an axis, where they are skipped. */
export const gather: Fuzzer = (draw) => {
  const [rows, columns, count] = [draw.integer(1, 9), draw.integer(1, 9), draw.integer(1, 12)];
  const x = Int32Array.from(draw.integers(rows * columns, -999, 999));
  const isElements = draw.integer(0, 1) === 1;
  const at = isElements ? draw.integers(count * 2, -9, 9) : draw.integers(count, -9, 9);
  const block = isElements ? 1 : columns;
  const coordinates = [{ size: rows, stride: columns }, ...(isElements ? [{ size: columns, stride: 1 }] : [])];
  const axes = [{ count, stride: 0, indexStride: coordinates.length }];
  return {
    text: `gather [${rows}, ${columns}] at ${at.join(" ")}`,
    run: (kernels) => {
      const options = { data: x.length, indices: at.length, block, axes, coordinates, skips: true };
      using made = new Gather(kernels, options);
      return call(kernels, [x, Int32Array.from(at)], "i32", count * block, (y, from, list) => {
        kernels.i32(y, count * block).fill(7);
        made.run(4, 4, from!, list!, y);
      });
    },
    expected: () =>
      Array.from({ length: count * block }, (_, i) => {
        const tuple = coordinates.map(({ size }, j) => {
          const index = at[Math.floor(i / block) * coordinates.length + j]!;
          return index < 0 ? index + size : index;
        });
        const isInside = tuple.every((index, j) => index >= 0 && index < coordinates[j]!.size);
        return isInside ? x[tuple[0]! * columns + (isElements ? tuple[1]! : i % columns)]! : 7;
      }),
  };
};
