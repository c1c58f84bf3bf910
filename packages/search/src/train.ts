/** What an index learns from vectors: a rotation, centroids of lists, codebooks. */
import { OutOfRangeError, ShapeError } from "lowbit";
import { assignVectors, type KernelInstance } from "lowbit/kernels";
import { trainProductCodebooks, trainRotatedCodebooks } from "lowbit/quantize";
import { etaOf, fitScoreAware } from "./anisotropic.ts";
import { trainCentroids } from "./clusters.ts";
import { subtractRows } from "./coders/rabitq.ts";
import { orderByHalves } from "./halves.ts";
import { CHUNK, Preparer, type Vectors } from "./prepare.ts";
import { randomRotation } from "./rotation.ts";
import type { IndexSpec } from "./spec.ts";
import { fitStretch } from "./stretch.ts";
import { trainSums } from "./train-sums.ts";

/** What is learned, as a file holds it. */
export interface Learned {
  readonly rotation?: Float32Array | undefined;
  /** f32 [lists, D] */
  readonly centroids?: Float32Array | undefined;
  /** f32 [M, K, D / M], of residual and additive codes [M, K, D] */
  readonly codebooks?: Float32Array | undefined;
  /** f32 [2]: the norm that byte 0 stands for, and what one more of it means. */
  readonly norms?: Float32Array | undefined;
  /** f32 [D] */
  readonly mean?: Float32Array | undefined;
  /** f32 [1]: how long queries are made where codes are scanned by distance for a cosine, see stretch.ts. */
  readonly stretch?: Float32Array | undefined;
}

/** Whether codes of the one mean the same by the other. */
export function sameLearned(a: Learned, b: Learned): boolean {
  const same = (x: Float32Array | undefined, y: Float32Array | undefined): boolean =>
    x === y || (x !== undefined && y !== undefined && x.length === y.length && x.every((value, i) => value === y[i]));
  return (["rotation", "centroids", "codebooks", "norms", "mean", "stretch"] as const).every((name) =>
    same(a[name], b[name]),
  );
}

export interface TrainSetting {
  readonly instance: KernelInstance;
  readonly spec: IndexSpec;
  readonly input: number;
  readonly dimension: number;
  readonly normalize: boolean;
  readonly metric: "l2" | "ip";
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  readonly onStage: (stage: string) => void;
}

/** Vectors of a sample for each centroid of a codebook; as Faiss has it. */
const PER_CENTROID = 256;
/** For each list of an inverted file. */
const PER_LIST = 64;
/** For a learned rotation, whose turns each go over the whole sample. */
const FOR_ROTATION = 16_384;

/** For codebooks of whole vectors, each of which takes as long as all of a product quantizer. */
const FOR_SUMS = 16_384;

/** For the length of queries, of sums too, whose codes take long to find. */
const FOR_STRETCH = 16_384;
const FOR_SUMS_STRETCH = 4096;

/** Sub-spaces whose rotations are learned: [M, D / M] must be whole. */
function checkDivides(what: string, dimension: number, subspaces: number): void {
  if (dimension % subspaces !== 0)
    throw new ShapeError("Index.build", what, `a divisor of ${dimension}, the coordinates that are kept`, subspaces);
}

/**
 * @throws ShapeError where sub-spaces do not divide the vectors, OutOfRangeError where there are fewer vectors than centroids, NotFiniteError
 */
export async function train(vectors: Vectors, setting: TrainSetting): Promise<Learned> {
  const { instance, spec, input, dimension, normalize, seed, signal, onStage } = setting;
  const { opq, lists, codes } = spec;
  const base = { instance, input, dimension, normalize };
  if (codes.kind === "pq") checkDivides("sub-spaces of PQ", dimension, codes.subspaces);
  if (codes.kind === "pq" && codes.threshold !== undefined && dimension / codes.subspaces > 512)
    throw new OutOfRangeError(
      "Index.build",
      "coordinates of a part, with _A",
      "at most 512",
      dimension / codes.subspaces,
    );
  let rotation: Float32Array | undefined;
  if (opq) {
    checkDivides("sub-spaces of OPQ", dimension, opq);
    onStage("rotation");
    using plain = new Preparer({ ...base, rotation: undefined });
    const sample = take(plain, vectors, dimension, FOR_ROTATION, 16, "OPQ");
    ({ rotation } = await trainRotatedCodebooks(sample, { subspaces: opq, centroids: 16, seed, rotations: 20 }));
    signal?.throwIfAborted();
  } else if (codes.kind === "rabitq") {
    onStage("rotation");
    rotation = randomRotation(dimension, seed);
  }
  using preparer = new Preparer({ ...base, rotation });
  let centroids: Float32Array | undefined;
  if (lists) {
    onStage("lists");
    const sample = take(preparer, vectors, dimension, PER_LIST * lists, lists, "lists");
    const x = instance.upload(sample.data);
    try {
      centroids = trainCentroids(instance, { x, n: sample.shape[0]!, dimension }, lists);
    } finally {
      if (!instance.ended) instance.free(x, sample.data.byteLength);
    }
    signal?.throwIfAborted();
  }
  const withStretch = (learned: Learned, most: number): Learned => {
    if (!normalize) return learned;
    onStage("length of queries");
    const again = take(preparer, vectors, dimension, most, 1, "lengths");
    return { ...learned, stretch: fitStretch(instance, again, spec, learned) };
  };
  if (codes.kind === "rabitq") {
    if (lists) return { rotation, centroids };
    const sample = take(preparer, vectors, dimension, FOR_ROTATION, 1, "RaBitQ");
    return { rotation, mean: meanOf(sample) };
  }
  if (codes.kind === "rq" || codes.kind === "lsq") {
    onStage("codebooks");
    const sample = take(preparer, vectors, dimension, FOR_SUMS, codes.bits === 8 ? 256 : 16, "codebooks");
    const metric = normalize ? "l2" : setting.metric;
    const sums = await trainSums(instance, sample, { ...codes, metric, centroids, seed });
    signal?.throwIfAborted();
    return withStretch({ rotation, centroids, ...sums }, FOR_SUMS_STRETCH);
  }
  if (codes.kind !== "pq") return { rotation, centroids };
  onStage("codebooks");
  const entries = codes.bits === 8 ? 256 : 16;
  const sample = take(preparer, vectors, dimension, Math.max(FOR_ROTATION, PER_CENTROID * entries), entries, "PQ");
  const { subspaces, bits, threshold } = codes;
  const whole = centroids && threshold !== undefined ? sample.data.slice() : sample.data;
  if (centroids) subtractLists(instance, sample, centroids);
  const trained = await trainProductCodebooks(sample, { subspaces, centroids: entries, seed });
  const codebooks = bits === 8 ? orderByHalves(trained.codebooks, dimension / subspaces) : trained.codebooks;
  signal?.throwIfAborted();
  if (threshold === undefined) return withStretch({ rotation, centroids, codebooks }, FOR_STRETCH);
  const eta = etaOf(threshold, dimension);
  const scoreAware = fitScoreAware(instance, { sample, whole, codebooks, subspaces, bits, eta });
  return { rotation, centroids, codebooks: scoreAware };
}

/** At most `most` vectors, evenly spread, prepared. */
function take(preparer: Preparer, vectors: Vectors, dimension: number, most: number, least: number, what: string) {
  const [n = 0] = vectors.shape;
  if (n < least)
    throw new OutOfRangeError("Index.build", `vectors to train ${what}`, `at least ${least}, its centroids`, n);
  const count = Math.min(n, most);
  const data = new Float32Array(count * dimension);
  const input = vectors.data.length / n;
  const chosen = new Float32Array(count * input);
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * n) / count) * input;
    chosen.set(vectors.data.subarray(from, from + input), i * input);
  }
  const picked = { shape: [count, input], data: chosen };
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK);
    preparer.with("Index.build", picked, from, to, ({ x, n }) => {
      data.set(preparer.instance.f32(x, n * dimension), from * dimension);
    });
  }
  return { shape: [count, dimension], data };
}

/** Subtracts from each vector the nearest centroid. */
export function subtractLists(instance: KernelInstance, { shape, data }: Vectors, centroids: Float32Array): void {
  const [n = 0, dimension = 1] = shape;
  const [x, from, to] = [instance.upload(data), instance.upload(centroids), instance.alloc(4 * n)];
  try {
    const rows = { x, n, dimension };
    assignVectors(instance, rows, from, centroids.length / dimension, to);
    subtractRows(instance, rows, instance.u32(to, n).slice(), centroids);
    data.set(instance.f32(x, data.length));
  } finally {
    if (!instance.ended) {
      instance.free(x, data.byteLength);
      instance.free(from, centroids.byteLength);
      instance.free(to, 4 * n);
    }
  }
}

/** Of the rows of a sample, in f64. */
function meanOf({ shape, data }: Vectors): Float32Array {
  const [n = 1, dimension = 1] = shape;
  const sums = new Float64Array(dimension);
  for (let i = 0; i < data.length; i++) sums[i % dimension]! += data[i]!;
  return Float32Array.from(sums, (sum) => sum / n);
}
