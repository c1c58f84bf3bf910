import type { Quantized } from "lowbit/quantize";
import { autograd, nn, np } from "../autograd.ts";
import { straightThrough } from "../estimators/ste.ts";
import { sigmoid } from "../sigmoid.ts";
import { filled, type HostTensor } from "../values.ts";
import { chosenSlots, exportEach, floatEach, quantizeSlot, type WeightQuantizer } from "./quantized.ts";
import type { LayerChoice, Scope, Strategy, View, WeightSlot } from "./strategy.ts";

/** What the variational strategies share: a log variance beside each weight, pre-activations drawn as a whole, and the divergence of a log-uniform prior. */

/** Name of a slot's log variance, a parameter shaped as the weight. */
export const logVarianceOf = (name: string): string => `${name}.logvar`;

/** Options of every posterior of normals. */
export interface PosteriorOptions {
  /** n, training samples: the divergence counts once for all of them, the loss is a mean. */
  readonly samples: number;
  /** Share of the run over which the divergence comes in. Default 0.2. */
  readonly warmup?: number;
  /** ln σ² at the start. Default -8. */
  readonly start?: number;
  /** Learning rate of ln σ² beside that of weights. Default 1; a trained network that goes on in small steps needs some tens, for ln σ² has units to go where weights have hundredths. */
  readonly varianceRate?: number;
  /**
   * Share of the run, at its end, in which the network computes with what would be exported, straight through, without noise and prior: what the prior has not caught yet is pruned and quantized all the same, and the weights that are left
   * make up for it; what is 0 stays 0. The papers have no such phase, and hundreds of epochs. Default 0.
   */
  readonly settle?: number;
  readonly layers?: LayerChoice;
}

/** Options with the defaults in the places of those that are not given. */
export const posteriorOf = ({
  samples,
  warmup = 0.2,
  start = -8,
  varianceRate = 1,
  settle = 0,
  layers = () => true,
}: PosteriorOptions): Required<PosteriorOptions> => ({ samples, warmup, start, varianceRate, settle, layers });

/** Rates of log variances, those of scales among them. */
export const rateOfVariances =
  (varianceRate: number) =>
  (parameter: string): number =>
    parameter.endsWith(".logvar") ? varianceRate : 1;

/** Added under a root whose gradient at 0 is infinite. */
const LEAST = 1e-8;

/** Log variances of a small constant, as the weights are shaped. */
export function initialLogVariances(
  slots: readonly WeightSlot[],
  parameters: Readonly<Record<string, HostTensor>>,
  layers: LayerChoice,
  start: number,
): Record<string, HostTensor> {
  return Object.fromEntries(
    slots.filter(layers).map(({ name }) => [logVarianceOf(name), filled(parameters[name]!.shape, start)]),
  );
}

/**
 * Local reparameterization (Kingma, Salimans, Welling 2015): pre-activations of independent normal weights are normal, with
 *
 *   mean Σ E[w] x,   variance Σ Var[w] x²,
 *
 * so one number is drawn for each pre-activation instead of one for each weight. The variance of any independent weights gives the same by the central limit theorem (Shayer et al. 2018). Takes all arrays.
 */
export function drawPreactivation(
  product: (x: np.Array, w: np.Array) => np.Array,
  x: np.Array,
  mean: np.Array,
  variance: np.Array,
  scope: Pick<Scope, "normal">,
): np.Array {
  const squares = product(x.ref.mul(x.ref), variance);
  return drawNormal(product(x, mean), squares, scope);
}

/**
 * The same numbers, whose gradient is an array of its own. What a product alone takes is computed within it, in the engine: the gradient of a root, a division for each factor, which took a third of a step where nothing but
 * the weights' gradient asked for it (a first layer). A mean of two equal numbers is exact, and its gradient a sum, which is not computed within. Takes x.
 */
const withOwnGradient = (x: np.Array): np.Array => np.broadcastTo(x, [2, ...x.shape]).mean(0);

/** Independent normal numbers of these means and variances, of one shape. Takes both. */
export function drawNormal(mean: np.Array, variance: np.Array, scope: Pick<Scope, "normal">): np.Array {
  const spread = np.sqrt(withOwnGradient(variance).add(LEAST));
  return mean.add(spread.mul(scope.normal(spread.shape)));
}

/**
 * What strategies of normal weights N(θ, σ²) have in common: products that are drawn, a divergence that counts 1/n and by `constants.share`, which is absent where the run settles.
 *
 * @param divergence from the prior, of all chosen weights together, a scalar; the arrays are shared
 * @param exported what a slot becomes, of a view
 */
export const normalWeights = (
  { samples, layers, warmup, varianceRate, settle }: Required<PosteriorOptions>,
  divergence: (scope: Scope) => np.Array,
  exported: (view: View) => (slot: WeightSlot) => Promise<Quantized>,
): Required<Pick<Strategy, "drawn" | "rate" | "weightsFor" | "weight" | "linear" | "penalty" | "export">> => ({
  drawn: layers,
  rate: rateOfVariances(varianceRate),
  async weightsFor(step, view) {
    if (step < (1 - settle) * view.steps)
      return { constants: { share: filled([], warmedUp(step, view.steps, warmup)) } };
    return { weights: await floatEach(chosenSlots(view, layers), exported(view)) };
  },
  weight(slot, latent, given) {
    if (given === undefined) return latent;
    const hard = slot.columns(given);
    const kept = autograd.stop(hard.ref.notEqual(0).astype(np.float32));
    return straightThrough(hard, latent.mul(kept));
  },
  penalty(scope) {
    const { share } = scope.constants;
    return share === undefined ? np.array(0) : divergence(scope).mul(share.ref.div(samples));
  },
  export: (view) => exportEach(chosenSlots(view, layers), exported(view)),
  linear(slot, product, x, w, scope) {
    if (!layers(slot) || slot.name in scope.weights) return product(x, w);
    const variance = np.exp(scope.parameters[logVarianceOf(slot.name)]!.ref);
    return drawPreactivation(product, x, w, variance, scope);
  },
});

/** A divergence of all chosen weights, slot by slot. @param of one slot's, a scalar */
export const overSlots =
  (layers: LayerChoice, of: (parameters: Scope["parameters"], name: string) => np.Array) =>
  ({ parameters, slots }: Scope): np.Array =>
    [...slots.values()]
      .filter(layers)
      .map(({ name }) => of(parameters, name))
      .reduce((sum, part) => sum.add(part));

/** ln α = ln σ² - ln θ², kept within ±10. Takes both. */
export const logAlpha = (logVariance: np.Array, theta: np.Array): np.Array =>
  np.clip(logVariance.sub(np.log(theta.ref.mul(theta).add(LEAST))), -10, 10);

/** Constants of the fit of Molchanov et al. 2017, eq. 14. */
const [K1, K2, K3] = [0.63576, 1.8732, 1.48695];

/**
 * KL(N(θ, αθ²) ‖ log-uniform) for each weight, up to a constant and chosen 0 at α = ∞: -k1 σ(k2 + k3 ln α) + 1/2 ln(1 + 1/α) + k1 (Molchanov et al. 2017, eq. 14). Takes ln α.
 */
export const logUniformDivergence = (lnAlpha: np.Array): np.Array =>
  nn
    .softplus(lnAlpha.ref.mul(-1))
    .mul(0.5)
    .sub(sigmoid(lnAlpha.mul(K3).add(K2)).mul(K1))
    .add(K1);

/** 1/σ² in the core's layout: what its variational quantizers take as curvature. */
const precisionOf = (view: View, slot: WeightSlot): Float32Array =>
  view.compute(slot, (parameters) => np.exp(parameters[logVarianceOf(slot.name)]!.ref.mul(-1))).data;

/** How much of the divergence counts at a step: it rises linearly to 1 over the first `share` of the run (Sønderby et al. 2016), for a network that starts at random would drop all its weights. */
export const warmedUp = (step: number, steps: number, share: number): number =>
  share === 0 ? 1 : Math.min(1, (step + 1) / (share * steps));

/** Slots by a quantizer that takes σ² as curvature. */
export const byPrecision =
  (quantizer: WeightQuantizer) =>
  (view: View) =>
  (slot: WeightSlot): Promise<Quantized> =>
    quantizeSlot(slot, view.latent(slot), quantizer, { curvature: precisionOf(view, slot) });
