/** Residual quantization. */
import { ShapeError } from "../../errors.ts";
import { checkInteger, defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Method } from "../method.ts";
import { CHEN_RQ } from "../papers.ts";
import type { Random } from "../random.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { bitsFor, checkSearch } from "./kmeans.ts";
import { lloyd } from "./lloyd.ts";
import type { AdditiveCodes, Vectors } from "./loops.ts";
import { MAX_DIMENSION } from "./pq.ts";
import { unitOf } from "./unit.ts";

export interface RqOptions {
  /** Weights of a sub-vector, 1..16384; must divide the row. */
  readonly dimension: number;
  /** Centroids of a stage, 2..256; codes have ceil(log₂ centroids) bits. */
  readonly centroids: number;
  /** Stages, 1..16: codes of a sub-vector. */
  readonly stages: number;
  /** k-means++ starts of a stage, of which the best is kept. Default 1. */
  readonly restarts?: number;
  /** Lloyd passes per start, at most. Default 50. */
  readonly iterations?: number;
}

/**
 * Residual quantization: r₀ = w, and stage t = 1..L learns K centroids of what the stages before left,
 *
 *   c_t = kmeans(r_{t-1}),   r_t = r_{t-1} - c_t[code],   w ~ Σ_t c_t[code_t].
 *
 * L ceil(log₂ K) / D bits per weight and 32 K D L for the codebooks. At the end of a stage each centroid is the mean of the vectors with its code. No more error than with a stage less; with one stage it is
 * product quantization. On N(0,1) with D = 1, K = 2 it is greedy binary approximation: 0.1304 with two stages. Gradient in training: each centroid gets the sum of its members' gradients.
 *
 * @throws ShapeError (from `quantize`) where D does not divide the weights of a row.
 */
export function rq({
  dimension,
  centroids,
  stages,
  restarts = 1,
  iterations = 50,
}: RqOptions): Quantizer<"additive", true, "weights"> {
  const scheme = `rq:${dimension}x${centroids}x${stages}`;
  checkSums(scheme, { dimension, centroids, stages, restarts, iterations });
  return defineQuantizer({
    scheme,
    decoding: "additive",
    bits: bitsFor(centroids),
    codebook: "adaptive",
    per: "tensor",
    seeded: true,
    laws: ["scaleEquivariant", "keepsMean", "monotoneInBits"],
    coarser: stages > 1 ? () => rq({ dimension, centroids, stages: stages - 1, restarts, iterations }) : undefined,
    paper: CHEN_RQ,
    encode(w, { random }) {
      checkRows(scheme, w, dimension);
      const { factor, restore } = unitOf(w);
      const { codes, codebooks } = residualCodes(w, factor, random, {
        dimension,
        centroids,
        stages,
        restarts,
        iterations,
      });
      return { codes, decoding: { kind: "additive", codebook: restore(codebooks), dimension, count: stages } };
    },
  });
}

/** Codes and codebooks of the weights times `factor`, stage by stage. */
export function residualCodes(w: Weights, factor: number, random: Random, size: Required<RqOptions>): AdditiveCodes {
  using rest = w.vectors(size.dimension, factor);
  const { codes, codebooks } = residualStages(rest, random, size);
  return { codes: w.interleave(codes, size.stages), codebooks, count: size.stages };
}

/** Codes [stages, vectors] and codebooks of vectors, of which only what is left stays. */
export function residualStages(
  rest: Vectors,
  random: Random,
  { centroids, stages, restarts, iterations }: Omit<Required<RqOptions>, "dimension">,
): { codes: Uint8Array; codebooks: Float32Array } {
  const codes = new Uint8Array(rest.count * stages);
  const codebooks = new Float32Array(stages * centroids * rest.dimension);
  for (let stage = 0; stage < stages; stage++) {
    const found = lloyd(rest, random, { clusters: centroids, restarts, iterations });
    // One codebook of sums of one: each centroid to the mean of the vectors with its code, which may have moved since the last pass.
    const start = { codes: found.codes, codebooks: found.codebook, count: 1 };
    const { codebooks: codebook } = rest.additive(start, { beam: 1, searches: 0, fits: 1 });
    rest.subtract(found.codes, codebook);
    codebooks.set(codebook, stage * codebook.length);
    codes.set(found.codes, stage * rest.count);
  }
  return { codes, codebooks };
}

export function checkSums(
  scheme: string,
  { dimension, centroids, stages, restarts, iterations }: Required<RqOptions>,
): void {
  checkInteger(scheme, "dimension", dimension, 1, MAX_DIMENSION);
  checkInteger(scheme, "codes of a sub-vector", stages, 1, 16);
  checkSearch(scheme, centroids, restarts, iterations);
}

/** @throws ShapeError */
export function checkRows(scheme: string, { columns }: Weights, dimension: number): void {
  if (columns % dimension !== 0)
    throw new ShapeError(scheme, "weights of a row", `a multiple of ${dimension}`, columns);
}

/** D, K and the number of codebooks of a scheme such as `rq:4x16x2`. */
export function parseSums(
  scheme: string,
  head: string,
  args: readonly string[],
  last: string,
): Omit<RqOptions, "restarts" | "iterations"> {
  const [size, ...rest] = args;
  noMore(scheme, rest);
  const syntax = `${head}:<D>x<K>x<${last}>`;
  const [dimension, centroids, stages, extra] = (size ?? "").split("x");
  if (extra !== undefined) throw new SchemeError(scheme, "size", syntax);
  return {
    dimension: integerArgument(scheme, `D of ${syntax}`, dimension, 1, MAX_DIMENSION),
    centroids: integerArgument(scheme, `K of ${syntax}`, centroids, 2, 256),
    stages: integerArgument(scheme, `${last} of ${syntax}`, stages, 1, 16),
  };
}

export const rqFamily: SchemeFamily = {
  syntax: "rq:<1..16384>x<2..256>x<1..16>",
  summary: "sub-vectors of D weights as sums of L centroids, each of K for what is left (residual quantization)",
  examples: ["rq:4x16x2", "rq:2x8x3"],
  owns: (head) => head === "rq",
  parse: (scheme, head, args) => rq(parseSums(scheme, head, args, "L")),
};

export const rqMethod: Method = {
  method: "Residual quantization",
  section: "deterministic: vector quantization",
  file: "vector/rq.ts",
  paper: CHEN_RQ,
  scheme: "rq:4x64x2",
  published: "0.1304 on N(0,1) as rq:1x2x2, greedy binary bases",
};
