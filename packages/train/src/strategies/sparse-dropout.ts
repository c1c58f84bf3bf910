import { type Quantizer, sparseDropout as sparseQuantizer } from "lowbit/quantize";
import { exportLatent } from "./quantized.ts";
import type { LayerChoice, Strategy } from "./strategy.ts";
import {
  initialLogVariances,
  logAlpha,
  logUniformDivergence,
  logVarianceOf,
  normalWeights,
  precisionOf,
} from "./variational.ts";

export interface SparseDropoutTrainingOptions {
  /** n, training samples: the divergence counts once for all of them, the loss is a mean. */
  readonly samples: number;
  /** Share of the run over which the divergence comes in. Default 0.2. */
  readonly warmup?: number;
  /** ln σ² at the start. Default -8. */
  readonly start?: number;
  /** Of what is left. Default the core's sparse dropout with 8 bits, which drops weights of ln α > 3. */
  readonly quantizer?: Quantizer<"affine", false, "curvature">;
  readonly layers?: LayerChoice;
}

/**
 * Sparse variational dropout (Molchanov, Ashukha, Vetrov 2017): a posterior N(θ, σ²) for each weight under a log-uniform prior, by the local reparameterization,
 *
 *   minimise  mean loss + 1/n Σ KL(α),   α = σ²/θ²,
 *
 * with additive noise (σ² is the parameter, not α). Weights whose ln α ends above 3 are 0.
 */
export function sparseDropoutTraining(options: SparseDropoutTrainingOptions): Strategy {
  const { samples, warmup = 0.2, start = -8, quantizer = sparseQuantizer(), layers = () => true } = options;
  return {
    name: `sparse-dropout:${samples}:${warmup}:${start}:${quantizer.scheme}`,
    initialize: (slots, parameters) => initialLogVariances(slots, parameters, layers, start),
    ...normalWeights(layers, warmup),
    penalty({ parameters, slots, constants }) {
      const divergences = [...slots.values()]
        .filter(layers)
        .map(({ name }) =>
          logUniformDivergence(logAlpha(parameters[logVarianceOf(name)]!.ref, parameters[name]!.ref)).sum(),
        );
      return divergences.reduce((sum, d) => sum.add(d)).mul(constants.share!.ref.div(samples));
    },
    export: (view) =>
      exportLatent(
        view,
        (slot) => (layers(slot) ? quantizer : undefined),
        (slot) => ({ curvature: precisionOf(view, slot) }),
      ),
  };
}
