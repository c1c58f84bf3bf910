/** Product quantization. */
import { ShapeError } from "../../errors.ts";
import { checkInteger, defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Method } from "../method.ts";
import { GONG } from "../papers.ts";
import type { Random } from "../random.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { bitsFor, checkSearch } from "./kmeans.ts";
import { type Clustering, type LloydOptions, lloyd } from "./lloyd.ts";
import { scalarLloyd } from "./scalar-lloyd.ts";
import { unitOf } from "./unit.ts";

/** Weights of the longest sub-vector. */
export const MAX_DIMENSION = 16384;

export interface PqOptions {
  /** Weights of a sub-vector, 1..16384; must divide the row. One as long as the row is k-means of whole rows. */
  readonly dimension: number;
  /** Centroids, 2..256; codes have ceil(log₂ centroids) bits. */
  readonly centroids: number;
  /** k-means++ starts of which the best is kept. Default 1. */
  readonly restarts?: number;
  /** Lloyd passes per start, at most. Default 50. */
  readonly iterations?: number;
  /**
   * Passes over all sub-vectors of a tensor of more than 65,536, which are trained on a sample of that many first. Default 1. `scripts/quantizer-speed.mjs --filter pq:8` measures none, 1
   * and 25: against none, 1 takes 0.3 % off the squared error on N(0,1) and 25 take 1.5 %, in about 1.5 and ten times the time.
   */
  readonly fullPasses?: number;
}

/**
 * Product quantization (Gong et al.): each row is cut into sub-vectors of D weights, and each becomes the nearest of K
 * centroids, min Σ ‖w_s - c_code(s)‖². One codebook [K, D] for the whole tensor, by seeded k-means (of more than 65,536
 * sub-vectors mostly on a sample, see `fullPasses`; every code is the nearest all the same).
 *
 * ceil(log₂ K) / D bits per weight and 32 K D bits for the codebook. Gradient in training: ∂L/∂c = Σ of its members' gradients.
 *
 * @throws ShapeError where D does not divide the weights of a row.
 */
export function pq({
  dimension,
  centroids,
  restarts = 1,
  iterations = 50,
  fullPasses = 1,
}: PqOptions): Quantizer<"product", true, "weights"> {
  const scheme = `pq:${dimension}x${centroids}`;
  checkInteger(scheme, "dimension", dimension, 1, MAX_DIMENSION);
  checkSearch(scheme, centroids, restarts, iterations);
  checkInteger(scheme, "passes over all", fullPasses, 0, 100_000);
  return defineQuantizer({
    scheme,
    decoding: "product",
    bits: bitsFor(centroids),
    codebook: "adaptive",
    per: "tensor",
    seeded: true,
    laws: ["idempotent", "scaleEquivariant", "nearest", "monotoneInBits"],
    coarser:
      centroids > 2
        ? () => pq({ dimension, centroids: Math.ceil(centroids / 2), restarts, iterations, fullPasses })
        : undefined,
    paper: GONG,
    encode(w, { random }) {
      if (w.columns % dimension !== 0)
        throw new ShapeError(scheme, "weights of a row", `a multiple of ${dimension}`, w.columns);
      const { codes, codebook } = encode(w, random, {
        dimension,
        clusters: centroids,
        restarts,
        iterations,
        fullPasses,
      });
      return { codes, decoding: { kind: "product", codebook, dimension } };
    },
  });
}

function encode(w: Weights, random: Random, options: LloydOptions & { dimension: number }): Clustering {
  if (options.dimension === 1) return scalarLloyd(w, random, options);
  const { factor, restore } = unitOf(w);
  using vectors = w.vectors(options.dimension, factor);
  const { codebook, codes } = lloyd(vectors, random, options);
  return { codebook: restore(codebook), codes };
}

export const pqFamily: SchemeFamily = {
  syntax: "pq:<1..16384>x<2..256>",
  summary: "sub-vectors of D weights along the row, K centroids per tensor",
  examples: ["pq:4x16", "pq:4x64", "pq:2x16"],
  owns: (head) => head === "pq",
  parse(scheme, _head, [size, ...rest]) {
    noMore(scheme, rest);
    const [dimension, centroids, extra] = (size ?? "").split("x");
    if (extra !== undefined) throw new SchemeError(scheme, "size", "pq:<D>x<K>");
    return pq({
      dimension: integerArgument(scheme, "D of pq:<D>x<K>", dimension, 1, MAX_DIMENSION),
      centroids: integerArgument(scheme, "K of pq:<D>x<K>", centroids, 2, 256),
    });
  },
};

export const pqMethod: Method = {
  method: "Product quantization",
  section: "deterministic: vector quantization",
  file: "vector/pq.ts",
  paper: GONG,
  scheme: "pq:4x64",
  published: "2^(-2·1.5) = 0.125 on N(0,1) is the rate-distortion bound of its 1.5 bits",
};
