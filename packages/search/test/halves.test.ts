import { Random } from "lowbit/quantize";
import { expect, test } from "vitest";
import { orderByHalves } from "../src/halves.ts";

const SUBSPACES = 2;

function books(dimension: number): Float32Array {
  const random = new Random(5);
  return Float32Array.from({ length: SUBSPACES * 256 * dimension }, () => random.uniform() - 0.5);
}

/** The rows of a codebook as texts, sorted. */
function rows(book: Float32Array, dimension: number): string[] {
  return Array.from({ length: 256 }, (_, i) => book.subarray(i * dimension, (i + 1) * dimension).join()).sort();
}

/** Mean squared distance between centroids that share an upper half. */
function within(book: Float32Array, dimension: number): number {
  let sum = 0;
  let pairs = 0;
  for (let a = 0; a < 256; a++)
    for (let b = a + 1; b < 16 * (Math.floor(a / 16) + 1); b++, pairs++)
      for (let d = 0; d < dimension; d++) sum += (book[a * dimension + d]! - book[b * dimension + d]!) ** 2;
  return sum / pairs;
}

test.each([1, 2, 8])("the same centroids, those of an upper half near each other: d = %i", (dimension) => {
  const before = books(dimension);
  const after = orderByHalves(before, dimension);
  // Sixteen cells of even centroids: 1/256 of the spread on a line, 1/16 in a plane; of eight dimensions only four are cut in two.
  const most = { 1: 0.01, 2: 0.12, 8: 0.75 }[dimension]!;
  for (let m = 0; m < SUBSPACES; m++) {
    const [was, is] = [before, after].map((all) => all.subarray(m * 256 * dimension, (m + 1) * 256 * dimension));
    expect(rows(is!, dimension)).toEqual(rows(was!, dimension));
    expect(within(is!, dimension)).toBeLessThan(most * within(was!, dimension));
  }
});

test("centroids that are equal keep their order", () => {
  const equal = new Float32Array(256 * 3).fill(2);
  expect(orderByHalves(equal, 3)).toEqual(equal);
});
