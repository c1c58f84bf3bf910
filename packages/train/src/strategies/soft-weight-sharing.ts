import { nn, np } from "../autograd.ts";
import {
  type GammaPrior,
  initialMixture,
  logPrecisionPrior,
  mixtureIn,
  mixtureOfView,
  mixtureRate,
  mostResponsible,
  ZERO_PRIOR,
} from "./mixture.ts";
import { exportLatent } from "./quantized.ts";
import type { LayerChoice, Scope, Strategy } from "./strategy.ts";

export interface SoftWeightSharingTrainingOptions {
  /** Of the mixture, the one at zero among them: 3..256. Default 16. */
  readonly components?: number;
  /** π₀, the share of the component at zero, which stays. Default 0.99. */
  readonly zero?: number;
  /** n, training samples. */
  readonly samples: number;
  /** τ, how much the prior counts. Default 0.005, the paper's. */
  readonly strength?: number;
  /**
   * Of λ_0, the precision of the component at zero: of N weights at zero it ends at (N + 2 shape) / (Σ w² + 2 rate). The rate decides how narrow the component becomes, and with it how many weights it takes: those within about 4 / sqrt(λ_0).
   * Default Gamma(5000, 2), that of Ullrich's code.
   */
  readonly zeroPrior?: GammaPrior;
  readonly layers?: LayerChoice;
}

/**
 * Soft weight-sharing (Ullrich, Meeds, Welling 2017; Nowlan, Hinton 1992): the weights of all layers have a mixture of normals as their prior, whose means, precisions and shares are trained with them,
 *
 *   minimise  n · mean loss - τ [Σ_i ln Σ_j π_j N(w_i; μ_j, 1/λ_j) + Σ_j ln Gamma(λ_j)],   μ_0 = 0, π_0 fixed,
 *
 * divided by n here. Meant to start from a trained network; the means start spread over ± max|w|. Exported is the mean of the component that is most responsible for each weight.
 */
export function softWeightSharingTraining(options: SoftWeightSharingTrainingOptions): Strategy {
  const {
    components = 16,
    zero = 0.99,
    samples,
    strength = 0.005,
    zeroPrior = ZERO_PRIOR,
    layers = () => true,
  } = options;
  const size = { others: components - 1, atZero: zeroPrior };
  return {
    name: `soft-weight-sharing:${components}:${zero}:${samples}:${strength}:${zeroPrior.shape}:${zeroPrior.rate}`,
    initialize: (slots, parameters) => initialMixture(slots, parameters, layers, size),
    rate: mixtureRate,
    penalty(scope) {
      const logPosterior = [...scope.slots.values()]
        .filter(layers)
        .map(({ name }) => logMixture(scope.parameters, zero, scope.parameters[name]!.ref).sum())
        .reduce((sum, l) => sum.add(l));
      return logPosterior.add(logPrecisionPrior(scope.parameters, size)).mul(-strength / samples);
    },
    export(view) {
      const { mean, logPrecision, logShare } = withZero(mixtureOfView(view), zero);
      const read = (array: np.Array) => Float64Array.from(array.dataSync());
      const quantizer = mostResponsible({
        mean: read(mean),
        precision: read(np.exp(logPrecision)),
        proportion: read(np.exp(logShare)),
      });
      return exportLatent(view, (slot) => (layers(slot) ? quantizer : undefined));
    },
  };
}

/** Means with the one at zero first, log precisions and log shares, [components]. */
function withZero(
  parameters: Scope["parameters"],
  zero: number,
): { mean: np.Array; logPrecision: np.Array; logShare: np.Array } {
  const { mean, logPrecision, logits } = mixtureIn(parameters);
  const shares = nn.logSoftmax(logits, -1).add(np.log(np.array(1 - zero)));
  return {
    mean: np.concatenate([np.zeros([1]), mean]),
    logPrecision,
    logShare: np.concatenate([np.log(np.array([zero])), shares]),
  };
}

/** ln Σ_j π_j N(w; μ_j, 1/λ_j) of each weight, without the constant. Takes w. */
export function logMixture(parameters: Scope["parameters"], zero: number, w: np.Array): np.Array {
  const { mean, logPrecision, logShare } = withZero(parameters, zero);
  const apart = w.reshape([-1, 1]).sub(mean);
  const terms = logShare.add(logPrecision.ref.div(2)).sub(np.exp(logPrecision).div(2).mul(apart.ref.mul(apart)));
  return nn.logsumexp(terms, -1);
}
