/** The nearest vectors of some queries: from codes, then from what is scored again. */
import { InputError } from "lowbit";
import { flatScan, type KernelInstance, type Selection, TopK } from "lowbit/kernels";
import { Bits } from "./bits.ts";
import type { Query } from "./coders/coder.ts";
import { MOST_BREADTH } from "./graph.ts";
import type { IndexState, SearchOptions } from "./search-index.ts";
import type { Store } from "./store.ts";
import { stretched } from "./stretch.ts";

/** What a search may spend. */
export interface Effort {
  readonly k: number;
  /** Candidates that are scored again, k or more. */
  readonly rescored: number;
  /** Lists that are looked through. */
  readonly nprobe: number;
  /** Nodes of a graph that are kept on the way. */
  readonly efSearch: number;
  /** Every vector, by the most exact form that is stored. */
  readonly exact: boolean;
}

export interface Candidates {
  readonly ids: Uint32Array;
  /** The smallest is the best. */
  readonly scores: Float32Array | Int32Array;
  /** Whether scores count signs. */
  readonly counts: boolean;
}

/** Numbers and scores of the best of each query, [count, k]. */
export function candidates(
  instance: KernelInstance,
  store: Store,
  query: Query,
  allowed: Allowed,
  { k, rescored, exact, ...effort }: Effort,
): Candidates {
  const { coder, rescorer } = store;
  const { count: queries } = query;
  if (rescorer && exact) {
    using top = new TopK(instance, { k, queries });
    using scanner = rescorer.scanner(query);
    scanner.scan(store.exact!, allowed.selection, top, undefined);
    return { ...top.finishF32(), counts: false };
  }
  const s = store.stretch;
  using longer = s === undefined ? undefined : stretched(instance, query, s);
  const asked = longer ?? query;
  const found = fromCodes(instance, store, asked, allowed, { ...effort, exact, k: rescorer ? rescored : k });
  if (!rescorer) return { ...found, counts: coder.counts };
  const ids = new Uint32Array(queries * k);
  const scores = new Float32Array(queries * k);
  using better = new TopK(instance, { k });
  for (let i = 0; i < queries; i++) {
    const some = found.ids.subarray(i * rescored, (i + 1) * rescored);
    rescorer.rescore(store.exact!, one(query, i), some, {}, better);
    const best = better.finishF32();
    ids.set(best.ids, i * k);
    scores.set(best.scores, i * k);
  }
  return { ids, scores, counts: false };
}

/** Query i alone. */
function one({ pointer, count, values }: Query, i: number): Query {
  const d = values.length / count;
  return { pointer: pointer + 4 * d * i, count: 1, values: values.subarray(d * i, d * (i + 1)) };
}

/** Numbers and scores of the best by codes, [count, k]. */
export function fromCodes(
  instance: KernelInstance,
  store: Store,
  query: Query,
  { selection, count }: Allowed,
  { k, nprobe, efSearch, exact }: Omit<Effort, "rescored">,
): Pick<Candidates, "ids" | "scores"> {
  const { coder, lists, numbers, graph } = store;
  const finish = (top: TopK) => (coder.counts ? top.finishI32() : top.finishF32());
  if (!numbers) {
    using top = new TopK(instance, { k, queries: query.count });
    const wanted = Math.max(k, efSearch);
    const breadth = selection.filter ? graph?.breadthFor(wanted, count) : wanted;
    // As many as there are: a scan finds them all.
    if (graph && !exact && wanted < lists[0]!.n && breadth !== undefined && breadth <= MOST_BREADTH)
      graph.search(store.nodes, query.pointer, breadth, selection.filter, top);
    else {
      using scanner = coder.scanner(query);
      scanner.scan(lists[0]!, selection, top, undefined);
    }
    return finish(top);
  }
  const ids = new Uint32Array(query.count * k);
  const scores = new Float32Array(query.count * k);
  using top = new TopK(instance, { k });
  for (let i = 0; i < query.count; i++) {
    scanLists(instance, store, one(query, i), selection, exact ? lists.length : nprobe, top);
    const found = finish(top);
    ids.set(found.ids, i * k);
    scores.set(found.scores, i * k);
  }
  return { ids, scores };
}

/** Lists differ from query to query: nothing is shared. */
function scanLists(
  instance: KernelInstance,
  { coder, lists, numbers, centroids, centroidOf }: Store,
  query: Query,
  selection: Selection,
  nprobe: number,
  top: TopK,
): void {
  using scanner = coder.scanner(query);
  const nearest = Array.from(nearestLists(instance, centroids, lists.length, query, nprobe))
    .filter((list) => lists[list]!.n > 0)
    .map((list) => ({ list: lists[list]!, ids: numbers![list]!.pointer, centroid: centroidOf(list) }));
  if (scanner.scanLists) scanner.scanLists(nearest, selection, top);
  else for (const { list, ids, centroid } of nearest) scanner.scan(list, { ...selection, ids }, top, centroid);
}

function nearestLists(
  instance: KernelInstance,
  centroids: number,
  n: number,
  { pointer, values }: Query,
  nprobe: number,
): Uint32Array {
  using top = new TopK(instance, { k: Math.min(nprobe, n) });
  flatScan(instance, { rows: centroids, n, dimension: values.length, metric: "l2" }, pointer, top);
  return top.finishF32().ids;
}

/** Which vectors may be found. */
export interface Allowed {
  readonly selection: Selection;
  /** How many. */
  readonly count: number;
}

/** Bits of the vectors that may be found, in WASM memory; none where all may. */
export function filterWords(
  { live, ids, payloads, instance }: IndexState,
  filter: SearchOptions["filter"],
): Allowed & Disposable {
  const { count } = ids;
  const words = live.words.slice(0, Math.ceil(count / 32));
  if (typeof filter === "function") {
    for (let i = 0; i < count; i++)
      if (live.has(i) && !filter(ids.idOf(i), () => payloads.of(i))) words[i >>> 5]! &= ~(1 << (i & 31));
  } else if (filter) {
    if (!ids.plain) throw new InputError("Index.search", "filter", "a predicate, as ids are given", "bits");
    for (let i = 0; i < words.length; i++) words[i]! &= filter[i] ?? 0;
  } else if (live.size === count) return { selection: {}, count, [Symbol.dispose]: () => {} };
  const pointer = instance.upload(words);
  return {
    selection: { filter: { pointer, words: words.length } },
    count: new Bits(words).size,
    [Symbol.dispose]: () => {
      if (!instance.ended) instance.free(pointer, words.byteLength);
    },
  };
}
