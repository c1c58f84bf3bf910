/** Hessian-weighted k-means. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { CHOI } from "../papers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { bitsFor, checkSearch, type KmeansOptions } from "./kmeans.ts";
import { scalarLloyd } from "./scalar-lloyd.ts";

/**
 * Hessian-weighted k-means (Choi et al.): min Σᵢ Σ_{w in Cᵢ} h_w (w - cᵢ)², with the solution for given clusters
 *
 *   cᵢ = Σ h_w w / Σ h_w   over w in Cᵢ,
 *
 * and every weight at its nearest level: h_w > 0 leaves that as it is. h is the diagonal Hessian of the loss (or Adam's square root of second moments, which the paper allows), so that what
 * is minimised is the loss's own quadratic approximation. One codebook of k levels per tensor.
 *
 * With equal h it is `kmeans`, code for code. A weight of h = 0 costs nothing anywhere, and moves a level only where the level has no other weight. A tensor of no more than k distinct
 * values is kept exactly. Gradient in training: ∂L/∂cᵢ = Σ_{w in Cᵢ} ∂L/∂w.
 */
export function hkmeans({ k, restarts = 3, iterations = 300 }: KmeansOptions): Quantizer<"table", true, "curvature"> {
  const scheme = `hkmeans:${k}`;
  checkSearch(scheme, k, restarts, iterations);
  return defineQuantizer({
    scheme,
    decoding: "table",
    bits: bitsFor(k),
    codebook: "adaptive",
    per: "tensor",
    seeded: true,
    needs: "curvature",
    laws: ["idempotent", "scaleEquivariant", "nearest"],
    coarser: k > 2 ? () => hkmeans({ k: Math.ceil(k / 2), restarts, iterations }) : undefined,
    paper: CHOI,
    encode(w, { random, curvature }) {
      const { codes, codebook } = scalarLloyd(w, random, { clusters: k, restarts, iterations }, curvature);
      return { codes, decoding: { kind: "table", codebook } };
    },
  });
}

export const hkmeansFamily: SchemeFamily = {
  syntax: "hkmeans:<2..256>",
  summary: "that many levels per tensor by k-means under a diagonal Hessian (needs curvature)",
  examples: ["hkmeans:4", "hkmeans:16"],
  owns: (head) => head === "hkmeans",
  parse(scheme, _head, [k, ...rest]) {
    noMore(scheme, rest);
    return hkmeans({ k: integerArgument(scheme, "K of hkmeans:<K>", k, 2, 256) });
  },
};

export const hkmeansMethod: Method = {
  method: "Hessian-weighted k-means",
  section: "deterministic: vector quantization",
  file: "vector/hkmeans.ts",
  paper: CHOI,
  scheme: "hkmeans:16",
  published: "0.0095 on N(0,1) with equal curvature, Lloyd-Max of 16 levels; LeNet at 47.16x (k-means 44.58x)",
};
