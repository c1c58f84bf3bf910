/** The best candidates of the scans; see crates/kernels/src/top_k.rs. */
import { disposeSymbol } from "../dispose.ts";
import type { KernelInstance } from "./instance.ts";
import type { Parameters } from "./kernel-object.ts";

/** The id of a place that no candidate took, where k is above the number of candidates: -1 as an int32. */
export const noId = 0xffff_ffff;

/** Ids and scores, `[queries, k]`, best (smallest score) first, ties to the lowest id. Empty places: {@link noId}, and Infinity or 2^31 - 1. */
export interface Best<S extends Float32Array | Int32Array> {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly scores: S;
}

/**
 * The k best of each of some queries, while scans fill them: any number of lists, in any order, give what one list of all of them gives.
 *
 * @example
 * using top = new TopK(kernels, { k: 10 });
 * pqScan(kernels, { codes, n, subspaces: 16, tables, top });
 * const { ids, scores } = top.finishF32();
 */
export class TopK implements Disposable {
  readonly queries: number;
  readonly k: number;
  readonly #instance: KernelInstance;
  /** u64 keys, then u32 ids, then scores. */
  #memory: number;

  /**
   * @param options k: 1 to 2^20; queries: 1 where absent
   * @throws OutOfMemoryError; a k that is out of range is refused by the first scan
   */
  constructor(instance: KernelInstance, { k, queries = 1 }: { readonly k: number; readonly queries?: number }) {
    this.#instance = instance;
    this.k = k;
    this.queries = queries;
    this.#memory = instance.alloc(this.#bytes);
    this.clear();
  }

  /** Where the keys lie. */
  get keys(): number {
    return this.#memory;
  }

  /** Forgets every candidate. */
  clear(): void {
    this.#instance.check(this.#instance.exports.top_k_clear(this.#memory, this.#places));
  }

  /** The best of scans with f32 scores; empty afterwards. */
  finishF32(): Best<Float32Array<ArrayBuffer>> {
    const { exports } = this.#instance;
    return this.#finish(exports.top_k_finish_f32, (scores) => this.#instance.f32(scores, this.#places).slice());
  }

  /** The best of scans with int32 scores; empty afterwards. */
  finishI32(): Best<Int32Array<ArrayBuffer>> {
    const { exports } = this.#instance;
    return this.#finish(exports.top_k_finish_i32, (scores) => this.#instance.i32(scores, this.#places).slice());
  }

  /** Idempotent. */
  dispose(): void {
    const memory = this.#memory;
    this.#memory = 0;
    if (memory !== 0 && !this.#instance.ended) this.#instance.free(memory, this.#bytes);
  }

  [disposeSymbol](): void {
    this.dispose();
  }

  get #places(): number {
    return this.queries * this.k;
  }

  get #bytes(): number {
    return 16 * this.#places;
  }

  #finish<S extends Float32Array | Int32Array>(
    finish: (keys: number, queries: number, k: number, ids: number, scores: number) => number,
    read: (scores: number) => S,
  ): Best<S> {
    const ids = this.#memory + 8 * this.#places;
    const scores = ids + 4 * this.#places;
    this.#instance.check(finish(this.#memory, this.queries, this.k, ids, scores));
    const best = { ids: this.#instance.u32(ids, this.#places).slice(), scores: read(scores) };
    this.clear();
    return best;
  }
}

/** Which positions of a scan count, and their ids. */
export interface Selection {
  /** The id of position 0 where there is no `ids`; absent: 0. Ids are below 2^32 - 1. */
  readonly firstId?: number | undefined;
  /** Pointer to u32 [n]: the id of every position; absent: firstId + position. */
  readonly ids?: number | undefined;
  /** Bits of the ids that may be found: bit id % 32 of word id / 32, u32 `[words]`; ids beyond are left out. Absent: all may. */
  readonly filter?: { readonly pointer: number; readonly words: number } | undefined;
}

/** As `read_selection` in crates/wasm/src/top_k.rs reads it. */
export function writeSelection(parameters: Parameters, n: number, { firstId = 0, ids, filter }: Selection): Parameters {
  parameters.i32(firstId, ids ?? 0, ids === undefined ? 0 : n);
  return writeFilter(parameters, filter);
}

/** As `read_filter` in crates/wasm/src/top_k.rs reads it. */
export const writeFilter = (parameters: Parameters, filter: Selection["filter"]): Parameters =>
  parameters.i32(filter ? 1 : 0, filter?.pointer ?? 0, filter?.words ?? 0);

/** As `read_keys` in crates/wasm/src/top_k.rs reads it. */
export const writeKeys = (parameters: Parameters, top: TopK): Parameters =>
  parameters.i32(top.queries, top.keys, top.k);
