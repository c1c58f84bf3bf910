/** Vectors as floats, or as bytes with a scale of their own. */
import {
  type FlatRows,
  flatRescore,
  flatScan,
  type HnswCodes,
  type KernelInstance,
  type Selection,
  type TopK,
  type VectorRows,
  vectorsToBytes,
} from "lowbit/kernels";
import { type CodeList, type Coder, type CoderSetting, copyRows, type Query, type Run, type Scanner } from "./coder.ts";

/** Of rows that queries share: they stay in the second cache. */
const SHARED_BYTES = 1 << 17;

export class FlatCoder implements Coder {
  readonly residual = false;
  readonly counts = false;
  readonly blocks: Coder["blocks"];
  readonly #instance: KernelInstance;
  readonly #dimension: number;
  readonly #metric: "l2" | "ip";
  readonly #bytes: boolean;

  constructor({ instance, dimension, metric }: CoderSetting, bytes: boolean) {
    this.#instance = instance;
    this.#dimension = dimension;
    this.#metric = metric;
    this.#bytes = bytes;
    this.blocks = bytes ? { codes: (n) => n * dimension, scales: (n) => 4 * n } : { codes: (n) => 4 * n * dimension };
  }

  append(list: CodeList, rows: VectorRows): void {
    const instance = this.#instance;
    const { codes, scales } = list.blocks;
    if (this.#bytes) {
      const to = codes!.extend(rows.n * rows.dimension);
      vectorsToBytes(instance, rows, to, scales!.extend(4 * rows.n));
    } else {
      const bytes = 4 * rows.n * rows.dimension;
      const to = codes!.extend(bytes);
      instance.u8(to, bytes).set(instance.u8(rows.x, bytes));
    }
    list.n += rows.n;
  }

  copy(to: CodeList, from: CodeList, runs: readonly Run[]): void {
    copyRows(this, to, from, runs);
  }

  scanner({ pointer, count }: Query): Scanner {
    return {
      scan: (list, selection, top) => {
        const rows = this.#rows(list, selection);
        // All queries look at a block before the next comes from memory.
        const block = count === 1 ? rows.n : Math.max(1, Math.floor(SHARED_BYTES / this.blocks.codes!(1)));
        for (let from = 0; from < rows.n; from += block)
          flatScan(this.#instance, this.#part(rows, from, Math.min(block, rows.n - from)), pointer, top);
      },
      [Symbol.dispose]: () => {},
    };
  }

  /** Rows `from` to `from + n`. */
  #part(rows: FlatRows, from: number, n: number): FlatRows {
    return {
      ...rows,
      rows: rows.rows + this.blocks.codes!(from),
      ...(rows.scales !== undefined && { scales: rows.scales + 4 * from }),
      ...(rows.ids !== undefined && { ids: rows.ids + 4 * from }),
      firstId: (rows.firstId ?? 0) + from,
      n,
    };
  }

  /** The best of the rows at `positions`. */
  rescore(list: CodeList, { pointer }: Query, positions: Uint32Array, selection: Selection, top: TopK): void {
    flatRescore(this.#instance, this.#rows(list, selection), pointer, positions, top);
  }

  nodes({ blocks: { codes, scales } }: CodeList): HnswCodes {
    const rows = codes!.pointer;
    return this.#bytes ? { kind: "bytes", rows, scales: scales!.pointer } : { kind: "floats", rows };
  }

  decode(list: CodeList, position: number): Float32Array {
    const [instance, d] = [this.#instance, this.#dimension];
    const { codes, scales } = list.blocks;
    if (!this.#bytes) return instance.f32(codes!.pointer + 4 * d * position, d).slice();
    const scale = instance.f32(scales!.pointer, list.n)[position]!;
    return Float32Array.from(instance.i8(codes!.pointer + d * position, d), (code) => scale * code);
  }

  [Symbol.dispose](): void {}

  #rows({ blocks, n }: CodeList, selection: Selection): FlatRows {
    const scales = this.#bytes ? blocks.scales!.pointer : undefined;
    return { ...selection, rows: blocks.codes!.pointer, scales, n, dimension: this.#dimension, metric: this.#metric };
  }
}
