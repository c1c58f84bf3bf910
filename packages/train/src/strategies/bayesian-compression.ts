import { posteriorGrid } from "lowbit/quantize";
import { np } from "../autograd.ts";
import { type Arrays, filled, type HostTensor, toArray, toHostTensor } from "../values.ts";
import { exportEach, quantizeSlot } from "./quantized.ts";
import type { Strategy, View, WeightSlot } from "./strategy.ts";
import {
  drawNormal,
  initialLogVariances,
  logAlpha,
  logUniformDivergence,
  logVarianceOf,
  type PosteriorOptions,
  posteriorOf,
  rateOfVariances,
  warmedUp,
} from "./variational.ts";

export interface BayesianCompressionOptions extends Omit<PosteriorOptions, "settle"> {
  /** ln α_z above which a group goes. Default 0: as much noise as signal. */
  readonly threshold?: number;
}

/** Names of the scales of a slot's groups. */
const scalesOf = ({ name }: WeightSlot) => ({ mean: `${name}.z`, logVariance: `${name}.z.logvar` });

/** Inputs of a slot, each of which is a group: the last axis in the core's layout. */
const groupsOf = ({ shape }: WeightSlot): number => shape.at(-1)!;

/**
 * Bayesian compression with group normal-Jeffreys priors (Louizos, Ullrich, Welling 2017): all weights of an input (neuron or channel) share a scale z,
 *
 *   q(z) = N(μ_z, μ_z² α_z),  q(w | z) = N(z μ, z² σ²);   minimise mean loss + 1/n [Σ KL(α_z) + Σ 1/2 (σ² + μ² - 1 - ln σ²)],
 *
 * z drawn once for each sample, and the pre-activation by the local reparameterization. A group of ln α_z > threshold goes, inputs and all; the others become μ_z μ, in steps as fine as their posterior
 * standard deviation is (`posteriorGrid`), so the bits of a layer follow from what the data say.
 *
 * A border of +1 around an image is scaled as well, by the mean μ_z of its channel, as in what is exported.
 */
export function bayesianCompression(options: BayesianCompressionOptions): Strategy {
  const { samples, warmup, start, varianceRate, layers } = posteriorOf(options);
  const { threshold = 0 } = options;
  return {
    name: `bayesian-compression:${samples}:${threshold}:${warmup}:${start}:${varianceRate}`,
    initialize(slots, parameters) {
      const scales: Record<string, HostTensor> = {};
      for (const slot of slots.filter(layers)) {
        scales[scalesOf(slot).mean] = filled([groupsOf(slot)], 1);
        scales[scalesOf(slot).logVariance] = filled([groupsOf(slot)], start);
      }
      return { ...scales, ...initialLogVariances(slots, parameters, layers, start) };
    },
    drawn: layers,
    rate: rateOfVariances(varianceRate),
    weightsFor: (step, view) => ({ constants: { share: filled([], warmedUp(step, view.steps, warmup)) } }),
    linear(slot, product, x, w, scope) {
      if (!layers(slot)) return product(x, w);
      const names = scalesOf(slot);
      const spread = np.exp(scope.parameters[names.logVariance]!.ref.div(2));
      const z = scope.parameters[names.mean]!.ref.add(spread.mul(scope.normal([x.shape[0]!, groupsOf(slot)])));
      const scaled = x.mul(z.reshape([x.shape[0]!, ...x.shape.slice(1, -1).map(() => 1), groupsOf(slot)]));
      const variance = np.exp(scope.parameters[logVarianceOf(slot.name)]!.ref);
      const expected = along(scope.parameters, slot, names.mean);
      const noise = scaledProduct(product, scaled.ref.mul(scaled.ref), variance, expected.ref.mul(expected.ref));
      return drawNormal(scaledProduct(product, scaled, w, expected), noise, scope);
    },
    penalty({ parameters, slots, constants }) {
      const divergences = [...slots.values()].filter(layers).map((slot) => {
        const names = scalesOf(slot);
        const groups = logUniformDivergence(
          logAlpha(parameters[names.logVariance]!.ref, parameters[names.mean]!.ref),
        ).sum();
        const [mu, logVariance] = [parameters[slot.name]!.ref, parameters[logVarianceOf(slot.name)]!.ref];
        const each = np.exp(logVariance.ref).add(mu.ref.mul(mu)).sub(logVariance).sub(1);
        return groups.add(each.sum().div(2));
      });
      return divergences.reduce((sum, d) => sum.add(d)).mul(constants.share!.ref.div(samples));
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) => {
        const { mean, variance } = groupPosterior(view, slot, threshold);
        const curvature = toHostTensor(np.reciprocal(toArray(variance))).data;
        return quantizeSlot(slot, mean, posteriorGrid(), { curvature });
      }),
  };
}

/** A scale of each group, shaped as the slot's weight in the engine. The parameters are shared. */
const along = (parameters: Readonly<Arrays>, slot: WeightSlot, name: string): np.Array =>
  // The core's last axis is the input; in the engine it is the last but one.
  slot.columns(np.ones([...slot.shape]).mul(parameters[name]!.ref.reshape([groupsOf(slot)])));

/**
 * A product by w of inputs that are scaled already, with the border of an image scaled by `factor` (shaped as w): product(x, w) + product(0, w (factor - 1)). A product is linear in w, and in an image together with its border; what
 * is added is 0 where the border is 0 or there is none. Takes all arrays.
 */
function scaledProduct(
  product: (x: np.Array, w: np.Array) => np.Array,
  x: np.Array,
  w: np.Array,
  factor: np.Array,
): np.Array {
  if (x.ndim < 4) {
    factor.dispose();
    return product(x, w);
  }
  const nothing = np.zeros([1, ...x.shape.slice(1)]);
  const border = product(nothing, w.ref.mul(factor.sub(1)));
  return product(x, w).add(border);
}

/** Mean and variance of what is left of each weight, in the core's layout: μ_z μ (0 in a group that goes), and σ_z² (σ² + μ²) + μ_z² σ². */
export function groupPosterior(
  view: View,
  slot: WeightSlot,
  threshold: number,
): { mean: HostTensor; variance: HostTensor } {
  const names = scalesOf(slot);
  return {
    mean: view.compute(slot, (parameters) => {
      const z = along(parameters, slot, names.mean);
      const lnAlpha = logAlpha(along(parameters, slot, names.logVariance), z.ref);
      return np.where(lnAlpha.greater(threshold), 0, z.mul(parameters[slot.name]!.ref));
    }),
    variance: view.compute(slot, (parameters) => {
      const z = along(parameters, slot, names.mean);
      const mu = parameters[slot.name]!.ref;
      const own = np.exp(parameters[logVarianceOf(slot.name)]!.ref);
      const shared = np.exp(along(parameters, slot, names.logVariance));
      return shared.mul(own.ref.add(mu.ref.mul(mu))).add(z.ref.mul(z).mul(own));
    }),
  };
}
