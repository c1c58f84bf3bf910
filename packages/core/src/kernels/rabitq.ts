/** RaBitQ codes of 1 to 8 bits; see crates/kernels/src/rabitq for layout, formulas and papers. */
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import type { PqMetric } from "./pq.ts";
import { type Selection, type TopK, writeSelection } from "./top-k.ts";

/** Widths of the parts of a code by its bits, highest bits first. */
const widths: readonly (readonly number[])[] = [[], [1], [2], [2, 1], [4], [4, 1], [4, 2], [4, 2, 1], [4, 4]];

const partBytes = (dimension: number, width: number): number => 16 * Math.ceil((dimension * width) / 128);

/** Bytes of a code of D coordinates of `bits` bits, 1 to 8. */
export function rabitqRowBytes(dimension: number, bits: number): number {
  return widths[bits]!.reduce((sum, width) => sum + partBytes(dimension, width), 0);
}

/** The code of coordinate `j` in a row, 0 to 2^bits - 1. */
export function rabitqCode(row: Uint8Array, dimension: number, bits: number, j: number): number {
  let code = 0;
  let at = 0;
  for (const width of widths[bits]!) {
    const held = 128 / width;
    const byte = row[at + Math.floor(j / held) * 16 + (j % 16)]!;
    code = (code << width) | ((byte >> (width * Math.floor((j % held) / 16))) & ((1 << width) - 1));
    at += partBytes(dimension, width);
  }
  return code;
}

/** Bytes of a query: D up to a multiple of 128. */
export const rabitqQueryBytes = (dimension: number): number => 128 * Math.ceil(dimension / 128);

/**
 * Codes of vectors that are rotated, less their centroid.
 * @param x pointer to f32 [n, D] @param codes pointer to u8 [n, {@link rabitqRowBytes}] @param factors pointer to f32 [n, 2]
 * @throws OutOfRangeError for sizes out of range and values that are not finite
 */
export function rabitqEncode(
  instance: KernelInstance,
  { x, n, dimension, bits }: { x: number; n: number; dimension: number; bits: number },
  codes: number,
  factors: number,
): void {
  instance.check(instance.exports.rabitq_encode(x, n, dimension, bits, codes, factors));
}

export interface RabitqCodes extends Selection {
  /** Pointer to u8 [n, {@link rabitqRowBytes}]. */
  readonly codes: number;
  /** Pointer to f32 [n, 2]. */
  readonly factors: number;
  readonly n: number;
  /** D: 1 to 32768. */
  readonly dimension: number;
  /** 1 to 8. */
  readonly bits: number;
  readonly metric: PqMetric;
}

export interface RabitqQuery {
  /** Pointer to int8 [{@link rabitqQueryBytes}], 0 behind D. */
  readonly codes: number;
  /** A coordinate is `step` times its code. */
  readonly step: number;
  /** What is added to every score. */
  readonly base: number;
}

/**
 * A rotated query in 8 bits.
 * @param query pointer to f32 [D] @param centroid pointer to f32 [D], of the codes that will be scanned @param codes pointer to int8 [{@link rabitqQueryBytes}]
 * @throws OutOfRangeError for values that are not finite
 */
export function rabitqPrepare(
  instance: KernelInstance,
  query: number,
  centroid: number,
  dimension: number,
  metric: PqMetric,
  codes: number,
): RabitqQuery {
  const factors = instance.alloc(8);
  try {
    const { exports } = instance;
    instance.check(exports.rabitq_prepare(query, centroid, dimension, metric === "l2" ? 0 : 1, codes, factors));
    const [step = 0, base = 0] = instance.f32(factors, 2);
    return { codes, step, base };
  } finally {
    if (!instance.ended) instance.free(factors, 8);
  }
}

/** Takes the codes of the smallest scores into the heap of query `at` of `top`. @throws OutOfRangeError, ShapeError */
export function rabitqScan(
  instance: KernelInstance,
  { codes, factors, n, dimension, bits, metric, ...selection }: RabitqCodes,
  query: RabitqQuery,
  top: TopK,
  at = 0,
): void {
  const parameters = new Parameters(instance).i32(codes, n * rabitqRowBytes(dimension, bits), factors, 2 * n, n);
  writeSelection(parameters.i32(dimension, bits), n, selection).i32(metric === "l2" ? 0 : 1);
  parameters.i32(query.codes, rabitqQueryBytes(dimension)).f32(query.step, query.base);
  parameters.i32(1, top.keys + 8 * top.k * at, top.k).call(instance.exports.rabitq_scan_run);
}

/**
 * The error of an estimated inner product over |o| |q|, one standard deviation over random rotations, of `n` codes.
 * @throws OutOfRangeError
 */
export function rabitqErrors(
  instance: KernelInstance,
  { codes, factors, n, dimension, bits }: Pick<RabitqCodes, "codes" | "factors" | "n" | "dimension" | "bits">,
): Float32Array {
  const errors = instance.alloc(4 * n);
  try {
    instance.check(instance.exports.rabitq_errors(codes, n, dimension, bits, factors, errors));
    return instance.f32(errors, n).slice();
  } finally {
    if (!instance.ended) instance.free(errors, 4 * n);
  }
}
