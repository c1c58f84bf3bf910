/** Operators of `lowbit/ops` that move elements. */
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
