/** The nearest of many centroids; see crates/kernels/src/nearest. */
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";

/**
 * For each vector of `x` [rows, dimension] the index of the centroid of `centroids` [count, dimension] with the least squared distance in f32: the lowest of equal
 * ones, 0 where no distance is below infinity. 1 to 2^24 centroids.
 * @throws OutOfRangeError where a size is 0 or too large; ShapeError where a length is no multiple of `dimension`
 */
export function nearestCentroids(
  instance: KernelInstance,
  x: Float32Array,
  centroids: Float32Array,
  dimension: number,
): Uint32Array {
  const rows = Math.floor(x.length / Math.max(1, dimension));
  const pointer = instance.alloc(4 * rows);
  try {
    new Parameters(instance).array(x).array(centroids).i32(dimension, pointer).call(instance.exports.nearest_assign);
    return instance.u32(pointer, rows).slice();
  } finally {
    // After a trap the memory is gone with its instance.
    if (!instance.ended) instance.free(pointer, 4 * rows);
  }
}
