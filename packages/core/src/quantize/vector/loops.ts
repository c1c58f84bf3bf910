/**
 * The inner loops of codebook searches: what touches every vector. Numbers as in `inner.ts`: distances and products are f32 chains over ascending index, sums are f64 over ascending
 * position, ties go to the lowest index.
 */

/** What a pass of Lloyd's algorithm found. */
export interface LloydPass {
  /** Σ n |mean|² over clusters: the error is Σ|x|² less this. */
  readonly explained: number;
  /** The first cluster without members, or -1. */
  readonly empty: number;
  /** Whether a centroid changed. */
  readonly moved: boolean;
}

/** Centroids on their way, and the code of every vector. */
export interface Lloyd extends Disposable {
  /** Each vector to its nearest centroid, then each centroid to the mean of its members. */
  pass(): LloydPass;
  /** Moves the centroid of an empty cluster to the vector that is farthest from its own; false where every vector lies on its own. */
  refill(empty: number): boolean;
  /** f32 [clusters, dimension], a copy. */
  centroids(): Float32Array;
}

/** Codes [vectors, count] and codebooks [count, entries, dimension] whose entries add up. */
export interface AdditiveCodes {
  readonly codes: Uint8Array;
  readonly codebooks: Float32Array;
  readonly count: number;
}

/** Vectors held where the loops run, until disposed. */
export interface Vectors extends Disposable {
  readonly dimension: number;
  readonly count: number;
  /** Σ|x|² */
  sumSquares(): number;
  at(vector: number): Float32Array;
  /** A copy of runs of `length` floats that begin at `starts` (in floats), as vectors of their own. */
  take(starts: Uint32Array, length: number, dimension: number): Vectors;
  /** A copy of every `step`th number of the vectors of these indices, each in a column: [dimension / step rounded up, chosen]. */
  columns(chosen: Uint32Array, step: number): Columns;
  /** Every vector times a rotation, whose columns are f32 `transposed` [dimension, dimension], one after another. */
  rotate(transposed: Float32Array): Vectors;
  /**
   * The rotation R that makes Σ|R x - y|² least, row-major f64; y is what codes [subspaces, vectors] stand for in codebooks [subspaces, entries, dimension / subspaces]. Where the
   * vectors leave it open, R is as `before`.
   */
  procrustes(codes: Uint8Array, codebooks: Float32Array, subspaces: number, before: Float64Array): Float64Array;
  /** Index of the nearest of 1..256 codebook vectors for each vector, by the squared distance. */
  nearest(codebook: Float32Array): Uint8Array;
  /** @param centroids f32 [clusters, dimension], the start */
  lloyd(centroids: Float32Array): Lloyd;
  /** Takes the codebook vector of each code off its vector. */
  subtract(codes: Uint8Array, codebook: Float32Array): void;
  /**
   * Goes `searches` times through the codebooks with a beam of that many codings of each vector, in each step trying every entry of one codebook on all of them; then `fits` times
   * through the codebooks, moving each entry to the mean of what the other codebooks leave of its vectors. `error` is Σ|x - Σc|² at the end.
   */
  additive(
    start: AdditiveCodes,
    effort: { readonly beam: number; readonly searches: number; readonly fits: number },
  ): AdditiveCodes & { readonly error: number };
  /**
   * Codes [vectors, count] by a beam from codebook to codebook [count, 16 or 256, dimension], in which then `sweeps` times each code may become another. For vectors of many numbers: products take the place of what
   * is left, which {@link Vectors.additive} holds.
   */
  sums(codebooks: Float32Array, count: number, effort: { readonly beam: number; readonly sweeps: number }): Uint8Array;
}

export interface Columns extends Disposable {
  /** distances[i] = min(distances[i], |x_i - x_chosen|²), in place. */
  nearer(chosen: number, distances: Float32Array): void;
}

/** Values in ascending order, each with a weight. */
export interface SortedValues extends Disposable {
  /**
   * Of the values up to bounds[0], those up to bounds[1], ... and those above: [bounds + 1, 4], their weight, Σ weight · value, the smallest and the largest (all 0 where there is
   * none). Sums run over ascending index within runs of 64 values, and then over runs.
   */
  intervals(bounds: Float64Array): Float64Array;
}

/** Weights with their curvature. */
export interface CurvedWeights extends Disposable {
  readonly length: number;
  /** argmin h (w - level)² + penalty of 1..256 levels, in f32. */
  codes(levels: Float32Array, penalties: Float32Array): Uint8Array;
  /** Per level [levels, 4]: its number of weights, Σh, Σhw, Σhw². */
  sums(codes: Uint8Array, levels: number): Float64Array;
}

/** Weights, and their curvature times `ratio` (both absent: 1). */
export interface CurvedNumbers {
  readonly values: Float32Array;
  readonly curvature?: Float32Array | undefined;
  readonly ratio?: number | undefined;
}

export interface CodebookLoops {
  /** Codes [count, n] to [n, count]. */
  interleave(codes: Uint8Array, count: number): Uint8Array;
  /** Copies x * factor to where the loops run. */
  vectors(x: Float32Array, factor: number, dimension: number): Vectors;
  /** A sorted copy of x * factor; weights below `floor` count as that, absent ones as 1. */
  sorted(x: Float32Array, factor: number, weights?: Float32Array, floor?: number): SortedValues;
  /** A copy of values * factor with curvature * ratio. */
  curved(factor: number, numbers: CurvedNumbers): CurvedWeights;
  /** Per shared value the mean of ±w * factor of the weights that are hashed to it; 0 where none is. */
  hashedMeans(x: Float32Array, seed: number, factor: number, values: number): Float32Array;
}
