import { Tensor } from "lowbit";
import { describe, expect, it } from "vitest";
import { classesOf, shareEqual } from "./classes.ts";

describe("classesOf", () => {
  it("takes the largest, the lowest of equals, and never a NaN", () => {
    const nan = Number.NaN;
    const scores = Float32Array.of(1, 3, 3, nan, 1, 2, 2, nan, 1, nan, nan, nan, -3, -2, -1);
    expect([...classesOf(new Tensor("f32", [5, 3], scores), 5, 5)]).toEqual([1, 2, 0, 0, 2]);
  });
  it("leaves out the rows that only fill up a batch", () =>
    expect([...classesOf(new Tensor("int64", [2, 2], BigInt64Array.of(1n, 2n, 5n, 4n)), 2, 1)]).toEqual([1]));
  it("refuses an output that has no row per sample", () =>
    expect(() => classesOf(new Tensor("f32", [5]), 2, 2)).toThrow("one row of scores for each of 2 samples"));
});

it("shareEqual counts equal entries", () => expect(shareEqual([1, 2, 3, 4], [1, 2, 0, 4])).toBe(0.75));
