/** The nearest vectors of one query: from codes, then from what is scored again. */
import { InputError } from "lowbit";
import { flatScan, type KernelInstance, type Selection, TopK } from "lowbit/kernels";
import { Bits } from "./bits.ts";
import type { Query } from "./coders/coder.ts";
import { MOST_BREADTH } from "./graph.ts";
import type { IndexState, SearchOptions } from "./search-index.ts";
import type { Store } from "./store.ts";

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

/** Numbers and scores of the best, k of them or more. */
export function candidates(
  instance: KernelInstance,
  store: Store,
  query: Query,
  { selection, count }: Allowed,
  { k, rescored, nprobe, efSearch, exact }: Effort,
): Candidates {
  const { coder, rescorer, graph } = store;
  if (rescorer && exact) {
    using top = new TopK(instance, { k });
    using scanner = rescorer.scanner(query);
    scanner.scan(store.exact!, selection, top, undefined);
    return { ...top.finishF32(), counts: false };
  }
  using top = new TopK(instance, { k: rescorer ? rescored : k });
  const wanted = Math.max(top.k, efSearch);
  const breadth = selection.filter ? graph?.breadthFor(wanted, count) : wanted;
  if (graph && !exact && store.lists[0]!.n > 0 && breadth !== undefined && breadth <= MOST_BREADTH)
    graph.search(store.nodes, query.pointer, breadth, selection.filter, top);
  else scanCodes(instance, store, query, selection, exact ? store.lists.length : nprobe, top);
  const found = coder.counts ? top.finishI32() : top.finishF32();
  if (!rescorer) return { ...found, counts: coder.counts };
  using better = new TopK(instance, { k });
  rescorer.rescore(store.exact!, query, found.ids, {}, better);
  return { ...better.finishF32(), counts: false };
}

function scanCodes(
  instance: KernelInstance,
  { coder, lists, numbers, centroids, centroidOf }: Store,
  query: Query,
  selection: Selection,
  nprobe: number,
  top: TopK,
): void {
  using scanner = coder.scanner(query);
  if (!numbers) {
    scanner.scan(lists[0]!, selection, top, undefined);
    return;
  }
  for (const list of nearestLists(instance, centroids, lists.length, query, nprobe))
    if (lists[list]!.n > 0)
      scanner.scan(lists[list]!, { ...selection, ids: numbers[list]!.pointer }, top, centroidOf(list));
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
  { live, ids, instance }: IndexState,
  filter: SearchOptions["filter"],
): Allowed & Disposable {
  const { count } = ids;
  const words = live.words.slice(0, Math.ceil(count / 32));
  if (typeof filter === "function") {
    for (let i = 0; i < count; i++) if (live.has(i) && !filter(ids.idOf(i))) words[i >>> 5]! &= ~(1 << (i & 31));
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
