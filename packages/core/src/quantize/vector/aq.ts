/** Additive quantization. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { BABENKO } from "../papers.ts";
import type { Random } from "../random.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { bitsFor } from "./kmeans.ts";
import type { AdditiveCodes } from "./loops.ts";
import { checkRows, checkSums, parseSums, type RqOptions, residualCodes } from "./rq.ts";
import { unitOf } from "./unit.ts";

export interface AqOptions extends Omit<RqOptions, "stages"> {
  /** Codebooks, 1..16: codes of a sub-vector. */
  readonly codebooks: number;
  /** Codings of a sub-vector that the search keeps, 1..32. Default 4. */
  readonly beam?: number;
  /** Times that codes are searched anew and codebooks fitted to them, at most. Default 10. */
  readonly rounds?: number;
}

/** Passes over the codebooks of one fit. */
const FITS = 4;

/** Rounds end when one lessens the error by less than this part. */
const SETTLED = 1e-4;

/** The best of `start` and what up to `rounds` steps make of it: until one does not lessen the error, or lessens it by less than `settled` of it. */
export function improved<T extends { readonly error: number }>(
  start: T,
  rounds: number,
  settled: number,
  step: (best: T) => T,
): T {
  let best = start;
  for (let round = 0; round < rounds; round++) {
    const next = step(best);
    // Rounding may make a step the other way; an error that is no number is no smaller either.
    if (!(next.error < best.error)) break;
    const isSettled = best.error - next.error <= settled * best.error;
    best = next;
    if (isSettled) break;
  }
  return best;
}

/**
 * Additive quantization (Babenko, Lempitsky): min Σ ‖w_s - Σ_m C_m[code_m(s)]‖² over codes and M codebooks of K full-length entries each, from the codes of residual quantization on. By turns,
 *
 *   codes       a beam search: from the codes that stand, codebook after codebook, each of the kept codings tries all K entries in the place of its own, and the best codings stay;
 *   codebooks   the least-squares problem for these codes, by Gauss-Seidel: each entry to the mean of what the other codebooks leave of its sub-vectors.
 *
 * Neither step makes the error larger, so that it is never above that of `rq` of the same size and seed. M ceil(log₂ K) / D bits per weight and 32 K D M for the codebooks. On N(0,1) with D = 1, K = M = 2 it
 * has the four levels of Lloyd-Max: 0.1175 (rq: 0.1304). Gradient in training: each entry gets the sum of its members' gradients.
 *
 * @throws ShapeError (from `quantize`) where D does not divide the weights of a row.
 */
export function aq({
  dimension,
  centroids,
  codebooks,
  restarts = 1,
  iterations = 50,
  beam = 4,
  rounds = 10,
}: AqOptions): Quantizer<"additive", true, "weights"> {
  const scheme = `aq:${dimension}x${centroids}x${codebooks}`;
  const search = { dimension, centroids, stages: codebooks, restarts, iterations, beam, rounds };
  checkAdditive(scheme, search);
  return defineQuantizer({
    scheme,
    decoding: "additive",
    bits: bitsFor(centroids),
    codebook: "adaptive",
    per: "tensor",
    seeded: true,
    laws: ["scaleEquivariant", "keepsMean", "monotoneInBits"],
    coarser:
      codebooks > 1
        ? () => aq({ dimension, centroids, codebooks: codebooks - 1, restarts, iterations, beam, rounds })
        : undefined,
    paper: BABENKO,
    encode(w, { random }) {
      checkRows(scheme, w, dimension);
      const { codes, codebooks: codebook } = additiveCodes(w, random, search);
      return { codes, decoding: { kind: "additive", codebook, dimension, count: codebooks } };
    },
  });
}

/** What the search of {@link aq} goes by, all of it given. */
export type AdditiveSearch = Required<RqOptions> & Required<Pick<AqOptions, "beam" | "rounds">>;

/** @throws OutOfRangeError */
export function checkAdditive(scheme: string, { beam, rounds, ...size }: AdditiveSearch): void {
  checkSums(scheme, size);
  checkInteger(scheme, "beam", beam, 1, 32);
  checkInteger(scheme, "rounds", rounds, 1, 1000);
}

/** The search of {@link aq}. */
export function additiveCodes(w: Weights, random: Random, { beam, rounds, ...size }: AdditiveSearch): AdditiveCodes {
  const { factor, restore } = unitOf(w);
  const start = residualCodes(w, factor, random, size);
  using vectors = w.vectors(size.dimension, factor);
  const fitted = vectors.additive(start, { beam: 1, searches: 0, fits: 0 });
  const best = improved(fitted, rounds, SETTLED, (codes) => vectors.additive(codes, { beam, searches: 1, fits: FITS }));
  return { ...best, codebooks: restore(best.codebooks) };
}

/** A family of additive codes: `<head>:<D>x<K>x<M>`. */
export function additiveFamily(
  head: string,
  summary: string,
  make: (size: Pick<AqOptions, "dimension" | "centroids" | "codebooks">) => Quantizer,
): SchemeFamily {
  return {
    syntax: `${head}:<1..16384>x<2..256>x<1..16>`,
    summary,
    examples: [`${head}:4x16x2`, `${head}:2x8x3`],
    owns: (word) => word === head,
    parse(scheme, _head, args) {
      const { stages, ...size } = parseSums(scheme, head, args, "M");
      return make({ ...size, codebooks: stages });
    },
  };
}

export const aqFamily = additiveFamily(
  "aq",
  "sub-vectors of D weights as sums of one of K entries from each of M codebooks, all learned together (additive quantization)",
  aq,
);

export const aqMethod: Method = {
  method: "Additive quantization",
  section: "deterministic: vector quantization",
  file: "vector/aq.ts",
  paper: BABENKO,
  scheme: "aq:4x64x2",
  published: "0.1175 on N(0,1) as aq:1x2x2, the four levels of Lloyd-Max",
};
