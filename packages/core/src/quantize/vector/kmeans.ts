/** k-means codebooks of single weights. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { GONG } from "../papers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { BitsOf, Quantizer } from "../types.ts";
import { scalarLloyd } from "./scalar-lloyd.ts";

export interface KmeansOptions {
  /** Centroids, 2..256; codes have ceil(log₂ k) bits. */
  readonly k: number;
  /** k-means++ starts of which the best is kept. Default 3. */
  readonly restarts?: number;
  /** Lloyd passes per start, at most. Default 300. */
  readonly iterations?: number;
}

/**
 * Scalar k-means (Gong et al.; Deep Compression): min Σᵢ Σ_{w in Cᵢ} (w - cᵢ)², one codebook of k levels per tensor.
 *
 * Lloyd's algorithm from seeded k-means++ starts. On N(0,1) it nears Lloyd-Max: relative MSE 0.1175, 0.0345, 0.0095 for k = 4, 8, 16.
 * Gradient in training: ∂L/∂cᵢ = Σ_{w in Cᵢ} ∂L/∂w. A tensor of no more than k distinct values is kept exactly.
 */
export function kmeans({ k, restarts = 3, iterations = 300 }: KmeansOptions): Quantizer<"table", true, "weights"> {
  const scheme = `kmeans:${k}`;
  checkSearch(scheme, k, restarts, iterations);
  return defineQuantizer({
    scheme,
    decoding: "table",
    bits: bitsFor(k),
    codebook: "adaptive",
    per: "tensor",
    seeded: true,
    laws: ["idempotent", "scaleEquivariant", "nearest", "monotoneInBits"],
    coarser: k > 2 ? () => kmeans({ k: Math.ceil(k / 2), restarts, iterations }) : undefined,
    paper: GONG,
    encode(w, { random }) {
      const { codes, codebook } = scalarLloyd(w, random, { clusters: k, restarts, iterations });
      return { codes, decoding: { kind: "table", codebook } };
    },
  });
}

/** Bits of a code below `levels` (2..256). */
export function bitsFor(levels: number): BitsOf<"table"> {
  return (32 - Math.clz32(levels - 1)) as BitsOf<"table">;
}

/** @throws OutOfRangeError */
export function checkSearch(scheme: string, levels: number, restarts: number, iterations: number): void {
  checkInteger(scheme, "centroids", levels, 2, 256);
  checkInteger(scheme, "restarts", restarts, 1, 1000);
  checkInteger(scheme, "iterations", iterations, 1, 100_000);
}

export const kmeansFamily: SchemeFamily = {
  syntax: "kmeans:<2..256>",
  summary: "that many levels per tensor, learned by k-means",
  examples: ["kmeans:4", "kmeans:8", "kmeans:16"],
  owns: (head) => head === "kmeans",
  parse(scheme, _head, [k, ...rest]) {
    noMore(scheme, rest);
    return kmeans({ k: integerArgument(scheme, "K of kmeans:<K>", k, 2, 256) });
  },
};

export const kmeansMethod: Method = {
  method: "k-means of single weights",
  section: "deterministic: vector quantization",
  file: "vector/kmeans.ts",
  paper: GONG,
  scheme: "kmeans:16",
  published: "0.0095 on N(0,1), Lloyd-Max of 16 levels",
};
