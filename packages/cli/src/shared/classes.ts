/** From outputs to classes, and from classes to accuracy. */

import { ShapeError, type Tensor } from "lowbit";

/**
 * The class of each of the first `count` samples: the position of the largest value in the sample's part of the tensor,
 * the lowest of equals; a NaN is never largest.
 * @throws ShapeError where the tensor cannot be divided into `rows` samples of equal size
 */
export function classesOf(output: Tensor, rows: number, count: number): Int32Array {
  const width = output.data.length / rows;
  if (!Number.isInteger(width) || width === 0)
    throw new ShapeError("eval", "output", `one row of scores for each of ${rows} samples`, output.shape);
  const classes = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < width; i++) {
      const value = output.data[row * width + i] as number | bigint;
      if (value > largest) {
        largest = Number(value);
        classes[row] = i;
      }
    }
  }
  return classes;
}

/** Share of equal entries, 0..1. */
export function shareEqual(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
