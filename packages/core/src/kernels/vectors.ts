/** What is done to vectors before they are scanned; see crates/kernels/src/vectors. All pointers are to rows of f32 unless said. */
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";

/** Rows in WASM memory. */
export interface VectorRows {
  /** Pointer to f32 [n, D]. */
  readonly x: number;
  readonly n: number;
  readonly dimension: number;
}

/** The first row with NaN, infinity or |x|² above 1e36; n where there is none. */
export function firstUnusableVector(instance: KernelInstance, { x, n, dimension }: VectorRows): number {
  return instance.check(instance.exports.vectors_first_unusable(x, n, dimension));
}

/** Divides each row by its length, in place; rows of zeros stay. */
export function normalizeVectors(instance: KernelInstance, { x, n, dimension }: VectorRows): void {
  instance.check(instance.exports.vectors_normalize(x, n, dimension));
}

/** R x for each row x. @param transposed pointer to Rᵀ, f32 [D, D] @param y pointer to f32 [n, D] */
export function rotateVectors(
  instance: KernelInstance,
  { x, n, dimension }: VectorRows,
  transposed: number,
  y: number,
): void {
  instance.check(instance.exports.vectors_rotate(x, n, dimension, transposed, y));
}

/** Bytes: row ≈ scale * code. @param codes pointer to int8 [n, D] @param scales pointer to f32 [n] */
export function vectorsToBytes(
  instance: KernelInstance,
  { x, n, dimension }: VectorRows,
  codes: number,
  scales: number,
): void {
  instance.check(instance.exports.vectors_to_bytes(x, n, dimension, codes, scales));
}

/** Codebooks of product quantization in WASM memory. */
export interface PqCodebooks {
  /** Pointer to f32 [M, K, d], `entries` floats. */
  readonly codebooks: number;
  readonly entries: number;
  /** M */
  readonly subspaces: number;
  /** d */
  readonly dimension: number;
  /** Codes of four bits, two to a byte; else a byte each. */
  readonly four: boolean;
}

/** Bytes of the code of a vector. */
export const pqCodeBytes = ({ subspaces, four }: Pick<PqCodebooks, "subspaces" | "four">): number =>
  four ? Math.ceil(subspaces / 2) : subspaces;

/** The nearest centroid of every part of every row. @param codes pointer to u8 [n, {@link pqCodeBytes}] */
export function pqEncode(instance: KernelInstance, rows: VectorRows, books: PqCodebooks, codes: number): void {
  new Parameters(instance)
    .i32(rows.x, rows.n * rows.dimension, books.codebooks, books.entries, books.subspaces, books.dimension)
    .i32(books.four ? 1 : 0, codes, rows.n * pqCodeBytes(books))
    .call(instance.exports.vectors_pq_encode);
}

/** The index of the nearest of `count` centroids for each row, the lowest of equal ones. @param centroids pointer to f32 [count, D] @param assigned pointer to u32 [n] */
export function assignVectors(
  instance: KernelInstance,
  { x, n, dimension }: VectorRows,
  centroids: number,
  count: number,
  assigned: number,
): void {
  new Parameters(instance)
    .i32(x, n * dimension, centroids, count * dimension, dimension, assigned)
    .call(instance.exports.nearest_assign);
}

/** The means of the rows of each centroid, in place; one without rows stays. Returns how many rows each has. */
export function vectorMeans(
  instance: KernelInstance,
  { x, n, dimension }: VectorRows,
  assigned: number,
  centroids: number,
  count: number,
): Uint32Array {
  const counts = instance.alloc(4 * count);
  try {
    new Parameters(instance)
      .i32(x, n * dimension, dimension, assigned, n, centroids, counts, count)
      .call(instance.exports.vectors_means);
    return instance.u32(counts, count).slice();
  } finally {
    if (!instance.ended) instance.free(counts, 4 * count);
  }
}

/** Subtracts from each row the centroid that it is assigned to, in place. */
export function subtractCentroids(
  instance: KernelInstance,
  { x, n, dimension }: VectorRows,
  assigned: number,
  centroids: number,
  count: number,
): void {
  new Parameters(instance)
    .i32(x, n, dimension, assigned, n, centroids, count * dimension)
    .call(instance.exports.vectors_subtract);
}
