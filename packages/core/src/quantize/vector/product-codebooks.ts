/** Product quantization of vectors as search engines have it: a codebook for each sub-space. */

import { NotFiniteError, ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { checkInteger } from "../define.ts";
import { innerLoops } from "../engine.ts";
import type { InnerLoops } from "../inner.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";
import { Random } from "../random.ts";
import type { FloatTensor } from "../types.ts";
import { checkSearch } from "./kmeans.ts";
import { lloyd } from "./lloyd.ts";
import type { Vectors } from "./loops.ts";

export interface ProductCodebooksOptions {
  /** Sub-spaces M; must divide the length of the vectors. */
  readonly subspaces: number;
  /** Centroids of each, 2..256. Default 256. */
  readonly centroids?: number;
  /** Lloyd passes, at most. Default 25. */
  readonly iterations?: number;
  /** Default 0. */
  readonly seed?: number;
  /** The WASM instance to run on; absent: one of this package's own. */
  readonly kernels?: KernelInstance;
}

export interface ProductCodebooks {
  /** f32 [subspaces, centroids, dimension] */
  readonly codebooks: Float32Array;
  /** Numbers of a sub-vector. */
  readonly dimension: number;
  readonly subspaces: number;
  /** The codes of the vectors that were learned from, [vectors, subspaces]. */
  readonly codes: Uint8Array;
  /** Mean over vectors of |x - what its codes stand for|². */
  readonly error: number;
}

/**
 * Product quantization (Jégou, Douze, Schmid): vectors of d numbers are cut into M sub-vectors, and each of the M sub-spaces has K centroids of its own by k-means. The scheme `pq:<D>x<K>` shares one codebook among
 * all sub-vectors instead, since a codebook of each would be a large part of a layer; an index of many vectors has it for nothing.
 *
 * @param vectors f32 [n, d], finite.
 * @throws ShapeError, NotFiniteError, OutOfRangeError (settings), LoadError.
 */
export async function trainProductCodebooks(
  vectors: FloatTensor,
  { subspaces, centroids = 256, iterations = 25, seed = 0, kernels }: ProductCodebooksOptions,
): Promise<ProductCodebooks> {
  const op = "trainProductCodebooks";
  checkSearch(op, centroids, 1, iterations);
  const loops = await innerLoops(kernels);
  const { length, factor } = checkVectors(op, vectors, loops);
  checkInteger(op, "subspaces", subspaces, 1, length);
  if (length % subspaces !== 0) throw new ShapeError(op, "numbers of a vector", `a multiple of ${subspaces}`, length);
  using held = loops.vectors(vectors.data, factor, length);
  const found = productCodebooks(held, subspaces, new Random(seed), { clusters: centroids, restarts: 1, iterations });
  const codes = loops.interleave(found.codes, subspaces);
  const error = found.error / (factor * factor * held.count);
  return { codebooks: found.codebooks.map((c) => c / factor), dimension: length / subspaces, subspaces, codes, error };
}

/** Length of the vectors, and the power of two that brings the largest number into [1, 2). */
function checkVectors(op: string, { shape, data }: FloatTensor, loops: InnerLoops): { length: number; factor: number } {
  const [count = 0, length = 0] = shape;
  if (shape.length !== 2 || !(count >= 1 && length >= 1) || data.length !== count * length)
    throw new ShapeError(op, "vectors", "[n, d], neither 0, with n * d numbers", `[${shape}] with ${data.length}`);
  const position = loops.firstNonFinite(data);
  if (position >= 0) throw new NotFiniteError(op, "vectors", position);
  using held = loops.load(data);
  const most = held.absMax({ rows: 1, columns: data.length, groupSize: data.length })[0]!;
  return { length, factor: most === 0 ? 1 : powerOfTwo(-floorLog2(most)) };
}

/** Of each sub-space in turn: codebook and codes, [subspaces, vectors], and the sum of squared errors. */
function productCodebooks(
  vectors: Vectors,
  subspaces: number,
  random: Random,
  options: { clusters: number; restarts: number; iterations: number },
): { codebooks: Float32Array; codes: Uint8Array; error: number } {
  const { count } = vectors;
  const dimension = vectors.dimension / subspaces;
  const codebooks = new Float32Array(subspaces * options.clusters * dimension);
  const codes = new Uint8Array(subspaces * count);
  let error = 0;
  for (let s = 0; s < subspaces; s++) {
    const starts = Uint32Array.from({ length: count }, (_, i) => i * vectors.dimension + s * dimension);
    using part = vectors.take(starts, dimension, dimension);
    const found = lloyd(part, random, options);
    const start = { codes: found.codes, codebooks: found.codebook, count: 1 };
    error += part.additive(start, { beam: 1, searches: 0, fits: 0 }).error;
    codebooks.set(found.codebook, s * found.codebook.length);
    codes.set(found.codes, s * count);
  }
  return { codebooks, codes, error };
}
