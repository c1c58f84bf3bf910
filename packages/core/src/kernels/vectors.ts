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

/** Score-aware codes; see crates/kernels/src/vectors/anisotropic.rs. */
export interface AnisotropicSetting {
  readonly books: PqCodebooks;
  /** Pointer to f32 [n, M d]: the vectors whose directions count, `x` itself or `x` with a centroid. */
  readonly whole: number;
  /** Weight of what is lost along a vector, 1 or more. */
  readonly eta: number;
}

/** Times over the sub-spaces, in which a few codes change. */
const SWEEPS = 16;

/** The codes of least score-aware loss, each as the others stand. @param codes pointer to u8 [n, M], a byte each */
export function anisotropicEncode(
  instance: KernelInstance,
  rows: VectorRows,
  setting: AnisotropicSetting,
  codes: number,
) {
  anisotropic(instance, rows, setting, codes, SWEEPS);
}

/** Moves codebooks, in place, to the least score-aware loss for these codes. Parts have at most 512 coordinates. */
export function anisotropicFit(instance: KernelInstance, rows: VectorRows, setting: AnisotropicSetting, codes: number) {
  anisotropic(instance, rows, setting, codes, 0);
}

function anisotropic(
  instance: KernelInstance,
  { x, n, dimension: whole }: VectorRows,
  { books, whole: directions, eta }: AnisotropicSetting,
  codes: number,
  sweeps: number,
): void {
  const { codebooks, entries, subspaces, dimension, four } = books;
  new Parameters(instance)
    .i32(x, n * whole, directions, n * whole, subspaces, four ? 16 : 256, dimension)
    .f32(eta)
    .i32(codes, n * subspaces, codebooks, entries, sweeps)
    .call(instance.exports.vectors_anisotropic);
}

/** Codes of 4 bits, a byte each, two to a byte. @param codes pointer to u8 [n, M] @param rows pointer to u8 [n, ceil(M / 2)] */
export function packHalves(instance: KernelInstance, codes: number, n: number, subspaces: number, rows: number): void {
  instance.check(instance.exports.vectors_pack_halves(codes, n, subspaces, rows));
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
