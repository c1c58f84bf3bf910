/**
 * How long queries are made for scans by cosine of codes that stand for one vector each: product, residual and additive ones.
 *
 * What codes stand for, y, is the mean of the vectors x of length 1 that are coded alike: x = y + e with <y, e> = 0 on average, so y is shorter than x, by |e|² = 1 - |y|², the more the worse x is coded. An inner
 * product <q, y> takes that for being farther. Queries lean to what they are near to, <q, e> = a |e|² on average, so that
 *
 *   <q, x> = <q, y> + <q, e>, about <q, y> + a (1 - |y|²);   with s = 1 / (2 a) this is (s² + 1 - |s q - y|²) / (2 s),
 *
 * whose order is that of the squared distances from s q: tables are those of distances, and the query is made s long. s = 1, a = 1/2, is the plain distance; the inner product is a = 0. What a is depends on the data and
 * on how well they are coded, so s is measured when an index learns: on vectors of the sample as queries, by how many of their true nearest are found.
 */
import { flatScan, type KernelInstance, TopK } from "lowbit/kernels";
import { fromCodes } from "./candidates.ts";
import type { Query } from "./coders/coder.ts";
import type { Vectors } from "./prepare.ts";
import type { IndexSpec } from "./spec.ts";
import { Store } from "./store.ts";
import type { Learned } from "./train.ts";

/** Lengths that are tried, from FIRST on to either side while more is found. */
const LENGTHS = [1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 8] as const;
const FIRST = LENGTHS.indexOf(2);

/** Vectors that are queries, and those of their nearest that are counted. */
const QUERIES = 512;
const NEAREST = 10;
/** Queries that are asked together, and lists that they look through. */
const TOGETHER = 16;
const PROBES = 16;

/** Queries of length s, in memory of their own. */
export function stretched(
  instance: KernelInstance,
  { count, values }: Pick<Query, "count" | "values">,
  s: number,
): Query & Disposable {
  const longer = values.map((x) => s * x);
  const pointer = instance.upload(longer);
  return {
    pointer,
    count,
    values: longer,
    [Symbol.dispose]: () => {
      if (!instance.ended) instance.free(pointer, longer.byteLength);
    },
  };
}

/**
 * @param sample f32 [n, D], prepared: of length 1, rotated
 * @returns f32 [1], s
 */
export function fitStretch(
  instance: KernelInstance,
  { shape, data }: Vectors,
  { codes, lists }: IndexSpec,
  learned: Learned,
): Float32Array {
  const [n = 0, dimension = 1] = shape;
  // One more than is counted: each finds itself.
  const k = Math.min(n, NEAREST + 1);
  const kinds = { metric: "ip", codeMetric: "l2", efConstruction: 1 } as const;
  using store = new Store({ instance, spec: { codes, ...(lists && { lists }) }, dimension, learned, ...kinds });
  const x = instance.upload(data);
  try {
    const batches = batchesOf(data, dimension).map((batch) => {
      using query = stretched(instance, batch, 1);
      using top = new TopK(instance, { k, queries: batch.count });
      flatScan(instance, { rows: x, n, dimension, metric: "ip" }, query.pointer, top);
      return { ...batch, nearest: top.finishF32().ids };
    });
    // Behind it: coders of residuals write over their rows.
    store.append({ x, n, dimension }, 0);
    const effort = { k, nprobe: PROBES, efSearch: k, exact: false };
    const counted = new Map<number, number>();
    const count = (i: number): number => {
      const known = counted.get(i);
      if (known !== undefined) return known;
      const s = LENGTHS[i];
      let found = -1;
      if (s !== undefined)
        for (const batch of batches) {
          using query = stretched(instance, batch, s);
          found += shared(fromCodes(instance, store, query, { selection: {}, count: n }, effort).ids, batch.nearest, k);
        }
      counted.set(i, found);
      return found;
    };
    let best = FIRST;
    for (const step of [1, -1]) while (count(best + step) > count(best)) best += step;
    return Float32Array.of(LENGTHS[best]!);
  } finally {
    if (!instance.ended) instance.free(x, data.byteLength);
  }
}

/** Rows that are spread evenly, in batches. */
function batchesOf(data: Float32Array, dimension: number): Pick<Query, "count" | "values">[] {
  const n = data.length / dimension;
  const count = Math.min(n, QUERIES);
  return Array.from({ length: Math.ceil(count / TOGETHER) }, (_, batch) => {
    const first = TOGETHER * batch;
    const some = Math.min(TOGETHER, count - first);
    const values = new Float32Array(some * dimension);
    for (let i = 0; i < some; i++) {
      const from = Math.floor(((first + i) * n) / count) * dimension;
      values.set(data.subarray(from, from + dimension), i * dimension);
    }
    return { count: some, values };
  });
}

/** Numbers that two lists share, query by query. */
function shared(a: Uint32Array, b: Uint32Array, k: number): number {
  let both = 0;
  for (let from = 0; from < a.length; from += k) {
    const some = new Set(a.subarray(from, from + k));
    for (const number of b.subarray(from, from + k)) if (some.has(number)) both++;
  }
  return both;
}
