import { variational } from "lowbit/quantize";
import { np } from "../autograd.ts";
import { filled, type HostTensor } from "../values.ts";
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

export interface VnqOptions extends PosteriorOptions {
  /** The spikes at the start: a is so many times the mean |w| of the tensor. The larger, the more weights are nearer to 0 than to ±a. Default 1.5. */
  readonly level?: number;
}

/** Width τ of a spike's window, as a share of the distance a between two levels: at the middle it has fallen to 0.04. */
const WINDOW = 0.2;

/**
 * Variational network quantization (Achterhold et al. 2018): the prior of sparse variational dropout with a spike at each of the levels -a, 0, a, a trained for each tensor,
 *
 *   KL ≈ Σ_{k≠0} Ω(θ - c_k) KL(σ² / (θ - c_k)²) + (1 - Σ_{k≠0} Ω(θ - c_k)) KL(σ² / θ²),   Ω(t) = exp(-t² / 2τ²),
 *
 * so that each weight is pulled to the level that it is nearest to (τ = a / 5). Exported are levels: 0 where ln α > 3, else the nearest. The core fits their scale by least squares, where the trained a is a start no better.
 */
export function vnq(options: VnqOptions): Strategy {
  const posterior = posteriorOf(options);
  const { samples, warmup, start, varianceRate, settle, layers } = posterior;
  const { level: times = 1.5 } = options;
  return {
    name: `vnq:${samples}:${warmup}:${start}:${varianceRate}:${times}:${settle}`,
    initialize(slots, parameters) {
      const levels: Record<string, HostTensor> = {};
      for (const { name } of slots.filter(layers)) {
        const { data } = parameters[name]!;
        levels[`${name}.level`] = filled([1], (times * data.reduce((sum, w) => sum + Math.abs(w), 0)) / data.length);
      }
      return { ...levels, ...initialLogVariances(slots, parameters, layers, start) };
    },
    ...normalWeights(
      posterior,
      overSlots(layers, (parameters, name) => {
        const level = np.absolute(parameters[`${name}.level`]!.ref);
        return spikeDivergence(parameters[name]!.ref, parameters[logVarianceOf(name)]!.ref, level).sum();
      }),
      byPrecision(variational({ levels: 3 })),
    ),
  };
}

/** The divergence of each weight from a prior of spikes at -a, 0, a. Takes θ, ln σ² and a. */
export function spikeDivergence(theta: np.Array, logVariance: np.Array, level: np.Array): np.Array {
  const divergence = (from: np.Array) => logUniformDivergence(logAlpha(logVariance.ref, from));
  const width = level.ref.mul(WINDOW);
  const around = [theta.ref.sub(level.ref), theta.ref.add(level)].map((from) => {
    const z = from.ref.div(width.ref);
    return { window: np.exp(z.ref.mul(z).div(-2)), divergence: divergence(from) };
  });
  width.dispose();
  const none = around.reduce((rest, { window }) => rest.sub(window.ref), np.array(1));
  const middle = none.mul(divergence(theta));
  logVariance.dispose();
  return around.reduce((sum, { window, divergence: d }) => sum.add(window.mul(d)), middle);
}
