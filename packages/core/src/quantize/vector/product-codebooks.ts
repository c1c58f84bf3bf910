/** Product quantization of vectors as search engines have it: a codebook for each sub-space, and a rotation before them. */
import { disposeSymbol } from "../../dispose.ts";
import { NotFiniteError, OutOfRangeError, ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { checkInteger } from "../define.ts";
import { innerLoops } from "../engine.ts";
import type { InnerLoops } from "../inner.ts";
import type { Method } from "../method.ts";
import { GE, JEGOU } from "../papers.ts";
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

export interface RotatedCodebooksOptions extends ProductCodebooksOptions {
  /** Rotations, at most: each is followed by a few Lloyd passes. Default 30. */
  readonly rotations?: number;
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

export interface RotatedCodebooks extends ProductCodebooks {
  /** Orthogonal R, f32 [d, d] row-major: R x is what the codebooks stand for, and Rᵀ turns it back. */
  readonly rotation: Float32Array;
}

/** The longest vectors that are rotated: R has as many numbers squared. */
const MOST_ROTATED = 1024;

/** Lloyd passes after a rotation. */
const PASSES = 2;

/** Rotations end when one lessens the error by less than this part. */
const SETTLED = 1e-4;

/**
 * Product quantization (Jégou, Douze, Schmid): vectors of d numbers are cut into M sub-vectors, and each of the M sub-spaces has K centroids of its own by k-means. The scheme `pq:<D>x<K>` shares one
 * codebook among all sub-vectors instead, since a codebook of each would be a large part of a layer; an index of many vectors has it for nothing. With M = 1 it is k-means of whole vectors.
 *
 * @param vectors f32 [n, d], finite.
 * @throws ShapeError, NotFiniteError, OutOfRangeError (settings), LoadError.
 */
export async function trainProductCodebooks(
  vectors: FloatTensor,
  options: ProductCodebooksOptions,
): Promise<ProductCodebooks> {
  const setting = await prepare("trainProductCodebooks", vectors, options);
  using held = setting.vectors();
  return setting.result(productCodebooks(held, setting));
}

/**
 * Optimised product quantization (Ge, He, Ke, Sun; the non-parametric one): min Σ|R x - y|² over rotations R, codebooks and codes, y being what the codes of R x stand for. From R = 1 and its product codebooks on, by turns
 *
 *   rotation    R = U Vᵀ with Σ y xᵀ = U S Vᵀ (the orthogonal Procrustes problem);
 *   codebooks   two Lloyd passes of every sub-space from the codebooks that stand.
 *
 * No step makes the error larger, and |x - Rᵀ y| = |R x - y|. It is not a quantizer of weights: of a layer of K inputs, R would be stored in K² floats beside the codes, or be undone in the activations by K² multiply-adds.
 *
 * @param vectors f32 [n, d], finite, d at most 1024.
 * @throws ShapeError, NotFiniteError, OutOfRangeError (settings, d), LoadError.
 */
export async function trainRotatedCodebooks(
  vectors: FloatTensor,
  { rotations = 30, ...options }: RotatedCodebooksOptions,
): Promise<RotatedCodebooks> {
  const op = "trainRotatedCodebooks";
  checkInteger(op, "rotations", rotations, 1, 1000);
  const setting = await prepare(op, vectors, options);
  const { length } = setting;
  if (length > MOST_ROTATED) throw new OutOfRangeError(op, "numbers of a vector", `at most ${MOST_ROTATED}`, length);
  using held = setting.vectors();
  let rotation = new Float64Array(length * length);
  for (let i = 0; i < length; i++) rotation[i * length + i] = 1;
  let best = { ...productCodebooks(held, setting), rotation };
  for (let turn = 0; turn < rotations; turn++) {
    rotation = held.procrustes(best.codes, best.codebooks, setting.subspaces, best.rotation) as typeof rotation;
    using turned = held.rotate(transposed(rotation, length));
    const next = { ...productCodebooks(turned, setting, best.codebooks), rotation };
    // Rounding may make a step the other way.
    if (next.error >= best.error) break;
    const settled = best.error - next.error <= SETTLED * best.error;
    best = next;
    if (settled) break;
  }
  return { ...setting.result(best), rotation: Float32Array.from(best.rotation) };
}

interface Setting {
  readonly length: number;
  readonly subspaces: number;
  readonly clusters: number;
  readonly restarts: number;
  readonly iterations: number;
  readonly random: Random;
  readonly vectors: () => Vectors;
  readonly result: (found: Found) => ProductCodebooks;
}

/** Codebooks, codes [subspaces, vectors] and the sum of squared errors, all of scaled vectors. */
interface Found {
  readonly codebooks: Float32Array;
  readonly codes: Uint8Array;
  readonly error: number;
}

async function prepare(
  op: string,
  { shape, data }: FloatTensor,
  { subspaces, centroids = 256, iterations = 25, seed = 0, kernels }: ProductCodebooksOptions,
): Promise<Setting> {
  checkSearch(op, centroids, 1, iterations);
  const [count = 0, length = 0] = shape;
  if (shape.length !== 2 || !(count >= 1 && length >= 1) || data.length !== count * length)
    throw new ShapeError(op, "vectors", "[n, d], neither 0, with n * d numbers", `[${shape}] with ${data.length}`);
  checkInteger(op, "subspaces", subspaces, 1, length);
  if (length % subspaces !== 0) throw new ShapeError(op, "numbers of a vector", `a multiple of ${subspaces}`, length);
  const loops = await innerLoops(kernels);
  const factor = checkedFactor(op, data, loops);
  const result = ({ codebooks, codes, error }: Found): ProductCodebooks => ({
    codebooks: codebooks.map((c) => c / factor),
    dimension: length / subspaces,
    subspaces,
    codes: loops.interleave(codes, subspaces),
    error: error / factor / factor / count,
  });
  const vectors = (): Vectors => loops.vectors(data, factor, length);
  return { length, subspaces, clusters: centroids, restarts: 1, iterations, random: new Random(seed), vectors, result };
}

/** The power of two that brings the largest number into [1, 2). */
export function checkedFactor(op: string, data: Float32Array, loops: InnerLoops): number {
  const position = loops.firstNonFinite(data);
  if (position >= 0) throw new NotFiniteError(op, "vectors", position);
  using held = loops.load(data);
  const most = held.absMax({ rows: 1, columns: data.length, groupSize: data.length })[0]!;
  return most === 0 ? 1 : powerOfTwo(-floorLog2(most));
}

/** One sub-space after the other, from codebooks that stand or from new starts. */
function productCodebooks(vectors: Vectors, setting: Setting, standing?: Float32Array): Found {
  const { subspaces, clusters, random } = setting;
  const { count } = vectors;
  const dimension = vectors.dimension / subspaces;
  const size = clusters * dimension;
  const codebooks = new Float32Array(subspaces * size);
  const codes = new Uint8Array(subspaces * count);
  let error = 0;
  for (let s = 0; s < subspaces; s++) {
    const part = subspaces === 1 ? vectors : subspace(vectors, s * dimension, dimension);
    try {
      const found = standing
        ? refined(part, standing.subarray(s * size, (s + 1) * size))
        : lloyd(part, random, setting);
      const start = { codes: found.codes, codebooks: found.codebook, count: 1 };
      error += part.additive(start, { beam: 1, searches: 0, fits: 0 }).error;
      codebooks.set(found.codebook, s * size);
      codes.set(found.codes, s * count);
    } finally {
      if (part !== vectors) part[disposeSymbol]();
    }
  }
  return { codebooks, codes, error };
}

function subspace(vectors: Vectors, from: number, dimension: number): Vectors {
  const starts = Uint32Array.from({ length: vectors.count }, (_, i) => i * vectors.dimension + from);
  return vectors.take(starts, dimension, dimension);
}

function refined(part: Vectors, standing: Float32Array): { codebook: Float32Array; codes: Uint8Array } {
  using search = part.lloyd(standing);
  for (let pass = 0; pass < PASSES; pass++) search.pass();
  const codebook = search.centroids();
  return { codebook, codes: part.nearest(codebook) };
}

const transposed = (matrix: Float64Array, size: number): Float32Array =>
  Float32Array.from(matrix, (_, i) => matrix[(i % size) * size + Math.floor(i / size)]!);

/** A layer's rows are its vectors here, for want of an index. */
export const productCodebookMethods: readonly Method[] = [
  {
    method: "Product quantization with a codebook for each sub-space",
    section: "since 2018",
    file: "vector/product-codebooks.ts",
    paper: JEGOU,
    published:
      "less error than one codebook for all sub-spaces, to which faiss compares at 1.00 ± 0.03 (scripts/codebook-speed.mjs)",
    laws: ["error is that of its codes", "exact where there are no more vectors than centroids"],
    kernel: "pq_scan, pq_fast_scan",
    measure: async ({ weights }) => describe(await trainProductCodebooks(rowsOf(weights), { ...SMALL }), weights),
  },
  {
    method: "Optimised product quantization",
    section: "since 2018",
    file: "vector/product-codebooks.ts",
    paper: GE,
    published: "never more error than product quantization from the same start",
    laws: ["rotation is orthogonal", "no more error than without it", "error is that of its codes"],
    kernel: "pq_scan, pq_fast_scan, on turned queries",
    measure: async ({ weights }) => describe(await trainRotatedCodebooks(rowsOf(weights), { ...SMALL }), weights),
  },
];

const SMALL = { subspaces: 8, centroids: 16 };

/** The first columns of a matrix, as many as eight sub-spaces and a rotation take. */
function rowsOf({ shape, data }: FloatTensor): FloatTensor {
  const rows = shape[0]!;
  const columns = data.length / rows;
  const kept = Math.min(256, columns - (columns % SMALL.subspaces));
  const cut = Float32Array.from({ length: rows * kept }, (_, i) => data[Math.floor(i / kept) * columns + (i % kept)]!);
  return { shape: [rows, kept], data: cut };
}

function describe({ error }: ProductCodebooks, weights: FloatTensor): string {
  const { shape, data } = rowsOf(weights);
  const power = data.reduce((sum, w) => sum + w * w, 0);
  return `${((error * shape[0]!) / power).toPrecision(3)} relative MSE of rows in 8 sub-spaces of 16 centroids`;
}
