/** Centroids of an inverted file: k-means of whole vectors by Lloyd's passes. */
import { OutOfRangeError } from "lowbit";
import { assignVectors, type KernelInstance, type VectorRows, vectorMeans } from "lowbit/kernels";

const PASSES = 12;

/**
 * Starts from vectors spread evenly over the sample; a centroid that loses all its vectors takes the place of one of the largest cluster, moved a little. At most 12 passes, as
 * an inverted file wants lists, not the best centroids.
 * @returns f32 [count, D]
 */
export function trainCentroids(instance: KernelInstance, rows: VectorRows, count: number): Float32Array {
  const { x, n, dimension } = rows;
  if (n < count) throw new OutOfRangeError("Index.build", "lists", `at most ${n}, the vectors to learn from`, count);
  const bytes = 4 * count * dimension;
  const [pointer, assigned] = [instance.alloc(bytes), instance.alloc(4 * n)];
  try {
    for (let c = 0; c < count; c++) {
      const from = x + 4 * dimension * Math.floor(((c + 0.5) * n) / count);
      instance.u8(pointer + 4 * dimension * c, 4 * dimension).set(instance.u8(from, 4 * dimension));
    }
    for (let pass = 0; pass < PASSES; pass++) {
      assignVectors(instance, rows, pointer, count, assigned);
      const counts = vectorMeans(instance, rows, assigned, pointer, count);
      refill(instance.f32(pointer, count * dimension), counts, dimension);
    }
    return instance.f32(pointer, count * dimension).slice();
  } finally {
    if (!instance.ended) {
      instance.free(pointer, bytes);
      instance.free(assigned, 4 * n);
    }
  }
}

/** Splits the largest clusters for those without vectors. */
function refill(centroids: Float32Array, counts: Uint32Array, dimension: number): void {
  for (let empty = 0; empty < counts.length; empty++) {
    if (counts[empty] !== 0) continue;
    let largest = 0;
    for (let c = 1; c < counts.length; c++) if (counts[c]! > counts[largest]!) largest = c;
    const from = centroids.subarray(largest * dimension, (largest + 1) * dimension);
    const to = centroids.subarray(empty * dimension, (empty + 1) * dimension);
    for (let j = 0; j < dimension; j++) {
      const nudge = j % 2 === 0 ? 1 / 1024 : -1 / 1024;
      to[j] = from[j]! * (1 + nudge);
      from[j]! *= 1 - nudge;
    }
    counts[empty] = counts[largest]! >>> 1;
    counts[largest]! -= counts[empty]!;
  }
}
