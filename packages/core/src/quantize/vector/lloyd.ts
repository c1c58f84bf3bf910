/** k-means of sub-vectors: what `kmeans` (dimension 1) and `pq` share. */
import { disposeSymbol } from "../../dispose.ts";
import type { Resident } from "../inner.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";
import type { Random } from "../random.ts";
import type { Weights } from "../weights.ts";

export interface LloydOptions {
  readonly dimension: number;
  readonly clusters: number;
  /** Independent starts, of which the one with the least error wins (the earliest on a tie). */
  readonly restarts: number;
  /** Passes over the weights per start, at most. */
  readonly iterations: number;
}

/** Vectors that starts are made and chosen on; more than these are seen by the refinement of the best start only. */
const TRAINED = 65536;

/** Neighbours that are taken together into that sample, as one copy. */
const RUN = 64;

/** Vectors that k-means++ chooses from. */
const CANDIDATES = 4096;

/** Passes end when one lessens the error by less than this part of it: of a start, and of its refinement on more than the sample. */
const SETTLED = { start: 1e-6, refinement: 1e-5 };

/** A codebook [clusters, dimension] in lexicographic order and the index of the nearest vector for each sub-vector. */
export interface Clustering {
  readonly codebook: Float32Array;
  readonly codes: Uint8Array;
}

/** Scaled sub-vectors: where the kernels see them, and one at a time. */
interface Vectors extends Disposable {
  readonly resident: Resident;
  /** Σ|x|² */
  readonly signal: number;
  readonly at: (vector: number) => Float32Array;
}

/** Centroids and the error with them, Σ|x|² - Σ n|mean|² up to f64 rounding. */
interface Refined {
  readonly centroids: Float32Array;
  readonly error: number;
}

/**
 * Lloyd's algorithm from k-means++ starts (Arthur, Vassilvitskii, 2007): assign each sub-vector to its nearest centroid (the lowest index on
 * a tie), move each centroid to the mean of its members, repeat. An empty cluster takes the sub-vector that is farthest from its centroid.
 * Of more than 65,536 sub-vectors, a sample of that many finds and compares the starts; the best goes on with all of them.
 *
 * Where there are no more distinct sub-vectors than clusters, each becomes a centroid and nothing is lost (to the precision of an f32 distance);
 * spare centroids repeat another one and no code names them.
 *
 * Weights are first scaled by a power of two, exactly, so that no square leaves f32's range.
 */
export function lloyd(weights: Weights, random: Random, options: LloydOptions): Clustering {
  const { dimension } = options;
  const max = largest(weights.absMax());
  weights.release();
  const exponent = max === 0 ? 0 : floorLog2(max);
  const factor = powerOfTwo(-exponent);
  const values = weights.values();
  const trained = sampleRuns(values, dimension, random);

  let best = bestStart(weights, trained, factor, random, options);
  using vectors = scaledVectors(weights, values, factor, dimension);
  if (trained !== values) best = refine(vectors, best.centroids, SETTLED.refinement, options);
  const sorted = sortVectors(best.centroids, dimension);
  const unit = powerOfTwo(exponent);
  return { codes: vectors.resident.nearest(sorted, dimension), codebook: sorted.map((c) => c * unit) };
}

const largest = (values: Float32Array): number => {
  let max = 0;
  for (const value of values) max = Math.max(max, value);
  return max;
};

function scaledVectors(weights: Weights, values: Float32Array, factor: number, dimension: number): Vectors {
  const resident = weights.resident(values, factor);
  return {
    resident,
    signal: weights.sumSquares(values) * factor * factor,
    at: (vector) => values.slice(vector * dimension, (vector + 1) * dimension).map((w) => w * factor),
    [disposeSymbol]: () => resident[disposeSymbol](),
  };
}

/** All sub-vectors, or a run of neighbours from a random place in each of TRAINED / RUN equal stretches. */
function sampleRuns(values: Float32Array, dimension: number, random: Random): Float32Array {
  const count = values.length / dimension;
  if (count <= TRAINED) return values;
  const runs = TRAINED / RUN;
  const sample = new Float32Array(TRAINED * dimension);
  for (let run = 0; run < runs; run++) {
    const from = Math.floor(((run + random.uniform()) * (count - RUN)) / runs) * dimension;
    sample.set(values.subarray(from, from + RUN * dimension), run * RUN * dimension);
  }
  return sample;
}

/** The start with the least error after its own passes over `values`. */
function bestStart(
  weights: Weights,
  values: Float32Array,
  factor: number,
  random: Random,
  options: LloydOptions,
): Refined {
  using vectors = scaledVectors(weights, values, factor, options.dimension);
  const candidates = sampleVectors(values, factor, options.dimension, random);
  let best: Refined | undefined;
  for (let start = 0; start < options.restarts; start++) {
    const found = refine(vectors, plusPlus(candidates, random, options), SETTLED.start, options);
    if (best === undefined || found.error < best.error) best = found;
  }
  return best!;
}

/** All vectors, or one at random from each of CANDIDATES equal stretches of them. */
function sampleVectors(values: Float32Array, factor: number, dimension: number, random: Random): Float64Array {
  const count = values.length / dimension;
  const taken = Math.min(count, CANDIDATES);
  const sample = new Float64Array(taken * dimension);
  for (let i = 0; i < taken; i++) {
    const vector = count <= CANDIDATES ? i : Math.floor(((i + random.uniform()) * count) / taken);
    for (let j = 0; j < dimension; j++) sample[i * dimension + j] = values[vector * dimension + j]! * factor;
  }
  return sample;
}

/**
 * k-means++: the first centroid at random, each further one with probability proportional to its squared distance to the nearest so far.
 * Where the sample runs out of distinct vectors the rest repeat the first centroid.
 */
function plusPlus(sample: Float64Array, random: Random, { dimension, clusters }: LloydOptions): Float32Array {
  const count = sample.length / dimension;
  const distances = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const centroids = new Float32Array(clusters * dimension);
  let chosen = random.below(count);
  for (let cluster = 0; cluster < clusters; cluster++) {
    for (let j = 0; j < dimension; j++) centroids[cluster * dimension + j] = sample[chosen * dimension + j]!;
    let total = 0;
    for (let i = 0; i < count; i++) {
      let distance = 0;
      for (let j = 0; j < dimension; j++) {
        const difference = sample[i * dimension + j]! - sample[chosen * dimension + j]!;
        distance += difference * difference;
      }
      distances[i] = Math.min(distances[i]!, distance);
      total += distances[i]!;
    }
    chosen = total === 0 ? chosen : draw(distances, random.uniform() * total);
  }
  return centroids;
}

/** The first index at which the running sum of `weights` exceeds `target`; never one of weight 0. */
function draw(weights: Float64Array, target: number): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    sum += weights[i]!;
    last = i;
    if (sum > target) return i;
  }
  return last;
}

/** Lloyd passes from one start. */
function refine(
  { resident, signal, at }: Vectors,
  centroids: Float32Array,
  settled: number,
  { dimension, clusters, iterations }: LloydOptions,
): Refined {
  let error = Number.POSITIVE_INFINITY;
  // Filling an empty cluster costs a pass of its own; at most one for each cluster are granted.
  let fills = clusters;
  for (let pass = 0; pass < iterations; ) {
    const codes = resident.nearest(centroids, dimension);
    const { sums, counts } = resident.clusterSums(codes, dimension, clusters);
    const moved = centroids.map((value, i) => {
      const count = counts[Math.floor(i / dimension)]!;
      return count === 0 ? value : sums[i]! / count;
    });
    const before = error;
    error = signal - explained(sums, counts, dimension);
    const empty = counts.indexOf(0);
    if (empty >= 0 && fills > 0 && fillCluster({ resident, at }, codes, moved, empty, dimension)) {
      fills--;
    } else {
      pass++;
      if (before - error <= settled * error || moved.every((value, i) => value === centroids[i]))
        return { centroids: moved, error };
    }
    centroids = moved;
  }
  return { centroids, error };
}

/** Σ n|mean|² over clusters. */
function explained(sums: Float64Array, counts: Uint32Array, dimension: number): number {
  let total = 0;
  for (let i = 0; i < sums.length; i++) {
    const count = counts[Math.floor(i / dimension)]!;
    if (count > 0) total += (sums[i]! * sums[i]!) / count;
  }
  return total;
}

/** Moves an empty cluster to the vector farthest from its centroid; false where every vector lies on its own. */
function fillCluster(
  { resident, at }: Pick<Vectors, "resident" | "at">,
  codes: Uint8Array,
  centroids: Float32Array,
  empty: number,
  dimension: number,
): boolean {
  const position = resident.farthest(codes, centroids, dimension);
  const vector = at(position);
  const own = codes[position]! * dimension;
  if (vector.every((value, j) => value === centroids[own + j])) return false;
  centroids.set(vector, empty * dimension);
  return true;
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
  return Float32Array.from(rows.flatMap((row) => [...row]));
}
