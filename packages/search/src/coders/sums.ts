/**
 * Residual codes (RQ; Chen, Guan, Wang 2010) and additive ones (LSQ; Babenko, Lempitsky 2014; Martinez et al. 2016): a vector is about the sum of one entry from each of M codebooks of whole vectors. Its inner product
 * with a query is a sum of M entries of the query's tables; for squared distances,
 *
 *   |q - y|² = |q|² + |y|² - 2 <q, y>,
 *
 * the norm |y|² of what codes stand for is stored in a byte, which is one more table of 8 bits, or two of 4 (Faiss' Nqint8 and Nrq2x4). In an inverted file the vector less its list's centroid is what
 * is coded, and the norm that of both together: tables are then the same for all lists but for a number.
 */
import { type NormScale, PqTables, SumEncoder, type VectorRows } from "lowbit/kernels";
import { type CodeList, type Coder, type CoderSetting, copyRows, type Query, type Run, type Scanner } from "./coder.ts";
import { dot, TableCodes } from "./table-codes.ts";

/** What the search for a vector's codes keeps, and how often it goes over them: five sums, as Faiss has it for residual codes. */
export const effortOf = (kind: "rq" | "lsq") => (kind === "rq" ? { beam: 5, sweeps: 0 } : { beam: 8, sweeps: 4 });

export interface SumSetting extends CoderSetting {
  readonly kind: "rq" | "lsq";
  /** Codebooks, M. */
  readonly books: number;
  readonly bits: 4 | 8;
  readonly residual: boolean;
  /** f32 [M, 2^bits, D] */
  readonly codebooks: Float32Array;
  /** For squared distances. */
  readonly norms: NormScale | undefined;
}

export class SumCoder implements Coder {
  readonly residual: boolean;
  readonly counts = false;
  readonly blocks: Coder["blocks"];
  readonly #setting: SumSetting;
  readonly #codes: TableCodes;
  readonly #tables: PqTables;
  #encoder: SumEncoder | undefined;

  constructor(setting: SumSetting) {
    const { instance, books, bits, dimension, codebooks, norms } = setting;
    this.#setting = setting;
    this.residual = setting.residual;
    const entries = bits === 8 ? 256 : 16;
    this.#codes = new TableCodes(instance, SumEncoder.width({ count: books, entries }, norms !== undefined), bits);
    this.blocks = this.#codes.blocks;
    this.#tables = new PqTables(instance, { subspaces: books, centroids: entries, dimension, codebooks });
  }

  append(list: CodeList, rows: VectorRows, centroid: Query | undefined): void {
    const { instance, kind, books, dimension, codebooks, norms } = this.#setting;
    const { entries } = this.#codes;
    this.#encoder ??= new SumEncoder(instance, { count: books, entries, dimension, codebooks, ...effortOf(kind) });
    const encoder = this.#encoder;
    const { n } = rows;
    const [codes, lengths] = [instance.alloc(n * books), norms && instance.alloc(4 * n)];
    try {
      encoder.encode(rows, codes);
      const start = centroid ? { pointer: centroid.pointer, floats: dimension } : { pointer: 0, floats: 0 };
      if (lengths !== undefined) encoder.norms(codes, n, start, lengths);
      this.#codes.append(list, n, (to) => encoder.store(codes, n, lengths, norms ?? { least: 0, step: 1 }, to));
    } finally {
      if (!instance.ended) {
        instance.free(codes, n * books);
        if (lengths !== undefined) instance.free(lengths, 4 * n);
      }
    }
  }

  /** The products that encoding remembers may be more than a small index. */
  settle(): void {
    this.#encoder?.dispose();
    this.#encoder = undefined;
  }

  copy(to: CodeList, from: CodeList, runs: readonly Run[]): void {
    if (this.#setting.bits === 8) copyRows(this, to, from, runs);
    else this.#codes.copyBlocks(to, from, runs);
  }

  scanner({ pointer, count, values }: Query): Scanner {
    const { instance, dimension: d, books, norms, metric } = this.#setting;
    const { width, entries } = this.#codes;
    const bytes = 4 * count * width * entries;
    const tables = instance.alloc(bytes);
    const table = (query: number, m: number): Float32Array =>
      instance.f32(tables + 4 * entries * (width * query + m), entries);
    // Each codebook meets the whole query, for a distance twice.
    const repeated = instance.alloc(4 * books * d);
    try {
      for (let i = 0; i < count; i++) {
        const query = instance.f32(pointer + 4 * d * i, d).slice();
        const asked = metric === "l2" ? query.map((x) => 2 * x) : query;
        for (let m = 0; m < books; m++) instance.f32(repeated + 4 * d * m, d).set(asked);
        this.#tables.run("ip", repeated, 1, tables + 4 * entries * width * i);
        if (norms) {
          const own = dot(query, query);
          this.#writeNorms((m) => table(i, books + m), norms, own);
        }
      }
    } finally {
      if (!instance.ended) instance.free(repeated, 4 * books * d);
    }
    // The centroid's part of the inner product goes to a table, as often as a distance has it.
    const shifted = norms ? books : 0;
    const first = this.residual ? table(0, shifted).slice() : undefined;
    return {
      scan: (list, selection, top, centroid) => {
        if (first && centroid) {
          const base = dot(values, centroid.values) * (norms ? 2 : 1);
          table(0, shifted).set(first.map((entry) => entry - base));
        }
        this.#codes.scan(list, selection, tables, top);
      },
      [Symbol.dispose]: () => {
        if (!instance.ended) instance.free(tables, bytes);
      },
    };
  }

  /** Of 4 bits the upper half of the byte has a table, then the lower. */
  #writeNorms(table: (m: number) => Float32Array, { least, step }: NormScale, more: number): void {
    if (this.#codes.entries === 256)
      table(0).set(Float32Array.from({ length: 256 }, (_, b) => least + more + b * step));
    else {
      table(0).set(Float32Array.from({ length: 16 }, (_, b) => least + more + 16 * b * step));
      table(1).set(Float32Array.from({ length: 16 }, (_, b) => b * step));
    }
  }

  decode(list: CodeList, position: number): Float32Array {
    const { books, codebooks, dimension } = this.#setting;
    const y = new Float32Array(dimension);
    for (let m = 0; m < books; m++) {
      const at = (m * this.#codes.entries + this.#codes.at(list, position, m)) * dimension;
      for (let j = 0; j < dimension; j++) y[j]! += codebooks[at + j]!;
    }
    return y;
  }

  [Symbol.dispose](): void {
    this.settle();
    this.#tables.dispose();
  }
}
