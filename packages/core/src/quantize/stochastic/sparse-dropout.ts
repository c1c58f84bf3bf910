/** Sparse variational dropout: weights whose posterior is wide against their mean are pruned. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { SPARSE_VD } from "../papers.ts";
import { scaleFor } from "../rounding/ranges.ts";
import type { UniformBits } from "../rounding/uniform.ts";
import { integerArgument, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { LN_ALPHA, type PosteriorOptions, pruneUncertain, samplesArgument, samplesSuffix } from "./posterior.ts";

export interface SparseDropoutOptions extends PosteriorOptions {
  /** Bits of what is kept, on a symmetric grid over its max|w| per channel: 2..8. Default 8. */
  readonly bits?: UniformBits;
}

/**
 * Sparse variational dropout (Molchanov et al., section 4.4): with the posterior N(θ, σ²) of a weight and α = σ²/θ²
 *
 *   θ ← 0 where ln α > 3,
 *
 * and the others stay. They are floats in the paper; here they get codes of a uniform grid, S = max|θ| / (2^(b-1) - 1) of what is kept per channel.
 *
 * σ² comes in as curvature, σ² = 1 / (n·curvature): the rule is then n·h·θ² < e^-3, the saliency of optimal brain damage against a fixed threshold. Range: ±max|θ|, with 0.
 * Gradient in training: that of the variational bound, nothing here. Zeros stay, and so does an all-zero channel (S = 1).
 */
export function sparseDropout(options: SparseDropoutOptions = {}): Quantizer<"affine", false, "curvature"> {
  const { bits = 8, samples = 1 } = options;
  checkInteger("sparsevd:<b>", "bits", bits, 2, 8);
  checkInteger("sparsevd", "training samples", samples, 1, 999_999_999);
  const zeroPoint = 2 ** (bits - 1);
  return defineQuantizer({
    scheme: `sparsevd:${bits}${samplesSuffix(samples)}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per: "channel",
    needs: "curvature",
    laws: ["signSymmetric", "keepsZero", "monotoneInBits"],
    coarser: bits > 2 ? () => sparseDropout({ samples, bits: (bits - 1) as UniformBits }) : undefined,
    paper: SPARSE_VD,
    encode(w, { curvature }) {
      using kept = pruneUncertain(w, curvature, samples, LN_ALPHA);
      const scale = kept.absMax().map((max) => scaleFor(max, zeroPoint - 1));
      const codes = kept.gridCodes({ scale, zeroPoint, minCode: 1, maxCode: 2 ** bits - 1 });
      return { codes, decoding: { kind: "affine", zeroPoint }, scale };
    },
  });
}

export const sparseDropoutFamily: SchemeFamily = {
  syntax: "sparsevd:<2..8>[:n<samples>]",
  summary: "0 where the posterior is wide (ln α > 3), else a uniform grid; variance = 1 / (n·curvature)",
  examples: ["sparsevd:4:n100", "sparsevd:8:n100"],
  owns: (head) => head === "sparsevd",
  parse(scheme, _head, [bits, ...rest]) {
    const width = integerArgument(scheme, "bits of sparsevd:<bits>", bits, 2, 8) as UniformBits;
    return sparseDropout({ bits: width, samples: samplesArgument(scheme, rest) });
  },
};

export const sparseDropoutMethod: Method = {
  method: "Sparse variational dropout",
  section: "stochastic: probabilistic",
  file: "stochastic/sparse-dropout.ts",
  paper: SPARSE_VD,
  scheme: "sparsevd:8:n1000",
  published: "LeNet-5 0.75 % error with 0.7 % of the weights",
};
