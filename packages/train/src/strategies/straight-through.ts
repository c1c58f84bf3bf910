import { type GradientEstimator, identity } from "../estimators/gradients.ts";
import {
  among,
  exportLatent,
  floatEach,
  limitsOf,
  type QuantizerChoice,
  quantizerOf,
  quantizeSlot,
  schemeOf,
} from "./quantized.ts";
import type { LayerChoice, Strategy } from "./strategy.ts";

export interface StraightThroughOptions {
  /** Of the core. A drawn one (`stochasticBinary`, `stochasticTernary`) draws anew at each step. */
  readonly quantizer: QuantizerChoice;
  /** Default all. */
  readonly layers?: LayerChoice;
  /** Default `identity`. */
  readonly estimator?: GradientEstimator;
  /** What the finished network has, where it is not `quantizer`: BinaryConnect trains with drawn signs and tests with plain ones. */
  readonly exported?: QuantizerChoice;
}

/**
 * The straight-through estimator with latent weights (Hinton 2012; Bengio et al. 2013; Courbariaux et al. 2015): forward with Q(w), and its gradient moves w, which stays within what the estimator or the
 * quantizer sees.
 *
 * With `binary()` BWN, with `unitSigns()` BinaryConnect, with `stochasticBinary()` (exported `unitSigns()`) BinaryConnect's drawn form, with `stochasticTernary()` Ternary Connect, with `ternary()` TWN, with `absmean()` BitNet b1.58, with `abcNet` ABC-Net's
 * weights, with `wage` WAGE's.
 */
export function straightThroughTraining({
  quantizer,
  layers,
  estimator = identity,
  exported,
}: StraightThroughOptions): Strategy {
  const chosen = among(quantizer, layers);
  const gradient = estimator === identity ? "" : `:${estimator.scheme ?? "own"}`;
  return {
    name: `ste:${schemeOf(quantizer)}${gradient}${exported ? `>${schemeOf(exported)}` : ""}`,
    limits: (slots) => limitsOf(chosen, slots, estimator),
    async weightsFor(step, view) {
      const weights = await floatEach(view.slots, (slot, index) => {
        const own = quantizerOf(chosen, slot);
        return own && quantizeSlot(slot, view.latent(slot), own, { seed: seedOf(view.seed, step, index) });
      });
      return { weights };
    },
    weight: (slot, latent, given) => (given === undefined ? latent : estimator(slot.columns(given), latent)),
    export: (view) => exportLatent(view, exported ? among(exported, layers) : chosen),
  };
}

/** A 32-bit seed of its own for each step and slot. */
export const seedOf = (seed: number, step: number, index: number): number =>
  (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)) >>> 0;
