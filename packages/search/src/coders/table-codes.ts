/** Codes whose score is a sum of entries of tables: of 8 bits one vector behind the other, of 4 bits in blocks of 32 vectors. */
import {
  type KernelInstance,
  packPqBlocks,
  pqBlockBytes,
  pqFastScan,
  pqScan,
  pqScanLists,
  type Selection,
  type TopK,
  unpackPqBlocks,
} from "lowbit/kernels";
import { type CodeList, type Coder, type ListQuery, lengthOf, type Run } from "./coder.ts";

/** What is added to the sums of a list. */
export interface Shift {
  /** Pointer to f32 [n], of its codes. */
  readonly offsets: number;
  /** Of the query. */
  readonly base: number;
}

export class TableCodes {
  /** Codes of a vector. */
  readonly width: number;
  /** Entries of a table. */
  readonly entries: 16 | 256;
  readonly blocks: Coder["blocks"];
  readonly #instance: KernelInstance;

  constructor(instance: KernelInstance, width: number, bits: 4 | 8) {
    this.#instance = instance;
    this.width = width;
    this.entries = bits === 8 ? 256 : 16;
    this.blocks = { codes: (n) => (bits === 8 ? n * width : pqBlockBytes(n, width)) };
  }

  /** Bytes of a vector's codes as `encode` writes them: of 4 bits two to a byte. */
  get plainBytes(): number {
    return this.entries === 256 ? this.width : Math.ceil(this.width / 2);
  }

  /** Appends n vectors' codes, which `encode` writes to a pointer. */
  append(list: CodeList, n: number, encode: (to: number) => void): void {
    const instance = this.#instance;
    if (this.entries === 256) {
      encode(list.blocks.codes!.extend(n * this.width));
      list.n += n;
      return;
    }
    const bytes = n * this.plainBytes;
    const plain = instance.alloc(bytes);
    try {
      encode(plain);
      this.#pack(list, plain, n);
    } finally {
      if (!instance.ended) instance.free(plain, bytes);
    }
  }

  /** Packs plain 4-bit codes behind those of the list. */
  #pack(list: CodeList, plain: number, n: number): void {
    const { codes } = list.blocks;
    codes!.extend(pqBlockBytes(list.n + n, this.width) - codes!.bytes);
    packPqBlocks(this.#instance, plain, n, this.width, codes!.pointer, list.n);
    list.n += n;
  }

  /** Blocks of 4 bits are taken apart and packed anew; rows of bytes are copied by {@link copyRows}. */
  copyBlocks(to: CodeList, from: CodeList, runs: readonly Run[]): void {
    const instance = this.#instance;
    const codes = plainCodes(from, runs, this.width);
    const plain = instance.upload(codes);
    try {
      this.#pack(to, plain, lengthOf(runs));
    } finally {
      if (!instance.ended) instance.free(plain, codes.length);
    }
  }

  /** @param tables pointer to f32 [queries of top, width, entries] */
  scan({ blocks, n }: CodeList, selection: Selection, tables: number, top: TopK): void {
    const { pointer } = blocks.codes!;
    const common = { ...selection, n, subspaces: this.width, tables, top };
    if (this.entries === 256) pqScan(this.#instance, { ...common, codes: pointer });
    else pqFastScan(this.#instance, { ...common, blocks: pointer });
  }

  /** {@link TableCodes.scan} of lists of 8-bit codes for one query, to whose sums something is added. */
  scanLists(lists: readonly (ListQuery & Shift)[], { filter }: Selection, tables: number, top: TopK): void {
    const each = lists.map(({ list, ids, offsets, base }) => ({
      ...{ codes: list.blocks.codes!.pointer, n: list.n },
      ...{ ids, offsets, base },
    }));
    pqScanLists(this.#instance, { lists: each, subspaces: this.width, tables, filter, top });
  }

  /** Code m of a vector. */
  at({ blocks }: CodeList, position: number, m: number): number {
    const bytes = this.#instance.u8(blocks.codes!.pointer, blocks.codes!.bytes);
    if (this.entries === 256) return bytes[position * this.width + m]!;
    // Vectors j and 16 + j of a block of 32 share a byte.
    const lane = position % 32;
    const row = 16 * (this.width * Math.floor(position / 32) + m);
    return (bytes[row + (lane % 16)]! >> (lane < 16 ? 0 : 4)) & 15;
  }
}

/** 4-bit codes of some vectors of a list of blocks, u8 [n, ceil(M / 2)]. */
function plainCodes({ blocks }: CodeList, runs: readonly Run[], subspaces: number): Uint8Array {
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
