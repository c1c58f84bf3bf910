import { DisposedError, InputError, OutOfRangeError } from "lowbit";
import {
  assignVectors,
  flatScan,
  type KernelInstance,
  type LoadKernelsOptions,
  loadKernels,
  noId,
  type Selection,
  subtractCentroids,
  TopK,
  type VectorRows,
} from "lowbit/kernels";
import { Bits } from "./bits.ts";
import { Block } from "./block.ts";
import type { CodeList, Coder, Query } from "./coders/coder.ts";
import type { FlatCoder } from "./coders/flat.ts";
import { makeCoder, makeRescorer } from "./coders/make.ts";
import { Ids, type IndexId } from "./ids.ts";
import { higherIsNearer, kernelMetric, METRICS, type Metric } from "./metric.ts";
import { CHUNK, checkVectors, Preparer, type Vectors } from "./prepare.ts";
import { defaultRescored, formatSpec, type IndexSpec, parseSpec } from "./spec.ts";
import { type Learned, train } from "./train.ts";

export interface IndexOptions {
  /** Default `cosine`. */
  readonly metric?: Metric;
  /** Of every random choice. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** The stage, and which part of it is done, 0 to 1. */
  readonly onProgress?: (stage: string, done: number) => void;
  /** Tier and module of the kernels; absent: the package's own. */
  readonly kernels?: LoadKernelsOptions;
}

export interface BuildOptions extends IndexOptions {
  /** One for each vector: safe integers, bigints or strings; absent: 0, 1, 2 ... */
  readonly ids?: readonly IndexId[];
}

export interface SearchOptions {
  /** Only these: a predicate of ids, or (where ids are 0, 1, 2 ...) bits by number, u32 words. */
  readonly filter?: ((id: IndexId) => boolean) | Uint32Array;
  /** Candidates that are scored again, where the spec says RFlat or RSQ8; default 50, or 200 of Binary, never fewer than k. */
  readonly rescored?: number;
  /** Lists that are looked through, of an inverted file; default 16. */
  readonly nprobe?: number;
}

/** A vector that was found. */
export interface Hit {
  readonly id: IndexId;
  /** Inner product or cosine (higher is nearer), squared distance or number of signs (lower is nearer). */
  readonly score: number;
}

/** Of several queries, [queries, k]: best first, -1 and NaN where there are fewer. */
export interface Hits {
  /** Numbers of the vectors in the order in which they were added. */
  readonly numbers: Int32Array;
  readonly scores: Float32Array;
}

/** Everything but the codes themselves. */
export interface IndexState {
  readonly instance: KernelInstance;
  readonly spec: IndexSpec;
  readonly metric: Metric;
  /** Coordinates as given. */
  readonly input: number;
  readonly learned: Learned;
  readonly ids: Ids;
  readonly live: Bits;
}

/** Lists that are looked through where nobody says how many. */
const DEFAULT_PROBES = 16;

/**
 * Vectors in few bytes each, and the nearest of them.
 *
 * @example
 * const index = await Index.build({ shape: [n, 384], data }, "PQ48x4fs,RSQ8", { metric: "cosine" });
 * const [best] = index.search(query, 10);
 * await writeFile("vectors.lowbit", index.save());
 */
export class Index implements Disposable {
  readonly spec: string;
  readonly metric: Metric;
  /** Coordinates of a vector as given. */
  readonly dimension: number;
  readonly #state: IndexState;
  readonly #kept: number;
  readonly #preparer: Preparer;
  readonly #coder: Coder;
  readonly #rescorer: FlatCoder | undefined;
  readonly #lists: CodeList[];
  /** Numbers of the vectors of each list; absent where there is one list, in their order. */
  readonly #numbers: Block[] | undefined;
  readonly #exact: CodeList | undefined;
  /** Pointer to the centroids. */
  readonly #centroids: number;
  #disposed = false;

  private constructor(state: IndexState) {
    const { instance, spec, metric, input, learned } = state;
    this.#state = state;
    this.spec = formatSpec(spec);
    this.metric = metric;
    this.dimension = input;
    this.#kept = spec.truncate ?? input;
    const setting = { instance, dimension: this.#kept, metric: kernelMetric(metric) };
    this.#coder = makeCoder(spec, setting, learned);
    this.#rescorer = makeRescorer(spec, setting);
    const normalize = metric === "cosine";
    this.#preparer = new Preparer({ ...setting, input, normalize, rotation: learned.rotation });
    const lists = spec.lists ?? 1;
    this.#lists = Array.from({ length: lists }, () => this.#emptyList(this.#coder));
    this.#numbers = spec.lists ? this.#lists.map(() => new Block(instance)) : undefined;
    this.#exact = this.#rescorer && this.#emptyList(this.#rescorer);
    this.#centroids = learned.centroids ? instance.upload(learned.centroids) : 0;
  }

  /**
   * Learns what the spec needs from `vectors`, and adds them.
   *
   * @param vectors f32 [n, D], finite, |x|² at most 1e36
   * @param spec see {@link parseSpec}
   * @throws InputError (spec, metric, ids), ShapeError, NotFiniteError, OutOfRangeError (fewer vectors than centroids), OutOfMemoryError, LoadError, or the signal's reason
   */
  static async build(
    vectors: Vectors,
    spec: string,
    { metric = "cosine", seed = 0, signal, onProgress, kernels, ids }: BuildOptions = {},
  ): Promise<Index> {
    const parsed = parseSpec(spec);
    const { d } = checkVectors("Index.build", vectors);
    checkMetric(parsed, metric);
    const { truncate = d } = parsed;
    if (truncate > d) throw new OutOfRangeError("Index.build", "coordinates to keep", `at most ${d}`, truncate);
    const instance = await loadKernels({ ...kernels, part: "search", ...(signal && { signal }) });
    const learned = await train(vectors, {
      instance,
      spec: parsed,
      input: d,
      dimension: truncate,
      normalize: metric === "cosine",
      seed,
      signal,
      onStage: (stage) => onProgress?.(stage, 0),
    });
    const index = new Index({
      instance,
      spec: parsed,
      metric,
      input: d,
      learned,
      ids: new Ids(),
      live: new Bits(),
    });
    try {
      await index.add(vectors, { ...(ids && { ids }), ...(signal && { signal }), ...(onProgress && { onProgress }) });
      return index;
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** An index of what a file holds: see {@link loadIndex}. */
  static restore(state: IndexState, fill: (lists: readonly IndexPart[]) => void): Index {
    const index = new Index(state);
    try {
      fill(index.parts());
      return index;
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** Vectors that can be found. */
  get size(): number {
    return this.#state.live.size;
  }

  /** Bytes of a vector: codes, and what is scored again. */
  get bytesPerVector(): number {
    return this.#coder.bytesPerVector + (this.#rescorer?.bytesPerVector ?? 0) + (this.#numbers ? 4 : 0);
  }

  /** Bytes of WASM memory that codes take, with what is kept free for more. */
  get bytes(): number {
    return this.parts().reduce((sum, { block }) => sum + block.capacity, 0);
  }

  /**
   * Adds vectors; one whose id is there already takes its place.
   * @throws InputError, ShapeError, NotFiniteError, OutOfRangeError, OutOfMemoryError, DisposedError, or the signal's reason, after which the chunks of 4,096 vectors that were whole are there
   */
  async add(
    vectors: Vectors,
    { ids, signal, onProgress }: Pick<BuildOptions, "ids" | "signal" | "onProgress"> = {},
  ): Promise<void> {
    this.#check("add");
    const { n } = checkVectors("Index.add", vectors, this.dimension);
    if (ids && ids.length !== n) throw new InputError("Index.add", "ids", n, ids.length);
    for (let from = 0; from < n; from += CHUNK) {
      signal?.throwIfAborted();
      const to = Math.min(n, from + CHUNK);
      this.#preparer.with("Index.add", vectors, from, to, (rows) => this.#addRows(rows, ids?.slice(from, to)));
      onProgress?.("adding", to / n);
      // A page stays alive between chunks, and a signal can come.
      if (to < n) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** @returns how many of the ids were there */
  remove(ids: Iterable<IndexId>): number {
    this.#check("remove");
    const { live, ids: known } = this.#state;
    let removed = 0;
    for (const id of ids) {
      const number = known.numberOf(id);
      if (number === undefined || !live.has(number)) continue;
      live.delete(number);
      known.remove(id);
      removed++;
    }
    return removed;
  }

  has(id: IndexId): boolean {
    const number = this.#state.ids.numberOf(id);
    return number !== undefined && this.#state.live.has(number);
  }

  /**
   * The nearest vectors, best first; fewer than k where there are not so many.
   *
   * @param query f32 [D]
   * @param k 1 to 1,048,576
   * @throws ShapeError, NotFiniteError, OutOfRangeError, DisposedError
   */
  search(query: Float32Array, k: number, options: SearchOptions = {}): Hit[] {
    const { numbers, scores } = this.searchAll({ shape: [1, query.length], data: query }, k, options);
    const hits: Hit[] = [];
    for (const [i, number] of numbers.entries())
      if (number >= 0) hits.push({ id: this.#state.ids.idOf(number), score: scores[i]! });
    return hits;
  }

  /** The same of several queries, f32 [queries, D]; {@link Index.idOf} turns numbers into ids. */
  searchAll(queries: Vectors, k: number, { filter, rescored, nprobe = DEFAULT_PROBES }: SearchOptions = {}): Hits {
    this.#check("search");
    const { n } = checkVectors("Index.search", queries, this.dimension);
    checkCount("k", k);
    checkCount("nprobe", nprobe);
    const again = this.#rescorer
      ? Math.max(k, checkCount("rescored", rescored ?? defaultRescored(this.#state.spec, k)))
      : k;
    const numbers = new Int32Array(n * k).fill(-1);
    const scores = new Float32Array(n * k).fill(Number.NaN);
    const { instance } = this.#state;
    using allowed = this.#filter(filter);
    using top = new TopK(instance, { k: Math.min(again, MOST) });
    for (let from = 0; from < n; from += CHUNK) {
      const to = Math.min(n, from + CHUNK);
      this.#preparer.with("Index.search", queries, from, to, ({ x, dimension }) => {
        for (let i = from; i < to; i++) {
          const pointer = x + 4 * dimension * (i - from);
          const query = { pointer, values: instance.f32(pointer, dimension).slice() };
          const best = this.#searchOne(query, top, k, allowed.selection, nprobe);
          for (let j = 0; j < Math.min(k, best.ids.length); j++) {
            if (best.ids[j] === noId) break;
            numbers[i * k + j] = best.ids[j]!;
            scores[i * k + j] = best.sign * best.scores[j]!;
          }
        }
      });
    }
    return { numbers, scores };
  }

  idOf(number: number): IndexId {
    return this.#state.ids.idOf(number);
  }

  /**
   * What is stored of a vector, turned back: of the rescored form where there is one; of length about 1 for cosine; signs for Binary.
   * @throws InputError for an id that there is not
   */
  reconstruct(id: IndexId): Float32Array {
    this.#check("reconstruct");
    const number = this.#state.ids.numberOf(id);
    if (number === undefined || !this.#state.live.has(number))
      throw new InputError("Index.reconstruct", "id", "one of the index", id);
    if (this.#rescorer) return this.#preparer.restore(this.#rescorer.decode(this.#exact!, number));
    if (!this.#numbers) return this.#preparer.restore(this.#coder.decode(this.#lists[0]!, number));
    const { instance, learned } = this.#state;
    for (const [i, block] of this.#numbers.entries()) {
      const position = instance.u32(block.pointer, block.bytes / 4).indexOf(number);
      if (position < 0) continue;
      const vector = this.#coder.decode(this.#lists[i]!, position);
      const centroid = this.#coder.residual ? learned.centroids!.subarray(i * vector.length) : undefined;
      return this.#preparer.restore(centroid ? vector.map((x, j) => x + centroid[j]!) : vector);
    }
    throw new InputError("Index.reconstruct", "id", "one of the index", id);
  }

  /** State and arrays, for files. */
  get state(): IndexState {
    return this.#state;
  }

  /** Every array of codes, list after list. */
  parts(): IndexPart[] {
    const of = (prefix: string, list: CodeList, i: number): IndexPart[] =>
      Object.entries(list.blocks).map(([name, block]) => ({ name: prefix + name, list: i, block, of: list }));
    const lists = this.#lists.flatMap((list, i) => [
      ...of("", list, i),
      ...(this.#numbers ? [{ name: "numbers", list: i, block: this.#numbers[i]!, of: list }] : []),
    ]);
    return this.#exact ? [...lists, ...of("exact.", this.#exact, 0)] : lists;
  }

  /** Gives the memory back. Idempotent; everything else throws DisposedError afterwards. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { block } of this.parts()) block.dispose();
    this.#coder[Symbol.dispose]();
    this.#preparer[Symbol.dispose]();
    const { instance, learned } = this.#state;
    if (this.#centroids && !instance.ended) instance.free(this.#centroids, learned.centroids!.byteLength);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #check(what: string): void {
    if (this.#disposed) throw new DisposedError(`Index.${what}`, "index");
  }

  #emptyList(coder: Coder): CodeList {
    const { instance } = this.#state;
    return { n: 0, blocks: Object.fromEntries(coder.blocks.map((name) => [name, new Block(instance)])) };
  }

  #addRows(rows: VectorRows, ids: readonly IndexId[] | undefined): void {
    const { ids: known, live } = this.#state;
    const { first, replaced } = known.add(rows.n, ids);
    // The plain rows first: coders of residuals write over them.
    this.#rescorer?.append(this.#exact!, rows);
    if (this.#numbers) this.#addToLists(rows, first);
    else this.#coder.append(this.#lists[0]!, rows);
    live.grow(first, first + rows.n);
    for (const number of replaced) live.delete(number);
  }

  #addToLists(rows: VectorRows, first: number): void {
    const { instance, spec } = this.#state;
    const { x, n, dimension } = rows;
    const lists = spec.lists!;
    const assigned = instance.alloc(4 * n);
    const gathered = instance.alloc(4 * n * dimension);
    try {
      assignVectors(instance, rows, this.#centroids, lists, assigned);
      if (this.#coder.residual) subtractCentroids(instance, rows, assigned, this.#centroids, lists);
      const to = instance.u32(assigned, n).slice();
      const members = new Map<number, number[]>();
      for (const [i, list] of to.entries()) {
        const some = members.get(list);
        if (some) some.push(i);
        else members.set(list, [i]);
      }
      for (const [list, some] of members) {
        const bytes = 4 * dimension;
        // Anew for each list: appending may grow the memory.
        const all = new Uint8Array(instance.u8(0, 0).buffer);
        for (const [at, i] of some.entries()) all.copyWithin(gathered + at * bytes, x + i * bytes, x + (i + 1) * bytes);
        this.#coder.append(this.#lists[list]!, { x: gathered, n: some.length, dimension });
        this.#numbers![list]!.append(new Uint8Array(Uint32Array.from(some, (i) => first + i).buffer));
      }
    } finally {
      if (!instance.ended) {
        instance.free(assigned, 4 * n);
        instance.free(gathered, 4 * n * dimension);
      }
    }
  }

  #searchOne(query: Query, top: TopK, k: number, selection: Selection, nprobe: number) {
    const { instance, learned } = this.#state;
    {
      using scanner = this.#coder.scanner(query);
      if (!this.#numbers) scanner.scan(this.#lists[0]!, selection, top, undefined);
      else
        for (const list of this.#nearestLists(query, nprobe)) {
          const codes = this.#lists[list]!;
          if (codes.n === 0) continue;
          const d = query.values.length;
          const centroid = learned.centroids!.subarray(list * d, (list + 1) * d);
          scanner.scan(codes, { ...selection, ids: this.#numbers[list]!.pointer }, top, centroid);
        }
    }
    const found = this.#coder.counts ? top.finishI32() : top.finishF32();
    const sign = higherIsNearer(this.metric) ? -1 : 1;
    if (!this.#rescorer) return { ids: found.ids, scores: found.scores, sign: this.#coder.counts ? 1 : sign };
    using better = new TopK(instance, { k });
    this.#rescorer.rescore(this.#exact!, query, found.ids, {}, better);
    const { ids, scores } = better.finishF32();
    return { ids, scores, sign };
  }

  #nearestLists({ pointer, values }: Query, nprobe: number): number[] {
    const { instance, spec } = this.#state;
    const n = spec.lists!;
    using top = new TopK(instance, { k: Math.min(nprobe, n) });
    flatScan(instance, { rows: this.#centroids, n, dimension: values.length, metric: "l2" }, pointer, top);
    return [...top.finishF32().ids];
  }

  /** Bits of the vectors that may be found, in WASM memory; none where all may. */
  #filter(filter: SearchOptions["filter"]): Disposable & { readonly selection: Selection } {
    const { live, ids, instance } = this.#state;
    const { count } = ids;
    const words = live.words.slice(0, Math.ceil(count / 32));
    if (typeof filter === "function") {
      for (let i = 0; i < count; i++) if (live.has(i) && !filter(ids.idOf(i))) words[i >>> 5]! &= ~(1 << (i & 31));
    } else if (filter) {
      if (!ids.plain) throw new InputError("Index.search", "filter", "a predicate, as ids are given", "bits");
      for (let i = 0; i < words.length; i++) words[i]! &= filter[i] ?? 0;
    } else if (this.size === count) return { selection: {}, [Symbol.dispose]: () => {} };
    const pointer = instance.upload(words);
    return {
      selection: { filter: { pointer, words: words.length } },
      [Symbol.dispose]: () => {
        if (!instance.ended) instance.free(pointer, words.byteLength);
      },
    };
  }
}

/** An array of codes: its name in files, its list, and where it lies. */
export interface IndexPart {
  readonly name: string;
  readonly list: number;
  readonly block: Block;
  readonly of: CodeList;
}

/** What k may be at most. */
const MOST = 1 << 20;

function checkCount(what: string, value: number): number {
  if (!(Number.isInteger(value) && value >= 1 && value <= MOST))
    throw new OutOfRangeError("Index.search", what, `1 to ${MOST}`, value);
  return value;
}

/** @throws InputError */
export function checkMetric({ codes }: IndexSpec, metric: Metric): void {
  if (!METRICS.includes(metric)) throw new InputError("Index.build", "metric", METRICS.join(", "), metric);
  if (metric === "hamming" && codes.kind !== "binary")
    throw new InputError("Index.build", "metric of these codes", "ip, cosine or l2; hamming is of Binary", metric);
}
