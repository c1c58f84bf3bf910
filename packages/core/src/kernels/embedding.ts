/** Rows of tables by number, positions, and means of rows; see crates/kernels/src/embedding. */
import type { AffineCodes } from "./affine-gemm.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

export type EmbeddingTableOptions =
  /** [rows, columns] row-major. */
  | { readonly rows: number; readonly columns: number; readonly values: Float32Array }
  /** Row v is fround((code - zeroPoint) * scale); n are the rows, k the columns. */
  | (AffineCodes & {
      /** [rows, groups], or [1, groups] for all rows. */
      readonly scale: Float32Array;
      /** Columns that share a scale. */
      readonly groupSize: number;
    });

/** A table [rows, columns] in the bits that it was given; rows are decoded when they are asked for. */
export class EmbeddingTable extends KernelObject {
  constructor(instance: KernelInstance, table: EmbeddingTableOptions) {
    const parameters = new Parameters(instance);
    if ("values" in table) parameters.i32(table.rows, table.columns, 0).array(table.values);
    else {
      const { n, k, bits, codes, zeroPoint, scale, groupSize } = table;
      const zeroPoints = typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint;
      parameters.i32(n, k, bits).array(codes).array(zeroPoints).array(scale).i32(groupSize);
    }
    super(instance, parameters.call(instance.exports.embedding_new));
  }

  /**
   * @param ids int32 or int64 [count]; below 0 they count from the end
   * @param y f32 [count, columns]
   * @throws OutOfRangeError with the first id that is not in the table
   */
  run(ids: number, dtype: "int32" | "int64", count: number, y: number): void {
    this.instance.check(this.instance.exports.embedding_run(this.handle, ids, dtype === "int64" ? 1 : 0, count, y));
  }
}

/** Sizes of a sequence of rows. */
export type SequenceSizes = readonly [batch: number, positions: number, columns: number];

/** y[b, s, c] = x[b, s, c] + table[s + offset, c]; y may be x, `limit` is the rows of the table. */
export function addPositions(
  instance: KernelInstance,
  x: number,
  [batch, positions, columns]: SequenceSizes,
  table: number,
  limit: number,
  offset: number,
  y: number,
): void {
  instance.check(instance.exports.embedding_add_positions(x, y, batch, positions, columns, table, limit, offset));
}

/** y[b, c] = mean of x[b, s, c] over the positions whose `keep` [batch, positions] is not 0; zeros where there is none. */
export function maskedMean(
  instance: KernelInstance,
  x: number,
  keep: number,
  dtype: "int32" | "int64",
  [batch, positions, columns]: SequenceSizes,
  y: number,
): void {
  const kind = dtype === "int32" ? 1 : 2;
  instance.check(instance.exports.embedding_masked_mean(x, keep, kind, batch, positions, columns, y));
}
