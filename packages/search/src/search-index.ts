import { DisposedError, InputError, OutOfRangeError, ShapeError } from "lowbit";
import { type KernelInstance, type LoadKernelsOptions, loadKernels, noId, type VectorRows } from "lowbit/kernels";
import { Bits } from "./bits.ts";
import { candidates, type Effort, filterWords } from "./candidates.ts";
import { type Graph, MOST_BREADTH } from "./graph.ts";
import { Ids, type IndexId } from "./ids.ts";
import { codeMetric, higherIsNearer, kernelMetric, METRICS, type Metric, stretchOf } from "./metric.ts";
import { type Payload, Payloads } from "./payloads.ts";
import { CHUNK, checkVectors, Preparer, type Vectors } from "./prepare.ts";
import { defaultRescored, formatSpec, type IndexSpec, parseSpec } from "./spec.ts";
import { type IndexPart, Store } from "./store.ts";
import { type Learned, sameLearned, train } from "./train.ts";

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
  /** One for each vector, JSON; `undefined` for none. They are kept as text beside the codes, come back with hits, and are saved with the index. */
  readonly payloads?: readonly (Payload | undefined)[];
  /** Words about the index as a whole, kept with it and in its file: what made the vectors, say. */
  readonly about?: Readonly<Record<string, string>>;
  /** Nodes that are kept on the way when one is added to a graph, 1 to 65,536: more of them find better neighbours, in more time. Default 40. */
  readonly efConstruction?: number;
  /** An index of the same spec, metric and dimension, whose rotation, centroids and codebooks are taken instead of learning others: what {@link Index.merge} wants. */
  readonly like?: Index;
}

export interface SearchOptions {
  /** Only these: a predicate of ids and, read where it asks, of payloads; or (where ids are 0, 1, 2 ...) bits by number, u32 words. */
  readonly filter?: ((id: IndexId, payload: () => Payload | undefined) => boolean) | Uint32Array;
  /** Candidates that are scored again, where the spec says RFlat or RSQ8; default 50, or 200 of Binary, never fewer than k. */
  readonly rescored?: number;
  /** Lists that are looked through, of an inverted file; default 16. */
  readonly nprobe?: number;
  /** Nodes of a graph that are kept on the way, of HNSW, to 65,536; default 64, never fewer than candidates. */
  readonly efSearch?: number;
  /** Scores every vector by the most exact form that is stored, without codes that are scored again, a graph, and lists that are left out: what others are measured by. */
  readonly exact?: boolean;
}

/** A vector that was found. */
export interface Hit {
  readonly id: IndexId;
  /** Inner product or cosine (higher is nearer), squared distance or number of signs (lower is nearer). */
  readonly score: number;
  /** Where the vector has one. */
  readonly payload?: Payload;
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
  readonly payloads: Payloads;
  readonly about: Readonly<Record<string, string>>;
  readonly live: Bits;
  readonly efConstruction: number;
}

/**
 * Vectors in few bytes each, and the nearest of them.
 *
 * @example
 * const index = await Index.build({ shape: [n, 384], data }, "PQ48x4fs,RSQ8", { metric: "cosine" });
 * const [best] = index.search(query, 10);
 * await writeFile("vectors.lowbit", saveIndex(index));
 */
export class Index implements Disposable {
  readonly spec: string;
  readonly metric: Metric;
  /** Coordinates of a vector as given. */
  readonly dimension: number;
  readonly #preparer: Preparer;
  #state: IndexState;
  #store: Store;
  #disposed = false;

  private constructor(state: IndexState) {
    const { instance, spec, metric, input, learned } = state;
    this.#state = state;
    this.spec = formatSpec(spec);
    this.metric = metric;
    this.dimension = input;
    this.#store = this.#emptyStore();
    const normalize = metric === "cosine";
    this.#preparer = new Preparer({
      instance,
      input,
      dimension: spec.truncate ?? input,
      normalize,
      rotation: learned.rotation,
    });
  }

  /**
   * Learns what the spec needs from `vectors`, and adds them.
   *
   * @param vectors f32 [n, D], finite, |x|² at most 1e36
   * @param spec see {@link parseSpec}
   * @throws InputError (spec, metric, ids, payloads, like), ShapeError, NotFiniteError, OutOfRangeError (fewer vectors than centroids), OutOfMemoryError, LoadError, or the signal's reason
   */
  static async build(
    vectors: Vectors,
    spec: string,
    { metric = "cosine", seed = 0, about = {}, like, efConstruction = 40, ...options }: BuildOptions = {},
  ): Promise<Index> {
    const { signal, onProgress, kernels } = options;
    const parsed = parseSpec(spec);
    const { d } = checkVectors("Index.build", vectors);
    checkMetric(parsed, metric);
    const { truncate = d } = parsed;
    if (truncate > d) throw new OutOfRangeError("Index.build", "coordinates to keep", `at most ${d}`, truncate);
    checkCount("Index.build", "efConstruction", efConstruction, MOST_BREADTH);
    if (like) like.#checkLike("Index.build", formatSpec(parsed), metric, d);
    const instance = await loadKernels({ ...kernels, part: "search", ...(signal && { signal }) });
    const learned =
      like?.state.learned ??
      (await train(vectors, {
        instance,
        spec: parsed,
        input: d,
        dimension: truncate,
        normalize: metric === "cosine",
        metric: kernelMetric(metric),
        seed,
        signal,
        onStage: (stage) => onProgress?.(stage, 0),
      }));
    const index = new Index({
      instance,
      spec: parsed,
      metric,
      input: d,
      learned,
      ids: new Ids(),
      payloads: new Payloads(),
      about,
      live: new Bits(),
      efConstruction,
    });
    try {
      await index.add(vectors, options);
      return index;
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** An index of what a file holds: see {@link loadIndex}. */
  static restore(state: IndexState, fill: (parts: readonly IndexPart[], graph: Graph | undefined) => void): Index {
    const index = new Index(state);
    try {
      fill(index.parts(), index.graph);
      return index;
    } catch (error) {
      index.dispose();
      throw error;
    }
  }

  /** As it was given to {@link Index.build}. */
  get about(): Readonly<Record<string, string>> {
    return this.#state.about;
  }

  /** Vectors that can be found. */
  get size(): number {
    return this.#state.live.size;
  }

  /** Bytes of a vector: codes, and what is scored again. */
  get bytesPerVector(): number {
    return this.#store.bytesPerVector;
  }

  /** Bytes of WASM memory that codes take, with what is kept free for more. */
  get bytes(): number {
    return this.#store.blocks().reduce((sum, { capacity }) => sum + capacity, 0);
  }

  /**
   * Adds vectors; one whose id is there already takes its place.
   * @throws InputError, ShapeError, NotFiniteError, OutOfRangeError, OutOfMemoryError, DisposedError, or the signal's reason, after which the chunks of 4,096 vectors (256 of a graph) that were whole are there
   */
  async add(
    vectors: Vectors,
    { ids, payloads, signal, onProgress }: Pick<BuildOptions, "ids" | "payloads" | "signal" | "onProgress"> = {},
  ): Promise<void> {
    this.#check("add");
    const { n } = checkVectors("Index.add", vectors, this.dimension);
    if (ids && ids.length !== n) throw new InputError("Index.add", "ids", n, ids.length);
    if (payloads && payloads.length !== n) throw new InputError("Index.add", "payloads", n, payloads.length);
    const chunk = this.#state.spec.links ? LINKED : CHUNK;
    try {
      for (let from = 0; from < n; from += chunk) {
        signal?.throwIfAborted();
        const to = Math.min(n, from + chunk);
        this.#preparer.with("Index.add", vectors, from, to, (rows) =>
          this.#addRows(rows, ids?.slice(from, to), Payloads.texts(payloads?.slice(from, to) ?? [])),
        );
        onProgress?.("adding", to / n);
        // A page stays alive between chunks, and a signal can come.
        if (to < n) await new Promise((resolve) => setTimeout(resolve));
      }
    } finally {
      if (!this.#disposed) this.#store.coder.settle?.();
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

  /**
   * Gives back the memory of vectors that were removed or replaced. Ids stay; numbers, as {@link Index.searchAll} gives them, are counted anew.
   * @throws OutOfMemoryError, with the index as it was: old and new codes are held together for a moment
   */
  compact(): void {
    this.#check("compact");
    const { live, ids } = this.#state;
    const { size } = live;
    if (size === ids.count) return;
    const store = this.#emptyStore();
    try {
      store.copy(this.#store, live, ids.count, 0);
    } catch (error) {
      store[Symbol.dispose]();
      throw error;
    }
    const kept = new Bits();
    kept.grow(0, size);
    const numbers = liveNumbers(live, ids.count);
    const payloads = new Payloads();
    payloads.append(0, this.#state.payloads.textsOf(numbers));
    this.#state = { ...this.#state, live: kept, ids: ids.kept(numbers), payloads };
    this.#store[Symbol.dispose]();
    this.#store = store;
  }

  /**
   * Takes in the vectors of another index, which stays as it is. Their codes are copied: it must have been built `like` this one, or be of a spec that learns nothing.
   * A vector whose id is here already takes its place; where neither has ids of its own, those of `other` follow those of this one.
   * @throws InputError where the indexes differ or kinds of ids do, OutOfMemoryError, DisposedError
   */
  merge(other: Index): void {
    this.#check("merge");
    other.#check("merge");
    if (other === this) throw new InputError("Index.merge", "other", "another index", "the same");
    other.#checkLike("Index.merge", this.spec, this.metric, this.dimension);
    if (!sameLearned(this.#state.learned, other.#state.learned))
      throw new InputError("Index.merge", "other", "an index that was built `like` this one", "other codebooks");
    const { ids, live } = this.#state;
    const { ids: theirs, live: there } = other.#state;
    const numbers = liveNumbers(there, theirs.count);
    const both = ids.automatic && theirs.automatic;
    const named = both ? undefined : numbers.map((number) => theirs.idOf(number));
    const texts = other.#state.payloads.textsOf(numbers);
    this.#state.payloads.check(texts);
    const { first, replaced } = ids.add(numbers.length, named);
    this.#state.payloads.append(first, texts);
    this.#store.copy(other.#store, there, theirs.count, first);
    live.grow(first, first + numbers.length);
    for (const number of replaced) live.delete(number);
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
    const { ids, payloads } = this.#state;
    const hits: Hit[] = [];
    for (const [i, number] of numbers.entries()) {
      if (number < 0) continue;
      const payload = payloads.of(number);
      hits.push({ id: ids.idOf(number), score: scores[i]!, ...(payload !== undefined && { payload }) });
    }
    return hits;
  }

  /**
   * All vectors that {@link Index.search} finds within a radius, best first: it is asked for more until one lies outside.
   *
   * @param radius by the index's metric: the least inner product or cosine, the largest squared distance, or number of signs where those are the scores (Binary without rescoring); what is as far is in
   * @throws OutOfRangeError where more than 1,048,576 lie within; and as {@link Index.search}
   */
  rangeSearch(query: Float32Array, radius: number, options: SearchOptions = {}): Hit[] {
    if (Number.isNaN(radius)) throw new OutOfRangeError("Index.rangeSearch", "radius", "a number", radius);
    const { codes, rescore } = this.#state.spec;
    const higher = higherIsNearer(this.metric) && !(codes.kind === "binary" && !rescore);
    const within = ({ score }: Hit) => (higher ? score >= radius : score <= radius);
    for (let k = FIRST_RANGE; ; k = Math.min(8 * k, MOST)) {
      const hits = this.search(query, k, options);
      const end = hits.findIndex((hit) => !within(hit));
      if (end >= 0) return hits.slice(0, end);
      if (hits.length < k) return hits;
      if (k === MOST) throw new OutOfRangeError("Index.rangeSearch", "vectors within the radius", `below ${MOST}`, k);
    }
  }

  /** {@link Index.search} of several queries, f32 [queries, D], which share the reading of codes; {@link Index.idOf} turns numbers into ids. */
  searchAll(queries: Vectors, k: number, options: SearchOptions = {}): Hits {
    this.#check("search");
    const { n } = checkVectors("Index.search", queries, this.dimension);
    const op = "Index.search";
    checkCount(op, "k", k);
    const { instance, spec } = this.#state;
    const effort: Effort = {
      k,
      rescored: Math.max(k, checkCount(op, "rescored", options.rescored ?? defaultRescored(spec, k))),
      nprobe: checkCount(op, "nprobe", options.nprobe ?? DEFAULT_PROBES),
      efSearch: checkCount(op, "efSearch", options.efSearch ?? DEFAULT_BREADTH, MOST_BREADTH),
      exact: options.exact ?? false,
    };
    const numbers = new Int32Array(n * k).fill(-1);
    const scores = new Float32Array(n * k).fill(Number.NaN);
    using allowed = filterWords(this.#state, options.filter);
    const batch = Math.max(1, Math.min(TOGETHER, Math.floor(MOST / effort.rescored)));
    for (let from = 0; from < n; from += CHUNK) {
      const to = Math.min(n, from + CHUNK);
      this.#preparer.with("Index.search", queries, from, to, ({ x, dimension }) => {
        for (let first = from; first < to; first += batch) {
          const count = Math.min(batch, to - first);
          const pointer = x + 4 * dimension * (first - from);
          const query = { pointer, count, values: instance.f32(pointer, count * dimension).slice() };
          const best = candidates(instance, this.#store, query, allowed, effort);
          const scoreOf = this.#scoreOf(best.counts);
          for (const [at, id] of best.ids.entries()) {
            if (id === noId) continue;
            numbers[first * k + at] = id;
            scores[first * k + at] = scoreOf(best.scores[at]!);
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
    return this.#preparer.restore(this.#store.decode(this.#numberOf("reconstruct", id)));
  }

  /**
   * What was given beside a vector; undefined where nothing was.
   * @throws InputError for an id that there is not, DisposedError
   */
  payload(id: IndexId): Payload | undefined {
    return this.#state.payloads.of(this.#numberOf("payload", id));
  }

  /** State and arrays, for files. */
  get state(): IndexState {
    return this.#state;
  }

  get graph(): Graph | undefined {
    return this.#store.graph;
  }

  /** Every array of codes, list after list. */
  parts(): IndexPart[] {
    return this.#store.parts();
  }

  /** Gives the memory back. Idempotent; everything else throws DisposedError afterwards. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#store[Symbol.dispose]();
    this.#preparer[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #check(what: string): void {
    if (this.#disposed) throw new DisposedError(`Index.${what}`, "index");
  }

  #numberOf(what: string, id: IndexId): number {
    this.#check(what);
    const number = this.#state.ids.numberOf(id);
    if (number === undefined || !this.#state.live.has(number))
      throw new InputError(`Index.${what}`, "id", "one of the index", id);
    return number;
  }

  /** From what kernels score, the smallest the best, to what users see. */
  #scoreOf(counts: boolean): (score: number) => number {
    const { spec, learned } = this.#state;
    if (counts || !higherIsNearer(this.metric)) return (score) => score;
    const s = spec.rescore ? undefined : stretchOf(learned);
    return s === undefined ? (score) => -score : (score) => (s * s + 1 - score) / (2 * s);
  }

  #checkLike(op: string, spec: string, metric: Metric, dimension: number): void {
    if (spec !== this.spec) throw new InputError(op, "spec of the other index", spec, this.spec);
    if (metric !== this.metric) throw new InputError(op, "metric of the other index", metric, this.metric);
    if (dimension !== this.dimension) throw new ShapeError(op, "vectors of the other index", dimension, this.dimension);
  }

  #emptyStore(): Store {
    const { metric, input, spec, learned } = this.#state;
    const metrics = { metric: kernelMetric(metric), codeMetric: codeMetric(metric, learned) };
    return new Store({ ...this.#state, ...metrics, dimension: spec.truncate ?? input });
  }

  #addRows(rows: VectorRows, ids: readonly IndexId[] | undefined, texts: readonly Uint8Array[]): void {
    const { ids: known, live, payloads } = this.#state;
    payloads.check(texts);
    const { first, replaced } = known.add(rows.n, ids);
    payloads.append(first, texts);
    this.#store.append(rows, first);
    live.grow(first, first + rows.n);
    for (const number of replaced) live.delete(number);
  }
}

/** Lists that are looked through where nobody says how many. */
const DEFAULT_PROBES = 16;

/** Queries that share the scan of a block of codes. */
const TOGETHER = 16;

/** Nodes of a graph that are kept on the way where nobody says how many. */
const DEFAULT_BREADTH = 64;

/** Vectors that are linked between two looks at a signal: a fifth of a second, of 384 coordinates. */
const LINKED = 256;

/** Vectors that a search within a radius asks for first. */
const FIRST_RANGE = 64;

/** What k may be at most. */
const MOST = 1 << 20;

function checkCount(op: string, what: string, value: number, most = MOST): number {
  if (!(Number.isInteger(value) && value >= 1 && value <= most))
    throw new OutOfRangeError(op, what, `1 to ${most}`, value);
  return value;
}

function liveNumbers(live: Bits, count: number): number[] {
  const numbers: number[] = [];
  for (let number = 0; number < count; number++) if (live.has(number)) numbers.push(number);
  return numbers;
}

/** @throws InputError */
export function checkMetric({ codes }: IndexSpec, metric: Metric): void {
  if (!METRICS.includes(metric)) throw new InputError("Index.build", "metric", METRICS.join(", "), metric);
  if (metric === "hamming" && codes.kind !== "binary")
    throw new InputError("Index.build", "metric of these codes", "ip, cosine or l2; hamming is of Binary", metric);
}
