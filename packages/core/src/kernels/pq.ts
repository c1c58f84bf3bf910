/** Product quantization for search: distance tables and scans; see crates/kernels/src/pq_tables, pq_scan and pq_fast_scan. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";
import { type Selection, type TopK, writeFilter, writeKeys, writeSelection } from "./top-k.ts";

/** `l2`: squared Euclidean distance; `ip`: *negated* inner product, so that the smallest is the best. */
export type PqMetric = "l2" | "ip";

export interface PqTablesOptions {
  /** Parts of a vector, M: 1 to 1024. */
  readonly subspaces: number;
  /** Centroids of a part, K. */
  readonly centroids: 16 | 256;
  /** Coordinates of a part, d. */
  readonly dimension: number;
  /** [M, K, d], finite. */
  readonly codebooks: Float32Array;
}

/** Distances between the parts of queries and the centroids of their codebooks. */
export class PqTables extends KernelObject {
  /** Bytes of the tables of one query. */
  readonly tableBytes: number;

  /** @throws OutOfRangeError for sizes out of range or a value that is not finite; ShapeError for another length */
  constructor(instance: KernelInstance, { subspaces, centroids, dimension, codebooks }: PqTablesOptions) {
    const parameters = new Parameters(instance).i32(subspaces, centroids, dimension).array(codebooks);
    super(instance, parameters.call(instance.exports.pq_tables_new));
    this.tableBytes = 4 * subspaces * centroids;
  }

  /**
   * @param queries f32 [count, M * d] @param tables f32 [count, M, K]
   * @throws OutOfRangeError for a query with NaN or infinity (`got` is its position)
   */
  run(metric: PqMetric, queries: number, count: number, tables: number): void {
    const { exports } = this.instance;
    this.instance.check(exports.pq_tables_run(this.handle, metric === "l2" ? 0 : 1, queries, count, tables));
  }
}

export interface PqScanOptions extends Selection {
  /** Pointer to u8 [n, M]. */
  readonly codes: number;
  readonly n: number;
  /** M: 1 to 1024; 8, 16, 32, 48, 64 and 96 are faster. */
  readonly subspaces: number;
  /** Pointer to f32 [queries of top, M, 256]. */
  readonly tables: number;
  readonly top: TopK;
}

/**
 * Takes the 8-bit codes of the smallest scores into `top`.
 * @throws OutOfRangeError, ShapeError; tables must be finite, and so must the sum of their largest magnitudes
 */
export function pqScan(instance: KernelInstance, { codes, n, subspaces, tables, top, ...selection }: PqScanOptions) {
  const parameters = new Parameters(instance).i32(codes, n * subspaces, n, subspaces);
  parameters.i32(tables, top.queries * subspaces * 256);
  writeSelection(writeKeys(parameters, top), n, selection).call(instance.exports.pq_scan_run);
}

export interface PqList {
  /** Pointer to u8 [n, M]. */
  readonly codes: number;
  /** Pointer to u32 [n]. */
  readonly ids: number;
  /** Pointer to f32 [n], finite: what is added to the sums of codes. */
  readonly offsets: number;
  readonly n: number;
  /** What is added to all of them. */
  readonly base: number;
}

export interface PqListsOptions {
  readonly lists: readonly PqList[];
  readonly subspaces: number;
  /** Pointer to f32 [M, 256]. */
  readonly tables: number;
  readonly filter?: Selection["filter"];
  /** Of one query. */
  readonly top: TopK;
}

/**
 * {@link pqScan} of several lists by the tables of one query: a score is a sum of entries, to which `offset + base` is added.
 * @throws OutOfRangeError, ShapeError; tables, offsets and bases must be finite, and so must the sum of their largest magnitudes
 */
export function pqScanLists(instance: KernelInstance, { lists, subspaces, tables, filter, top }: PqListsOptions): void {
  const parameters = new Parameters(instance).i32(subspaces, tables, subspaces * 256);
  writeFilter(writeKeys(parameters, top), filter).i32(lists.length);
  for (const { codes, ids, offsets, n, base } of lists)
    parameters.i32(codes, n * subspaces, ids, n, offsets, n).f32(base);
  parameters.call(instance.exports.pq_scan_lists_run);
}

/** Vectors of a block of {@link pqFastScan}. */
const blockVectors = 32;

/** Bytes of the blocks of `n` vectors: 16 M for every 32 that are started. */
export function pqBlockBytes(n: number, subspaces: number): number {
  return Math.ceil(n / blockVectors) * subspaces * 16;
}

/**
 * Packs 4-bit codes of vectors first .. first + n into blocks, and leaves the others as they are.
 * @param codes u8 [n, ceil(M / 2)], code m in the low (m even) or high half of byte m / 2
 * @param blocks u8, {@link pqBlockBytes} of first + n
 */
export function packPqBlocks(
  instance: KernelInstance,
  codes: number,
  n: number,
  subspaces: number,
  blocks: number,
  first = 0,
): void {
  instance.check(instance.exports.pq_fast_scan_pack(codes, n, subspaces, first, blocks));
}

/** The codes of vectors first .. first + n, as {@link packPqBlocks} takes them. @param codes pointer to u8 [n, ceil(M / 2)] */
export function unpackPqBlocks(
  instance: KernelInstance,
  blocks: number,
  first: number,
  n: number,
  subspaces: number,
  codes: number,
): void {
  instance.check(instance.exports.pq_fast_scan_unpack(blocks, first, n, subspaces, codes));
}

export interface PqFastScanOptions extends Selection {
  /** Pointer to what {@link packPqBlocks} wrote. */
  readonly blocks: number;
  readonly n: number;
  /** M: 1 to 1024. */
  readonly subspaces: number;
  /** Pointer to f32 [queries of top, M, 16]. */
  readonly tables: number;
  readonly top: TopK;
}

/**
 * Takes the 4-bit codes of the smallest scores into `top`: exactly those that an exhaustive scan in f32 finds. Queries share the reading of the codes four at a time.
 * @throws OutOfRangeError, ShapeError, OutOfMemoryError; tables as in {@link pqScan}
 */
export function pqFastScan(
  instance: KernelInstance,
  { blocks, n, subspaces, tables, top, ...selection }: PqFastScanOptions,
): void {
  const parameters = new Parameters(instance).i32(blocks, pqBlockBytes(n, subspaces), n, subspaces);
  parameters.i32(tables, top.queries * subspaces * 16);
  writeSelection(writeKeys(parameters, top), n, selection).call(instance.exports.pq_fast_scan_run);
}
