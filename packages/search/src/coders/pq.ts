/**
 * Product quantization (Jégou, Douze, Schmid 2011): a vector is cut into M parts, each of which is the nearest of 256 (or 16) centroids of its own codebook. A score is a
 * sum of M entries of the query's distance tables. In an inverted file the vector less its list's centroid is what is coded.
 *
 * Of a residual r of a list with centroid c, |q - c - r|² = |q - r|² + (|c|² + 2 <c, r>) - 2 <q, c>: for 8 bits one set of tables serves all lists of a query, and a number is kept for each code.
 */
import {
  anisotropicEncode,
  type HnswCodes,
  type PqCodebooks,
  PqTables,
  packHalves,
  pqEncode,
  type Selection,
  type TopK,
  type VectorRows,
} from "lowbit/kernels";
import { etaOf } from "../anisotropic.ts";
import {
  type CodeList,
  type Coder,
  type CoderSetting,
  copyRows,
  type ListQuery,
  type Query,
  type Run,
  type Scanner,
} from "./coder.ts";
import { subtractRows } from "./rabitq.ts";
import { dot, TableCodes } from "./table-codes.ts";

export interface PqSetting extends CoderSetting {
  readonly subspaces: number;
  readonly bits: 4 | 8;
  readonly residual: boolean;
  /** T of the score-aware loss, where codes are chosen by it. */
  readonly threshold?: number;
  /** f32 [M, 2^bits, D / M] */
  readonly codebooks: Float32Array;
}

export class PqCoder implements Coder {
  readonly residual: boolean;
  readonly counts = false;
  readonly derives: boolean;
  readonly blocks: Coder["blocks"];
  readonly #setting: PqSetting;
  readonly #codes: TableCodes;
  readonly #books: PqCodebooks;
  readonly #tables: PqTables;

  constructor(setting: PqSetting) {
    const { instance, dimension, subspaces, bits, codebooks } = setting;
    this.#setting = setting;
    this.residual = setting.residual;
    this.derives = setting.residual && setting.metric === "l2" && bits === 8;
    this.#codes = new TableCodes(instance, subspaces, bits);
    this.blocks = this.#codes.blocks;
    const part = dimension / subspaces;
    this.#tables = new PqTables(instance, { subspaces, centroids: this.#codes.entries, dimension: part, codebooks });
    this.#books = {
      codebooks: instance.upload(codebooks),
      entries: codebooks.length,
      subspaces,
      dimension: part,
      four: bits === 4,
    };
  }

  append(list: CodeList, rows: VectorRows, centroid: Query | undefined): void {
    const { instance, threshold } = this.#setting;
    this.#codes.append(list, rows.n, (to) =>
      threshold === undefined
        ? pqEncode(instance, rows, this.#books, to)
        : this.#scoreAware(rows, centroid, etaOf(threshold, rows.dimension), to),
    );
  }

  #scoreAware(rows: VectorRows, centroid: Query | undefined, eta: number, to: number): void {
    const { instance, subspaces, bits } = this.#setting;
    const { x, n, dimension } = rows;
    const bytes = 4 * n * dimension;
    const whole = centroid ? instance.alloc(bytes) : x;
    const codes = bits === 8 ? to : instance.alloc(n * subspaces);
    try {
      if (centroid) {
        instance.u8(whole, bytes).set(instance.u8(x, bytes));
        const negative = centroid.values.map((c) => -c);
        subtractRows(instance, { x: whole, n, dimension }, new Uint32Array(n), negative);
      }
      anisotropicEncode(instance, rows, { books: this.#books, whole, eta }, codes);
      if (codes !== to) packHalves(instance, codes, n, subspaces, to);
    } finally {
      if (!instance.ended) {
        if (centroid) instance.free(whole, bytes);
        if (codes !== to) instance.free(codes, n * subspaces);
      }
    }
  }

  copy(to: CodeList, from: CodeList, runs: readonly Run[]): void {
    if (this.#setting.bits === 8) copyRows(this, to, from, runs);
    else this.#codes.copyBlocks(to, from, runs);
  }

  scanner(query: Query): Scanner {
    const { instance, metric, dimension } = this.#setting;
    const tableBytes = query.count * this.#tables.tableBytes;
    const tables = instance.alloc(tableBytes);
    // Of a residual the inner product with its list's centroid is left over: it goes to the entries of the first part.
    const shifting = this.residual && metric === "ip";
    if (!this.residual || shifting || this.derives) this.#tables.run(metric, query.pointer, query.count, tables);
    const width = this.#codes.entries;
    const first = shifting ? instance.f32(tables, width).slice() : undefined;
    const shifted = instance.alloc(4 * dimension);
    const prepare = ({ values: centroid }: Query): void => {
      if (first) {
        const base = dot(query.values, centroid);
        instance.f32(tables, width).set(first.map((entry) => entry - base));
      } else {
        instance.f32(shifted, dimension).set(query.values.map((x, j) => x - centroid[j]!));
        this.#tables.run(metric, shifted, 1, tables);
      }
    };
    return {
      scan: (list, selection, top, centroid) => {
        if (centroid && this.residual) prepare(centroid);
        this.#codes.scan(list, selection, tables, top);
      },
      ...(this.derives && {
        scanLists: (lists: readonly ListQuery[], selection: Selection, top: TopK) => {
          const shifted = lists.map((one) => ({
            ...one,
            offsets: this.#offsets(one.list, one.centroid),
            base: -2 * dot(query.values, one.centroid.values),
          }));
          this.#codes.scanLists(shifted, selection, tables, top);
        },
      }),
      [Symbol.dispose]: () => {
        if (instance.ended) return;
        instance.free(tables, tableBytes);
        instance.free(shifted, 4 * dimension);
      },
    };
  }

  /** Pointer to |c|² + 2 <c, r> of every code of a list, which are worked out where codes came in since the list was last looked through. */
  #offsets(list: CodeList, { pointer, values }: Query): number {
    const { derived, blocks, n } = list;
    const from = derived!.bytes / 4;
    if (from === n) return derived!.pointer;
    const { instance, subspaces } = this.#setting;
    const tables = instance.alloc(this.#tables.tableBytes);
    this.#tables.run("ip", pointer, 1, tables);
    // Negated, as for scans.
    const products = instance.f32(tables, this.#tables.tableBytes / 4).slice();
    instance.free(tables, this.#tables.tableBytes);
    const square = dot(values, values);
    const to = derived!.extend(4 * (n - from));
    const offsets = instance.f32(to, n - from);
    const codes = instance.u8(blocks.codes!.pointer, n * subspaces);
    for (let i = from; i < n; i++) {
      let sum = 0;
      for (let m = 0; m < subspaces; m++) sum += products[m * 256 + codes[i * subspaces + m]!]!;
      offsets[i - from] = square - 2 * sum;
    }
    return derived!.pointer;
  }

  nodes({ blocks }: CodeList): HnswCodes {
    const { codebooks, subspaces } = this.#books;
    return { kind: "pq", codes: blocks.codes!.pointer, subspaces, codebooks, tables: this.#tables };
  }

  decode(list: CodeList, position: number): Float32Array {
    const { subspaces, codebooks, dimension } = this.#setting;
    const part = dimension / subspaces;
    const y = new Float32Array(dimension);
    for (let m = 0; m < subspaces; m++) {
      const at = (m * this.#codes.entries + this.#codes.at(list, position, m)) * part;
      y.set(codebooks.subarray(at, at + part), m * part);
    }
    return y;
  }

  [Symbol.dispose](): void {
    const { instance, codebooks } = this.#setting;
    this.#tables.dispose();
    if (!instance.ended) instance.free(this.#books.codebooks, codebooks.byteLength);
  }
}
