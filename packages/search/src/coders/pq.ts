/**
 * Product quantization (Jégou, Douze, Schmid 2011): a vector is cut into M parts, each of which is the nearest of 256 (or 16) centroids of its own codebook. A score is a
 * sum of M entries of the query's distance tables. In an inverted file the vector less its list's centroid is what is coded.
 */
import {
  type HnswCodes,
  type PqCodebooks,
  PqTables,
  packPqBlocks,
  pqBlockBytes,
  pqCodeBytes,
  pqEncode,
  pqFastScan,
  pqScan,
  unpackPqBlocks,
  type VectorRows,
} from "lowbit/kernels";
import {
  type CodeList,
  type Coder,
  type CoderSetting,
  copyRows,
  lengthOf,
  type Query,
  type Run,
  type Scanner,
} from "./coder.ts";

export interface PqSetting extends CoderSetting {
  readonly subspaces: number;
  readonly bits: 4 | 8;
  readonly residual: boolean;
  /** f32 [M, 2^bits, D / M] */
  readonly codebooks: Float32Array;
}

export class PqCoder implements Coder {
  readonly residual: boolean;
  readonly counts = false;
  readonly blocks: Coder["blocks"];
  readonly #setting: PqSetting;
  readonly #books: PqCodebooks;
  readonly #tables: PqTables;

  constructor(setting: PqSetting) {
    const { instance, dimension, subspaces, bits, codebooks } = setting;
    this.#setting = setting;
    this.residual = setting.residual;
    this.blocks = { codes: (n) => (bits === 8 ? n * subspaces : pqBlockBytes(n, subspaces)) };
    const part = dimension / subspaces;
    const centroids = bits === 8 ? 256 : 16;
    this.#tables = new PqTables(instance, { subspaces, centroids, dimension: part, codebooks });
    this.#books = {
      codebooks: instance.upload(codebooks),
      entries: codebooks.length,
      subspaces,
      dimension: part,
      four: bits === 4,
    };
  }

  append(list: CodeList, rows: VectorRows): void {
    const { instance, subspaces, bits } = this.#setting;
    const { codes } = list.blocks;
    if (bits === 8) {
      pqEncode(instance, rows, this.#books, codes!.extend(rows.n * subspaces));
      list.n += rows.n;
      return;
    }
    const bytes = rows.n * pqCodeBytes(this.#books);
    const plain = instance.alloc(bytes);
    try {
      pqEncode(instance, rows, this.#books, plain);
      this.#pack(list, plain, rows.n);
    } finally {
      if (!instance.ended) instance.free(plain, bytes);
    }
  }

  /** Packs plain 4-bit codes behind those of the list. */
  #pack(list: CodeList, plain: number, n: number): void {
    const { instance, subspaces } = this.#setting;
    const { codes } = list.blocks;
    codes!.extend(pqBlockBytes(list.n + n, subspaces) - codes!.bytes);
    packPqBlocks(instance, plain, n, subspaces, codes!.pointer, list.n);
    list.n += n;
  }

  copy(to: CodeList, from: CodeList, runs: readonly Run[]): void {
    const { instance, subspaces, bits } = this.#setting;
    if (bits === 8) {
      copyRows(this, to, from, runs);
      return;
    }
    const codes = plainCodes(from, runs, subspaces);
    const plain = instance.upload(codes);
    try {
      this.#pack(to, plain, lengthOf(runs));
    } finally {
      if (!instance.ended) instance.free(plain, codes.length);
    }
  }

  scanner(query: Query): Scanner {
    const { instance, metric, subspaces, bits, dimension } = this.#setting;
    const tableBytes = query.count * this.#tables.tableBytes;
    const tables = instance.alloc(tableBytes);
    // Of a residual the inner product with its list's centroid is left over: it goes to the entries of the first part.
    const shifting = this.residual && metric === "ip";
    if (!this.residual || shifting) this.#tables.run(metric, query.pointer, query.count, tables);
    const width = bits === 8 ? 256 : 16;
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
      scan: ({ blocks, n }, selection, top, centroid) => {
        if (centroid && this.residual) prepare(centroid);
        const { pointer } = blocks.codes!;
        if (bits === 8) pqScan(instance, { ...selection, codes: pointer, n, subspaces, tables, top });
        else pqFastScan(instance, { ...selection, blocks: pointer, n, subspaces, tables, top });
      },
      [Symbol.dispose]: () => {
        if (instance.ended) return;
        instance.free(tables, tableBytes);
        instance.free(shifted, 4 * dimension);
      },
    };
  }

  nodes({ blocks }: CodeList): HnswCodes {
    const { codebooks, subspaces } = this.#books;
    return { kind: "pq", codes: blocks.codes!.pointer, subspaces, codebooks, tables: this.#tables };
  }

  decode({ blocks }: CodeList, position: number): Float32Array {
    const { subspaces, bits, codebooks, dimension, instance } = this.#setting;
    const part = dimension / subspaces;
    const row = (subspaces * 16 * Math.floor(position / 32)) | 0;
    const code = (m: number): number => {
      const bytes = instance.u8(blocks.codes!.pointer, blocks.codes!.bytes);
      if (bits === 8) return bytes[position * subspaces + m]!;
      // Vectors j and 16 + j of a block of 32 share a byte.
      const lane = position % 32;
      return (bytes[row + m * 16 + (lane % 16)]! >> (lane < 16 ? 0 : 4)) & 15;
    };
    const y = new Float32Array(dimension);
    for (let m = 0; m < subspaces; m++) {
      const at = (m * (bits === 8 ? 256 : 16) + code(m)) * part;
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

/** 4-bit codes of some vectors of a list of blocks, u8 [n, ceil(M / 2)]. */
export function plainCodes({ blocks }: CodeList, runs: readonly Run[], subspaces: number): Uint8Array {
  const { pointer: from, instance } = blocks.codes!;
  const row = Math.ceil(subspaces / 2);
  const codes = new Uint8Array(row * lengthOf(runs));
  const to = instance.alloc(codes.length);
  try {
    let at = to;
    for (const [first, end] of runs) {
      unpackPqBlocks(instance, from, first, end - first, subspaces, at);
      at += row * (end - first);
    }
    codes.set(instance.u8(to, codes.length));
    return codes;
  } finally {
    if (!instance.ended) instance.free(to, codes.length);
  }
}

/** Σ a b in f64, ascending. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
