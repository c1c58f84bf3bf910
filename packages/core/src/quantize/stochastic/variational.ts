/** Variational network quantization: prune what is uncertain, the rest to the nearest of a few levels around 0. */
import { checkInteger, defineQuantizer } from "../define.ts";
import { QuantizerError, SchemeError } from "../errors.ts";
import type { Method } from "../method.ts";
import { VNQ } from "../papers.ts";
import { integerArgument, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { bitsFor } from "../vector/kmeans.ts";
import type { Weights } from "../weights.ts";
import { LN_ALPHA, type PosteriorOptions, pruneUncertain, samplesArgument, samplesSuffix } from "./posterior.ts";

export interface VariationalOptions extends PosteriorOptions {
  /** Levels, an odd number 3..255: -M..M times a. The paper has 3. */
  readonly levels: number;
}

/** Passes of the search for the scale. */
const MAX_PASSES = 100;

/**
 * Variational network quantization (Achterhold et al., section 3): the prior puts a spike at every level, p(w) ~ Σ_k 1/|w - c_k|; once trained,
 *
 *   θ ← 0 where ln α > 3 (α = σ²/θ²),   else θ ← argmin_{c_k} (c_k - θ)²,
 *
 * with levels c = a·{-M..M}, one a per layer. In the paper a is learned together with the weights; here they are given, and a is the least-squares one for what is
 * kept: assignment and a = Σ kθ / Σ k² in turn until neither changes, from a = 2 E|θ| / √M. With 3 levels and nothing pruned that is the ternary optimum (0.1902 on N(0,1)).
 *
 * σ² comes in as curvature, σ² = 1 / (n·curvature). Range: ±M·a. Gradient in training: that of the variational bound, nothing here. Zeros stay; where nothing is kept a = 0.
 */
export function variational(options: VariationalOptions): Quantizer<"affine", false, "curvature"> {
  const { levels, samples = 1 } = options;
  const scheme = `vnq:${levels}${samplesSuffix(samples)}`;
  checkInteger(scheme, "levels", levels, 3, 255);
  if (levels % 2 === 0) throw new QuantizerError(scheme, "levels", "an odd number", levels);
  checkInteger(scheme, "training samples", samples, 1, 999_999_999);
  return defineQuantizer({
    scheme,
    decoding: "affine",
    bits: bitsFor(levels),
    codebook: "adaptive",
    per: "tensor",
    needs: "curvature",
    laws: ["signSymmetric", "optimalScale", "keepsZero"],
    paper: VNQ,
    encode(w, { curvature }) {
      using kept = pruneUncertain(w, curvature, samples, LN_ALPHA);
      const { codes, scale } = fitScale(kept, (levels - 1) / 2);
      return { codes, decoding: { kind: "affine", zeroPoint: (levels - 1) / 2 }, scale };
    },
  });
}

/** Alternates the nearest level and the best scale of the levels -ends..ends. */
function fitScale(w: Weights, ends: number): { codes: Uint8Array; scale: Float32Array } {
  const grid = (scale: number) => ({
    scale: Float32Array.of(scale),
    zeroPoint: ends,
    minCode: 0,
    maxCode: 2 * ends,
  });
  // E|θ| of what is not pruned.
  let scale = (2 * w.meanAbsAbove(Float32Array.of(0))[0]!) / Math.sqrt(ends);
  let codes = w.gridCodes(grid(scale));
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const next = bestScale(w, codes, ends);
    if (next === Math.fround(scale)) break;
    scale = next;
    codes = w.gridCodes(grid(scale));
  }
  return { codes, scale: Float32Array.of(bestScale(w, codes, ends)) };
}

/** Σ kθ / Σ k², to f32; 0 where every code is that of 0. */
function bestScale(w: Weights, codes: Uint8Array, ends: number): number {
  const { sums, counts } = w.codeSums(codes, 2 * ends + 1);
  let [cross, power] = [0, 0];
  // From both ends inwards, so that -w has the same sums.
  for (let k = ends; k >= 1; k--) {
    cross += k * (sums[ends + k]! - sums[ends - k]!);
    power += k * k * (counts[ends + k]! + counts[ends - k]!);
  }
  return power === 0 ? 0 : Math.fround(cross / power);
}

export const variationalFamily: SchemeFamily = {
  syntax: "vnq:<3..255>[:n<samples>]",
  summary: "0 where the posterior is wide (ln α > 3), else the nearest of a·{-M..M} per tensor",
  examples: ["vnq:3:n100", "vnq:7:n100"],
  owns: (head) => head === "vnq",
  parse(scheme, _head, [count, ...rest]) {
    const levels = integerArgument(scheme, "levels of vnq:<levels>", count, 3, 255);
    if (levels % 2 === 0) throw new SchemeError(scheme, "levels of vnq:<levels>", "an odd number");
    return variational({ levels, samples: samplesArgument(scheme, rest) });
  },
};

export const variationalMethod: Method = {
  method: "Variational network quantization",
  section: "stochastic: probabilistic",
  file: "stochastic/variational.ts",
  paper: VNQ,
  scheme: "vnq:3:n1000",
  published: "0.1902 on N(0,1) with nothing pruned, the ternary optimum; LeNet-5 0.83 % error, 24.5 % nonzero",
};
