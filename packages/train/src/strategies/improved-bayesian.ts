import { nn, np } from "../autograd.ts";
import type { Arrays } from "../values.ts";
import {
  initialMixture,
  logPrecisionPrior,
  meansOf,
  mixtureIn,
  mixtureOfView,
  mixtureRate,
  mostResponsible,
} from "./mixture.ts";
import { quantizeSlot } from "./quantized.ts";
import type { Scope, Strategy, View, WeightSlot } from "./strategy.ts";
import {
  initialLogVariances,
  logAlpha,
  logUniformDivergence,
  logVarianceOf,
  normalWeights,
  overSlots,
  type PosteriorOptions,
  posteriorOf,
  rateOfVariances,
} from "./variational.ts";

export interface ImprovedBayesianCompressionOptions extends PosteriorOptions {
  /** Of the prior, the log-uniform one at zero among them: 3..256. Default 16. */
  readonly components?: number;
  /** π₀, the share of the component at zero, which stays. Default 0.99. */
  readonly zero?: number;
}

/**
 * Sparse variational dropout and soft weight-sharing joined (Federici, Ullrich, Welling 2017): a posterior N(θ, σ²) for each weight, drawn by the local reparameterization, under a prior that has the log-uniform one as its component at
 * zero, which prunes, and trained normals as the others, which share,
 *
 *   minimise  mean loss + 1/n Σ D,   D = -ln Σ_j π_j exp(-D_j) >= KL(q ‖ Σ_j π_j p_j),
 *   D_0 the divergence of sparse variational dropout (0 at α = ∞),   D_j = 1/2 [λ_j σ² + λ_j (θ - μ_j)² - 1 - ln λ_j σ²],
 *
 * with the Gamma priors of soft weight-sharing on λ. Meant to start from a trained network. Exported is, for each weight, the mean of the component with the largest π_j exp(-D_j): 0, or μ_j. The bound on the divergence of a mixture
 * is that of Hershey and Olsen 2007.
 */
export function improvedBayesianCompression(options: ImprovedBayesianCompressionOptions): Strategy {
  const posterior = posteriorOf(options);
  const { samples, warmup, start, varianceRate, settle, layers } = posterior;
  const { components = 16, zero = 0.99 } = options;
  const size = { others: components - 1 };
  const ofWeights = overSlots(layers, (parameters, name) => {
    const costs = costsOf(parameters, zero, parameters[name]!.ref, parameters[logVarianceOf(name)]!.ref);
    return nn.logsumexp(costs.mul(-1), -1).mul(-1).sum();
  });
  const divergence = (scope: Scope) => ofWeights(scope).add(logPrecisionPrior(scope.parameters, size).mul(-1));
  /** Each weight as the mean of the component that answers for most of it. */
  const exported = (view: View) => {
    const mixture = mixtureOfView(view);
    const levels = Float64Array.of(0, ...meansOf(view));
    const same = new Float64Array(components).fill(1);
    // Weights are moved onto their levels first, so that the nearest one is theirs.
    const quantizer = mostResponsible({ mean: levels, precision: same, proportion: same.map(() => 1 / components) });
    return (slot: WeightSlot) => {
      const likely = view.compute(slot, (parameters) => {
        const theta = parameters[slot.name]!;
        const costs = costsOf(mixture, zero, theta.ref, parameters[logVarianceOf(slot.name)]!.ref);
        const chosen = np.argmin(costs, -1);
        return np.take(np.array(Float32Array.from(levels)), chosen).reshape(theta.shape);
      });
      return quantizeSlot(slot, likely, quantizer);
    };
  };
  return {
    name: `improved-bayesian:${samples}:${components}:${zero}:${warmup}:${start}:${varianceRate}:${settle}`,
    initialize: (slots, parameters) => ({
      ...initialMixture(slots, parameters, layers, size),
      ...initialLogVariances(slots, parameters, layers, start),
    }),
    ...normalWeights(posterior, divergence, exported),
    rate: (parameter) => mixtureRate(parameter) * rateOfVariances(varianceRate)(parameter),
  };
}

/** D_j - ln π_j of each weight, [weights, components], the log-uniform one first. Takes θ and ln σ²; the mixture is shared. */
export function costsOf(mixture: Readonly<Arrays>, zero: number, theta: np.Array, logVariance: np.Array): np.Array {
  const { mean, logPrecision, logits } = mixtureIn(mixture);
  const [column, spread] = [theta.reshape([-1, 1]), logVariance.reshape([-1, 1])];
  const pruned = logUniformDivergence(logAlpha(spread.ref, column.ref)).sub(Math.fround(Math.log(zero)));
  const apart = column.sub(mean);
  const precision = np.exp(logPrecision.ref);
  const shared = precision
    .mul(np.exp(spread.ref).add(apart.ref.mul(apart)))
    .sub(1)
    .sub(logPrecision.add(spread))
    .div(2);
  const logShare = nn.logSoftmax(logits, -1).add(Math.fround(Math.log(1 - zero)));
  return np.concatenate([pruned, shared.sub(logShare)], 1);
}
