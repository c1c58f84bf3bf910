/** Codes of vectors as sums of entries of whole-vector codebooks; see crates/kernels/src/quantize/sums.rs. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";
import type { VectorRows } from "./vectors.ts";

export interface SumEncoderOptions {
  /** Codebooks, M: 1 to 64. */
  readonly count: number;
  /** Entries of each. */
  readonly entries: 16 | 256;
  /** D */
  readonly dimension: number;
  /** [M, K, D], finite. */
  readonly codebooks: Float32Array;
  /** Sums that the search keeps on its way: 1 to 32. */
  readonly beam: number;
  /** Times through the codebooks in which each code of a whole sum may become another: 0 (residual codes) to 64. */
  readonly sweeps: number;
}

/** How norms are stored: a byte b stands for least + b * step. */
export interface NormScale {
  readonly least: number;
  readonly step: number;
}

/** Remembers the products of entries that it met, at most 2 M² K² bytes, or twice that with sweeps, until it is disposed. */
export class SumEncoder extends KernelObject {
  readonly #count: number;
  readonly #entries: 16 | 256;

  /** @throws OutOfRangeError for sizes out of range or a value that is not finite; ShapeError for another length; OutOfMemoryError */
  constructor(instance: KernelInstance, { count, entries, dimension, codebooks, beam, sweeps }: SumEncoderOptions) {
    const parameters = new Parameters(instance).i32(count, entries, dimension).array(codebooks).i32(beam, sweeps);
    super(instance, parameters.call(instance.exports.sums_new));
    this.#count = count;
    this.#entries = entries;
  }

  /** @param codes pointer to u8 [n, M] */
  encode({ x, n, dimension }: VectorRows, codes: number): void {
    this.instance.check(this.instance.exports.sums_encode(this.handle, x, n * dimension, codes, n * this.#count));
  }

  /**
   * |start + what codes stand for|².
   * @param codes pointer to u8 [n, M] @param start vectors that are added, of none, one or n @param norms pointer to f32 [n]
   */
  norms(codes: number, n: number, start: { readonly pointer: number; readonly floats: number }, norms: number): void {
    const { sums_norms } = this.instance.exports;
    this.instance.check(sums_norms(this.handle, codes, n * this.#count, start.pointer, start.floats, norms, n));
  }

  /** Codes of a stored vector: of 8 or 4 bits, those of a norm with them. */
  static width({ count, entries }: Pick<SumEncoderOptions, "count" | "entries">, normed: boolean): number {
    return count + (normed ? (entries === 256 ? 1 : 2) : 0);
  }

  /**
   * Codes as scans read them, u8 [n, width] or, of 16 entries, two to a byte.
   * @param codes pointer to u8 [n, M] @param norms pointer to f32 [n]; absent: none are stored @param rows pointer to what is written
   */
  store(codes: number, n: number, norms: number | undefined, { least, step }: NormScale, rows: number): void {
    const width = SumEncoder.width({ count: this.#count, entries: this.#entries }, norms !== undefined);
    const row = this.#entries === 256 ? width : Math.ceil(width / 2);
    new Parameters(this.instance)
      .i32(this.handle, codes, n * this.#count, norms ?? 0, norms === undefined ? 0 : n)
      .f32(least, step)
      .i32(rows, n * row)
      .call(this.instance.exports.sums_store);
  }
}
