import { posteriorGrid } from "lowbit/quantize";
import { np } from "../autograd.ts";
import { type Arrays, filled, type HostTensor, toArray, toHostTensor } from "../values.ts";
import { exportEach, quantizeSlot } from "./quantized.ts";
import type { Strategy, View, WeightSlot } from "./strategy.ts";
import {
  drawPreactivation,
  initialLogVariances,
  logAlpha,
  logUniformDivergence,
  logVarianceOf,
  type PosteriorOptions,
  posteriorOf,
  rateOfVariances,
  warmedUp,
} from "./variational.ts";

export interface BayesianCompressionOptions extends PosteriorOptions {
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
    rate: rateOfVariances(varianceRate),
    weightsFor: (step, view) => ({ constants: { share: filled([], warmedUp(step, view.steps, warmup)) } }),
    linear(slot, product, x, w, scope) {
      if (!layers(slot)) return product(x, w);
      const names = scalesOf(slot);
      const spread = np.exp(scope.parameters[names.logVariance]!.ref.div(2));
      const z = scope.parameters[names.mean]!.ref.add(spread.mul(scope.normal([x.shape[0]!, groupsOf(slot)])));
      const perSample = z.reshape([x.shape[0]!, ...x.shape.slice(1, -1).map(() => 1), groupsOf(slot)]);
      const variance = np.exp(scope.parameters[logVarianceOf(slot.name)]!.ref);
      return drawPreactivation(product, x.mul(perSample), w, variance, scope);
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

/** Mean and variance of what is left of each weight, in the core's layout: μ_z μ (0 in a group that goes), and σ_z² (σ² + μ²) + μ_z² σ². */
export function groupPosterior(
  view: View,
  slot: WeightSlot,
  threshold: number,
): { mean: HostTensor; variance: HostTensor } {
  const names = scalesOf(slot);
  const groups = groupsOf(slot);
  // The core's last axis is the input; in the engine it is the last but one.
  const along = (parameters: Readonly<Arrays>, name: string) =>
    slot.columns(np.ones([...slot.shape]).mul(parameters[name]!.ref.reshape([groups])));
  return {
    mean: view.compute(slot, (parameters) => {
      const z = along(parameters, names.mean);
      const lnAlpha = logAlpha(along(parameters, names.logVariance), z.ref);
      return np.where(lnAlpha.greater(threshold), 0, z.mul(parameters[slot.name]!.ref));
    }),
    variance: view.compute(slot, (parameters) => {
      const z = along(parameters, names.mean);
      const mu = parameters[slot.name]!.ref;
      const own = np.exp(parameters[logVarianceOf(slot.name)]!.ref);
      const shared = np.exp(along(parameters, names.logVariance));
      return shared.mul(own.ref.add(mu.ref.mul(mu))).add(z.ref.mul(z).mul(own));
    }),
  };
}
