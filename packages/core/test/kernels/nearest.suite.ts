import { expect, it } from "vitest";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { nearestCentroids } from "../../src/kernels/nearest.ts";
import { naiveNearest } from "../quantize/naive-loops.ts";
import { integers } from "./random.ts";

export function nearest(kernels: () => KernelInstance): void {
  it("indices equal the plain loops, ties to the lowest, of few and of many centroids", () => {
    const next = integers(4);
    for (const dimension of [1, 2, 3, 8, 17])
      for (const count of [1, 2, 5, 16, 255, 700]) {
        for (const unit of [1 / 8, 1 / 7001]) {
          const floats = (length: number) => Float32Array.from({ length }, () => next(-40, 40) * unit);
          const centroids = floats(count * dimension);
          const x = floats(37 * dimension);
          x.set([Number.NaN, Number.POSITIVE_INFINITY, 1e30, -1e30].slice(0, dimension));
          const got = nearestCentroids(kernels(), x, centroids, dimension);
          expect([...got], `${count} of ${dimension}`).toEqual(naiveNearest(x, centroids, dimension));
        }
      }
  });

  it("refuses by name what has no answer", () => {
    const assign = (x: number, centroids: number, dimension: number) => () =>
      nearestCentroids(kernels(), new Float32Array(x), new Float32Array(centroids), dimension);
    expect(assign(4, 0, 2)).toThrow(/nearest: codebook/);
    expect(assign(4, 3, 2)).toThrow(/nearest: codebook.*, expected 0, got 1/);
    expect(assign(3, 4, 2)).toThrow(/nearest: length in elements/);
    expect(assign(4, 4, 0)).toThrow(/nearest: codebook/);
  });
}
