import { defineQuantizer, softWeightSharing as fitted, type Quantizer } from "lowbit/quantize";
import { np } from "../autograd.ts";
import { type Arrays, filled, type HostTensor, toHostTensor } from "../values.ts";
import { type LayerChoice, nothingChosen, type View, type WeightSlot } from "./strategy.ts";

/** Normals over the weights of all layers together, trained with them: what soft weight-sharing and its Bayesian successor have in common. */

const MEAN = "sharing.mean";
const LOG_PRECISION = "sharing.log-precision";
const LOGITS = "sharing.logits";

/** Gamma prior of a precision. */
export interface GammaPrior {
  readonly shape: number;
  readonly rate: number;
}

/** Those of Ullrich's code, of the component at zero and of the others, which keep them from collapsing onto a weight. */
export const ZERO_PRIOR: GammaPrior = { shape: 5000, rate: 2 };
const OTHER_PRIOR: GammaPrior = { shape: 250, rate: 0.1 };

/** Rates beside that of weights (Ullrich's code: 1e-4 of means, 3e-3 of log precisions and of log odds, 5e-4 of weights): precisions rise by orders of magnitude while weights hardly move. */
export const mixtureRate = (parameter: string): number =>
  parameter === MEAN ? 0.2 : parameter === LOG_PRECISION || parameter === LOGITS ? 6 : 1;

export interface MixtureSize {
  /** Components whose means are trained. */
  readonly others: number;
  /** The prior of a normal at zero, whose mean stays and which has the first precision; absent: there is none. */
  readonly atZero?: GammaPrior;
}

/** Means spread over ± max|w|, with standard deviations of a quarter of the distance between them and equal shares. */
export function initialMixture(
  slots: readonly WeightSlot[],
  parameters: Readonly<Record<string, HostTensor>>,
  layers: LayerChoice,
  { others, atZero }: MixtureSize,
): Record<string, HostTensor> {
  const chosen = slots.filter(layers);
  if (chosen.length === 0) throw nothingChosen("a mixture of weights", slots);
  const most = Math.max(
    ...chosen.map(({ name }) => parameters[name]!.data.reduce((max, w) => Math.max(max, Math.abs(w)), 0)),
  );
  const means = Float32Array.from({ length: others }, (_, j) => most * ((2 * (j + 0.5)) / others - 1));
  return {
    [MEAN]: { shape: [others], data: means },
    [LOG_PRECISION]: toHostTensor(np.log(np.full([others + (atZero ? 1 : 0)], (2 * others) ** 2 / most ** 2))),
    [LOGITS]: filled([others], 0),
  };
}

/** Trained means and log odds [others], and log precisions. The parameters are shared. */
export const mixtureIn = (
  parameters: Readonly<Arrays>,
): { mean: np.Array; logPrecision: np.Array; logits: np.Array } => ({
  mean: parameters[MEAN]!.ref,
  logPrecision: parameters[LOG_PRECISION]!.ref,
  logits: parameters[LOGITS]!.ref,
});

/** Σ ln Gamma(λ_j), without constants. The parameters are shared. */
export function logPrecisionPrior(parameters: Readonly<Arrays>, { others, atZero }: MixtureSize): np.Array {
  const logPrecision = parameters[LOG_PRECISION]!.ref;
  const priors = [...(atZero ? [atZero] : []), ...Array.from({ length: others }, () => OTHER_PRIOR)];
  const shapes = np.array(priors.map(({ shape }) => shape));
  const rates = np.array(priors.map(({ rate }) => rate));
  return logPrecision.ref.mul(shapes.sub(1)).sub(np.exp(logPrecision).mul(rates)).sum();
}

export interface HostMixture {
  readonly mean: Float64Array;
  readonly precision: Float64Array;
  readonly proportion: Float64Array;
}

/** Trained means, outside a step. */
export const meansOf = (view: View): Float32Array => view.parameter(MEAN).data;

/** The parameters of the mixture, outside a step. */
export const mixtureOfView = (view: View): Arrays =>
  Object.fromEntries(
    [MEAN, LOG_PRECISION, LOGITS].map((name) => [
      name,
      np.array(view.parameter(name).data as Float32Array<ArrayBuffer>),
    ]),
  );

/** A trained mixture as a quantizer of the core: its codes are the kernel's, the mean of the component that is most responsible. */
export function mostResponsible(mixture: HostMixture): Quantizer<"table", false, "weights"> {
  const order = [...mixture.mean.keys()].sort((a, b) => mixture.mean[a]! - mixture.mean[b]!);
  const sorted = (values: Float64Array) => Float64Array.from(order, (j) => values[j]!);
  const [mean, precision, proportion] = [sorted(mixture.mean), sorted(mixture.precision), sorted(mixture.proportion)];
  const { bits, paper } = fitted({ components: mean.length });
  return defineQuantizer({
    scheme: `sws:${mean.length}`,
    decoding: "table",
    bits,
    codebook: "adaptive",
    per: "tensor",
    laws: [],
    paper,
    encode(w) {
      using vectors = w.resident(w.values(), 1);
      const codes = vectors.mixtureCodes({ mean, precision, proportion });
      return { codes, decoding: { kind: "table", codebook: Float32Array.from(mean) } };
    },
  });
}
