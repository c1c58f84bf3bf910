import { type Quantizer, sparseDropout as sparseQuantizer } from "lowbit/quantize";
import type { Strategy } from "./strategy.ts";
import {
  byPrecision,
  initialLogVariances,
  logAlpha,
  logUniformDivergence,
  logVarianceOf,
  normalWeights,
  overSlots,
  type PosteriorOptions,
  posteriorOf,
} from "./variational.ts";

export interface SparseDropoutTrainingOptions extends PosteriorOptions {
  /** Of what is left. Default the core's sparse dropout with 8 bits, which drops weights of ln α > 3. */
  readonly quantizer?: Quantizer<"affine", false, "curvature">;
}

/**
 * Sparse variational dropout (Molchanov, Ashukha, Vetrov 2017): a posterior N(θ, σ²) for each weight under a log-uniform prior, by the local reparameterization,
 *
 *   minimise  mean loss + 1/n Σ KL(α),   α = σ²/θ²,
 *
 * with additive noise (σ² is the parameter, not α). Weights whose ln α ends above 3 are 0.
 */
export function sparseDropoutTraining(options: SparseDropoutTrainingOptions): Strategy {
  const posterior = posteriorOf(options);
  const { samples, warmup, start, varianceRate, settle, layers } = posterior;
  const { quantizer = sparseQuantizer() } = options;
  return {
    name: `sparse-dropout:${samples}:${warmup}:${start}:${varianceRate}:${settle}:${quantizer.scheme}`,
    initialize: (slots, parameters) => initialLogVariances(slots, parameters, layers, start),
    ...normalWeights(
      posterior,
      overSlots(layers, (parameters, name) =>
        logUniformDivergence(logAlpha(parameters[logVarianceOf(name)]!.ref, parameters[name]!.ref)).sum(),
      ),
      byPrecision(quantizer),
    ),
  };
}
