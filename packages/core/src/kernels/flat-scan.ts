/** Vectors that are stored as they are, all or chosen ones; see crates/kernels/src/flat_scan. */
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import type { PqMetric } from "./pq.ts";
import { type Selection, type TopK, writeKeys, writeSelection } from "./top-k.ts";

export interface FlatRows extends Selection {
  /** Pointer to f32 [n, D], or to int8 [n, D] where there are `scales`. */
  readonly rows: number;
  /** Pointer to f32 [n]: row i is its scale times its bytes. */
  readonly scales?: number | undefined;
  readonly n: number;
  /** D: 1 to 65536. */
  readonly dimension: number;
  readonly metric: PqMetric;
}

function writeRows(
  instance: KernelInstance,
  { rows, scales, n, dimension, metric, ...selection }: FlatRows,
): Parameters {
  const bytes = scales !== undefined;
  const parameters = new Parameters(instance).i32(bytes ? 1 : 0, rows, n * dimension, scales ?? 0, bytes ? n : 0);
  return writeSelection(parameters.i32(n, dimension), n, selection).i32(metric === "l2" ? 0 : 1);
}

/**
 * Takes the rows of the smallest scores into `top`.
 * @param queries pointer to f32 [queries of top, D]
 * @throws OutOfRangeError (a query that is not finite: `got` is its position), ShapeError
 */
export function flatScan(instance: KernelInstance, rows: FlatRows, queries: number, top: TopK): void {
  const parameters = writeRows(instance, rows).i32(queries, top.queries * rows.dimension);
  writeKeys(parameters, top).call(instance.exports.flat_scan_run);
}

/**
 * The same for one query among the rows at `positions`; 2^32 - 1 stands for no row.
 * @throws OutOfRangeError for a position that there is not, and as {@link flatScan}
 */
export function flatRescore(
  instance: KernelInstance,
  rows: FlatRows,
  query: number,
  positions: Uint32Array,
  top: TopK,
): void {
  const parameters = writeRows(instance, rows).i32(query, rows.dimension).array(positions);
  writeKeys(parameters, top).call(instance.exports.flat_scan_rescore);
}
