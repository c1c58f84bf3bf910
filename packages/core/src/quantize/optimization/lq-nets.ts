/** LQ-Nets: a learned basis of the quantizer. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { LQ_NETS } from "../papers.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { alternateBases, type BaseCount, encodedBases } from "./bases.ts";

export interface LqNetsOptions {
  /** K: numbers of the basis, 1..8: as many bits. */
  readonly bits: BaseCount;
  /** Alternations at most. Default 1000; it ends once nothing changes. */
  readonly passes?: number;
  readonly per?: Per;
}

/** The third quartile of N(0,1): half of the weights lie within as many σ. */
const QUARTILE = 0.6745;

/**
 * LQ-Nets' quantization error minimization (Zhang et al.): levels ⟨v, e⟩ for e in {-1, +1}^K with a learned basis v in R^K,
 *
 *   min over v, B of ‖w - Bᵀv‖²,   in alternation   B: each weight to its nearest level;   v = (BBᵀ)⁻¹ B w.
 *
 * In training one such step runs per batch and v is a moving average; here it runs until v stays as it is. The start is the uniform grid of the paper's code,
 * v_j = 0.6745 σ / 2^j, with the σ = sqrt(E w²) of the weights in place of He's initialization.
 *
 * Range: the 2^K levels, per group (default: per output channel, as in the paper). Gradient in training: straight through. The two steps are those of
 * {@link multibit}, from another start: relative MSE on N(0,1) 0.1175, 0.0369, 0.0114 for K = 2, 3, 4. A group of zeros has v = 0, one of a single value is exact.
 */
export function lqNets({ bits, passes = 1000, per = "channel" }: LqNetsOptions): Quantizer<"bases", false, "weights"> {
  checkInteger("lq:<K>", "bits", bits, 1, 8);
  checkInteger("lq:<K>", "passes", passes, 1, 100_000);
  return defineQuantizer({
    scheme: `lq:${bits}${perSuffix(per, "channel")}`,
    decoding: "bases",
    bits,
    codebook: "adaptive",
    per,
    laws: ["scaleEquivariant", "signSymmetric", "nearest", "optimalScale"],
    paper: LQ_NETS,
    encode(w) {
      const coefficients = uniformBasis(w, bits);
      const codes = w.nearestBases(coefficients, bits);
      return encodedBases(alternateBases(w, { codes, coefficients, count: bits }, passes));
    },
  });
}

/** v_j = 0.6745 σ / 2^j per group: levels at equal distances. */
function uniformBasis(w: Weights, bits: number): Float32Array {
  const { mean, deviation } = w.moments();
  return Float32Array.from({ length: w.groups * bits }, (_, at) => {
    const [m, d] = [mean[Math.floor(at / bits)]!, deviation[Math.floor(at / bits)]!];
    return (QUARTILE * Math.sqrt(m * m + d * d)) / 2 ** (at % bits);
  });
}

export const lqNetsFamily: SchemeFamily = {
  syntax: "lq:<1..8>[:tensor|:g<n>]",
  summary: "2^K sums of a learned basis per channel (LQ-Nets)",
  examples: ["lq:2", "lq:3:g32"],
  owns: (head) => head === "lq",
  parse: (scheme, _head, [bits, ...args]) =>
    lqNets({
      bits: integerArgument(scheme, "K of lq:<K>", bits, 1, 8) as BaseCount,
      per: modifiers(scheme, args, { per: "channel" }).per,
    }),
};

export const lqNetsMethod: Method = {
  method: "LQ-Nets, QEM",
  section: "deterministic: quantization as optimization",
  file: "optimization/lq-nets.ts",
  paper: LQ_NETS,
  scheme: "lq:3",
  published: "0.0369 on N(0,1), a fixed point of alternating bases",
};
