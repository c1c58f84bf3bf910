import { defineQuantizer, softWeightSharing as fitted, type Quantizer } from "lowbit/quantize";
import { nn, np } from "../autograd.ts";
import { filled, type HostTensor } from "../values.ts";
import { exportLatent } from "./quantized.ts";
import type { LayerChoice, Scope, Strategy, View } from "./strategy.ts";

export interface SoftWeightSharingTrainingOptions {
  /** Of the mixture, the one at zero among them: 3..256. Default 16. */
  readonly components?: number;
  /** π₀, the share of the component at zero, which stays. Default 0.99. */
  readonly zero?: number;
  /** n, training samples. */
  readonly samples: number;
  /** τ, how much the prior counts. Default 0.005, the paper's. */
  readonly strength?: number;
  readonly layers?: LayerChoice;
}

/** Gamma priors of the precisions (Ullrich's code): shape and rate of the component at zero and of the others, which keep them from collapsing onto a weight. */
const ZERO_PRIOR = [5000, 2] as const;
const OTHER_PRIOR = [250, 0.1] as const;

const MEAN = "sharing.mean";
const LOG_PRECISION = "sharing.log-precision";
const LOGITS = "sharing.logits";

/**
 * Soft weight-sharing (Ullrich, Meeds, Welling 2017; Nowlan, Hinton 1992): the weights of all layers have a mixture of normals as their prior, whose means, precisions and shares are trained with them,
 *
 *   minimise  n · mean loss - τ [Σ_i ln Σ_j π_j N(w_i; μ_j, 1/λ_j) + Σ_j ln Gamma(λ_j)],   μ_0 = 0, π_0 fixed,
 *
 * divided by n here. Meant to start from a trained network; the means start spread over ± max|w|. Exported is the mean of the component that is most responsible for each weight.
 */
export function softWeightSharingTraining(options: SoftWeightSharingTrainingOptions): Strategy {
  const { components = 16, zero = 0.99, samples, strength = 0.005, layers = () => true } = options;
  const others = components - 1;
  const priors = Array.from({ length: components }, (_, j) => (j === 0 ? ZERO_PRIOR : OTHER_PRIOR));

  return {
    name: `soft-weight-sharing:${components}:${zero}:${samples}:${strength}`,
    initialize(slots, parameters) {
      const most = Math.max(
        ...slots
          .filter(layers)
          .map(({ name }) => parameters[name]!.data.reduce((max, w) => Math.max(max, Math.abs(w)), 0)),
      );
      const means = Float32Array.from({ length: others }, (_, j) => most * ((2 * (j + 0.5)) / others - 1));
      return {
        [MEAN]: { shape: [others], data: means },
        // A standard deviation of a quarter of the distance between means.
        [LOG_PRECISION]: onEngine(() => np.log(np.full([components], (2 * others) ** 2 / most ** 2))),
        [LOGITS]: filled([others], 0),
      };
    },
    penalty(scope) {
      const logPosterior = [...scope.slots.values()]
        .filter(layers)
        .map(({ name }) => logMixture(scope.parameters, zero, scope.parameters[name]!.ref).sum())
        .reduce((sum, l) => sum.add(l));
      const logPrecision = scope.parameters[LOG_PRECISION]!.ref;
      const [shapes, rates] = [0, 1].map((k) => np.array(priors.map((prior) => prior[k]!)));
      const hyper = logPrecision.ref.mul(shapes!.sub(1)).sub(np.exp(logPrecision).mul(rates!)).sum();
      return logPosterior.add(hyper).mul(-strength / samples);
    },
    export: (view) => {
      const quantizer = mostResponsible(view, zero);
      return exportLatent(view, (slot) => (layers(slot) ? quantizer : undefined));
    },
  };
}

/** Means with the one at zero first, log precisions and log shares, [components]. */
function mixtureOf(
  parameters: Scope["parameters"],
  zero: number,
): { mean: np.Array; logPrecision: np.Array; logShare: np.Array } {
  const shares = nn.logSoftmax(parameters[LOGITS]!.ref, -1).add(np.log(np.array(1 - zero)));
  return {
    mean: np.concatenate([np.zeros([1]), parameters[MEAN]!.ref]),
    logPrecision: parameters[LOG_PRECISION]!.ref,
    logShare: np.concatenate([np.log(np.array([zero])), shares]),
  };
}

/** ln Σ_j π_j N(w; μ_j, 1/λ_j) of each weight, without the constant. Takes w. */
export function logMixture(parameters: Scope["parameters"], zero: number, w: np.Array): np.Array {
  const { mean, logPrecision, logShare } = mixtureOf(parameters, zero);
  const apart = w.reshape([-1, 1]).sub(mean);
  const terms = logShare.add(logPrecision.ref.div(2)).sub(np.exp(logPrecision).div(2).mul(apart.ref.mul(apart)));
  return nn.logsumexp(terms, -1);
}

/** The trained mixture as a quantizer of the core: its codes are the kernel's. */
function mostResponsible(view: View, zero: number): Quantizer<"table", false, "weights"> {
  const parameters = Object.fromEntries(
    [MEAN, LOG_PRECISION, LOGITS].map((name) => [
      name,
      np.array(view.parameter(name).data as Float32Array<ArrayBuffer>),
    ]),
  );
  const { mean, logPrecision, logShare } = mixtureOf(parameters, zero);
  const read = (array: np.Array) => Float64Array.from(array.dataSync());
  const mixture = { mean: read(mean), precision: read(np.exp(logPrecision)), proportion: read(np.exp(logShare)) };
  const order = [...mixture.mean.keys()].sort((a, b) => mixture.mean[a]! - mixture.mean[b]!);
  const sorted = (values: Float64Array) => Float64Array.from(order, (j) => values[j]!);
  const [means, precision, proportion] = [sorted(mixture.mean), sorted(mixture.precision), sorted(mixture.proportion)];
  const { bits, paper } = fitted({ components: means.length });
  return defineQuantizer({
    scheme: `sws:${means.length}`,
    decoding: "table",
    bits,
    codebook: "adaptive",
    per: "tensor",
    laws: [],
    paper,
    encode(w) {
      using vectors = w.resident(w.values(), 1);
      const codes = vectors.mixtureCodes({ mean: means, precision, proportion });
      return { codes, decoding: { kind: "table", codebook: Float32Array.from(means) } };
    },
  });
}

const onEngine = (expression: () => np.Array): HostTensor => {
  const array = expression();
  return { shape: array.shape, data: (array.dataSync() as Float32Array).slice() };
};
