/** What the variational methods share: a posterior variance for every weight, given as curvature, and who is pruned by it. */
import { SchemeError } from "../errors.ts";
import { exp } from "../powers.ts";
import { integerArgument, noMore } from "../scheme-family.ts";
import type { Weights } from "../weights.ts";

export interface PosteriorOptions {
  /**
   * Training samples n: the posterior variance of a weight is 1 / (n·curvature), as the Laplace approximation has it with the curvature of the mean loss. Default 1: the
   * curvature is the precision 1/σ² itself, of a variational posterior for instance.
   */
  readonly samples?: number | undefined;
}

/** ln α above which a weight is pruned in sparse variational dropout: a dropout rate α / (1 + α) of 0.95. */
export const LN_ALPHA = 3;

/**
 * α = σ²/θ² = 1 / (n·curvature·θ²); weights of ln α > `threshold` become 0. No curvature is an infinite variance: pruned. The caller disposes of the result.
 */
export function pruneUncertain(w: Weights, curvature: Float32Array, samples: number, threshold: number): Weights {
  return w.pruned(curvature, exp(-threshold) / samples);
}

/** `:n<samples>`, nothing where it is 1. */
export const samplesSuffix = (samples: number): string => (samples === 1 ? "" : `:n${samples}`);

/** Reads `n<samples>`; absent: 1. */
export function samplesArgument(scheme: string, [text, ...rest]: readonly string[]): number {
  noMore(scheme, rest);
  if (text === undefined) return 1;
  if (!text.startsWith("n")) throw new SchemeError(scheme, `modifier ":${text}"`, "n<samples>");
  return integerArgument(scheme, "training samples of n<samples>", text.slice(1), 1, 999_999_999);
}
