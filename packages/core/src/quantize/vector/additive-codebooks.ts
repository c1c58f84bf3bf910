/** Codebooks of whole vectors that add up, as search engines have them: residual and additive quantization. */
import { OutOfRangeError, ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { checkInteger } from "../define.ts";
import { innerLoops } from "../engine.ts";
import { Random } from "../random.ts";
import type { FloatTensor } from "../types.ts";
import { improved } from "./aq.ts";
import { checkedFactor } from "./product-codebooks.ts";
import { residualStages } from "./rq.ts";

export interface AdditiveCodebooksOptions {
  /** Codebooks M: 1 to 64. */
  readonly codebooks: number;
  /** Entries of each. Default 256. */
  readonly centroids?: 16 | 256;
  /** Sums that a search for codes keeps on its way, 1 to 32. Default 5. */
  readonly beam?: number;
  /** Times that each code of a whole sum may become another, 0 to 64. Default 0: codes are found from the first codebook to the last, as residual quantization has it. */
  readonly sweeps?: number;
  /** Times that codes are found anew and codebooks fitted to them, at most. Default 10. */
  readonly rounds?: number;
  /** Lloyd passes of a codebook of the start, at most. Default 10. */
  readonly iterations?: number;
  /** Default 0. */
  readonly seed?: number;
  /** The WASM instance to run on; absent: one of this package's own. */
  readonly kernels?: KernelInstance;
}

export interface AdditiveCodebooks {
  /** f32 [M, centroids, d] */
  readonly codebooks: Float32Array;
  /** Mean over vectors of |x - the sum of their entries|². */
  readonly error: number;
}

/** Passes over the codebooks of one fit. */
const FITS = 4;

/** Rounds end when one lessens the error by less than this part. */
const SETTLED = 2e-3;

/**
 * Residual (Chen, Guan, Wang) and additive (Babenko, Lempitsky) quantization of vectors of d numbers: each is about the sum of one entry from each of M codebooks of whole vectors. Codebook after codebook is
 * learned by k-means of what those before left; then, by turns, codes are found by a beam of sums and each entry moves to the mean of what the others leave of its vectors (the least-squares problem, by
 * Gauss-Seidel). No round that makes the error larger is taken.
 *
 * @param vectors f32 [n, d], finite.
 * @throws ShapeError, NotFiniteError, OutOfRangeError (settings), LoadError, OutOfMemoryError.
 */
export async function trainAdditiveCodebooks(
  { shape, data }: FloatTensor,
  {
    codebooks: count,
    centroids = 256,
    beam = 5,
    sweeps = 0,
    rounds = 10,
    iterations = 10,
    seed = 0,
    kernels,
  }: AdditiveCodebooksOptions,
): Promise<AdditiveCodebooks> {
  const op = "trainAdditiveCodebooks";
  checkInteger(op, "codebooks", count, 1, 64);
  if (centroids !== 16 && centroids !== 256) throw new OutOfRangeError(op, "centroids", "16 or 256", centroids);
  checkInteger(op, "beam", beam, 1, 32);
  checkInteger(op, "sweeps", sweeps, 0, 64);
  checkInteger(op, "rounds", rounds, 0, 1000);
  checkInteger(op, "iterations", iterations, 1, 1000);
  const [n = 0, d = 0] = shape;
  if (shape.length !== 2 || !(n >= 1 && d >= 1) || data.length !== n * d)
    throw new ShapeError(op, "vectors", "[n, d], neither 0, with n * d numbers", `[${shape}] with ${data.length}`);
  const loops = await innerLoops(kernels);
  const factor = checkedFactor(op, data, loops);
  using rest = loops.vectors(data, factor, d);
  const { codebooks, codes } = residualStages(rest, new Random(seed), {
    centroids,
    stages: count,
    restarts: 1,
    iterations,
  });
  using vectors = loops.vectors(data, factor, d);
  const first = { codes: loops.interleave(codes, count), codebooks, count };
  const start = vectors.additive(first, { beam: 1, searches: 0, fits: 0 });
  const best = improved(start, rounds, SETTLED, (standing) => {
    const found = { ...standing, codes: vectors.sums(standing.codebooks, count, { beam, sweeps }) };
    return vectors.additive(found, { beam: 1, searches: 0, fits: FITS });
  });
  return { codebooks: best.codebooks.map((c) => c / factor), error: best.error / factor / factor / n };
}
