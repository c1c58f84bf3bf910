/** k-means of sub-vectors: what `pq`, `rq` and `aq` share. */
import type { Random } from "../random.ts";
import type { Vectors } from "./loops.ts";
import { candidates, plusPlus } from "./seeding.ts";

export interface LloydOptions {
  readonly clusters: number;
  /** Independent starts, of which the one with the least error wins (the earliest on a tie). */
  readonly restarts: number;
  /** Passes over the vectors per start, at most. */
  readonly iterations: number;
  /** Passes over all vectors where a sample of them was trained on. Default 1. */
  readonly fullPasses?: number | undefined;
}

/** Vectors that starts are made and chosen on, and of which a quarter begins: 256 for each of the most centroids, as in faiss. */
const TRAINED = 65536;
const BEGUN = TRAINED / 4;

/** Numbers of a vector that k-means++ looks at, of longer ones at equal distances: whole rows would come from memory once for every centroid. */
const SEEN = 128;

/** Neighbours that are taken together into that sample, as one copy. */
const RUN = 64;

/** Passes end when one lessens the error by less than this part of it: where all vectors are seen, and where they are a sample, whose error is not that of all. */
const SETTLED = { all: 1e-4, sample: 4e-3 };

/** A codebook [clusters, dimension] in lexicographic order and the index of the nearest vector for each sub-vector. */
export interface Clustering {
  readonly codebook: Float32Array;
  readonly codes: Uint8Array;
}

/** Centroids and the error with them, Σ|x|² - Σ n|mean|² up to f64 rounding. */
interface Refined {
  readonly centroids: Float32Array;
  readonly error: number;
}

/**
 * Lloyd's algorithm from k-means++ starts: assign each sub-vector to its nearest centroid (the lowest index on a tie), move each centroid to the mean of its members,
 * repeat. An empty cluster takes the sub-vector that is farthest from its centroid. Of more than 65,536 sub-vectors, a sample of 16,384 finds and compares the starts, the best goes
 * on with one of 65,536, and a pass over all of them ends it (`fullPasses`).
 *
 * Where there are no more distinct sub-vectors than clusters, each becomes a centroid and nothing is lost (to the precision of an f32 distance);
 * spare centroids repeat another one and no code names them.
 *
 * @param vectors scaled so that no square leaves f32's range.
 */
export function lloyd(vectors: Vectors, random: Random, options: LloydOptions): Clustering {
  const centroids =
    vectors.count > TRAINED ? sampled(vectors, random, options) : bestStart(vectors, SETTLED.all, random, options);
  const codebook = sortVectors(centroids, vectors.dimension);
  return { codebook, codes: vectors.nearest(codebook) };
}

/** Centroids by growing samples. */
function sampled(vectors: Vectors, random: Random, options: LloydOptions): Float32Array {
  using few = sampleRuns(vectors, BEGUN, random);
  const start = bestStart(few, SETTLED.sample, random, options);
  using more = sampleRuns(vectors, TRAINED, random);
  const { centroids } = refine(more, start, SETTLED.sample, options);
  return refine(vectors, centroids, SETTLED.all, { ...options, iterations: options.fullPasses ?? 1 }).centroids;
}

/** A run of neighbours from a random place in each of count / RUN equal stretches. */
function sampleRuns(vectors: Vectors, count: number, random: Random): Vectors {
  const { dimension } = vectors;
  const runs = count / RUN;
  const start = (run: number): number =>
    Math.floor(((run + random.uniform()) * (vectors.count - RUN)) / runs) * dimension;
  return vectors.take(
    Uint32Array.from({ length: runs }, (_, run) => start(run)),
    RUN * dimension,
    dimension,
  );
}

/** The start with the least error after its own passes. */
function bestStart(vectors: Vectors, settled: number, random: Random, options: LloydOptions): Float32Array {
  let best: Refined | undefined;
  for (const seeds of starts(vectors, random, options)) {
    const centroids = new Float32Array(options.clusters * vectors.dimension);
    for (const [cluster, vector] of seeds.entries()) centroids.set(vectors.at(vector), cluster * vectors.dimension);
    const found = refine(vectors, centroids, settled, options);
    if (best === undefined || found.error < best.error) best = found;
  }
  return best!.centroids;
}

/** Indices of the vectors that each start begins with. */
function starts(vectors: Vectors, random: Random, { clusters, restarts }: LloydOptions): Uint32Array[] {
  const pool = candidates(vectors.count, random);
  using columns = vectors.columns(pool, Math.ceil(vectors.dimension / SEEN));
  const nearer = (chosen: number, distances: Float32Array): void => columns.nearer(chosen, distances);
  return Array.from({ length: restarts }, () =>
    plusPlus(pool.length, clusters, random, nearer).map((index) => pool[index]!),
  );
}

/** Lloyd passes from one start. */
function refine(
  vectors: Vectors,
  start: Float32Array,
  settled: number,
  { clusters, iterations }: LloydOptions,
): Refined {
  using search = vectors.lloyd(start);
  const signal = vectors.sumSquares();
  let error = Number.POSITIVE_INFINITY;
  // Filling an empty cluster costs a pass of its own; at most one for each cluster are granted.
  let fills = clusters;
  for (let pass = 0; pass < iterations; ) {
    const { explained, empty, moved } = search.pass();
    const before = error;
    error = signal - explained;
    if (empty >= 0 && fills > 0 && search.refill(empty)) {
      fills--;
      continue;
    }
    pass++;
    if (!moved || before - error <= settled * error) break;
  }
  return { centroids: search.centroids(), error };
}

/** Codebook vectors in lexicographic order. */
function sortVectors(vectors: Float32Array, dimension: number): Float32Array {
  const rows = Array.from({ length: vectors.length / dimension }, (_, i) =>
    vectors.subarray(i * dimension, (i + 1) * dimension),
  );
  rows.sort((a, b) => {
    const j = a.findIndex((value, i) => value !== b[i]);
    return j < 0 ? 0 : a[j]! - b[j]!;
  });
  const sorted = new Float32Array(vectors.length);
  for (const [i, row] of rows.entries()) sorted.set(row, i * dimension);
  return sorted;
}
