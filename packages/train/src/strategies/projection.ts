import { clipped, type GradientEstimator } from "../estimators/gradients.ts";
import { Random } from "../random.ts";
import { exportLatent, floatEach, limitsOf, quantizeSlot, type WeightQuantizer } from "./quantized.ts";
import { seedOf } from "./straight-through.ts";
import type { Strategy } from "./strategy.ts";

export interface ProjectionOptions {
  /** The distortions, one of which each weight tensor meets at each step: `binary()`, `pow2({ bits: 4 })`, `stochasticBinary({ per: "channel" })` ... */
  readonly projections: readonly WeightQuantizer[];
  /** s of the multiplicative noise 1 + s n, n standard normal, drawn for each weight at each step. Default 0.2. */
  readonly noise?: number;
  readonly estimator?: GradientEstimator;
  /** What the finished network has. Default the first projection. */
  readonly exported?: WeightQuantizer;
}

/** Purpose of the generator that chooses projections. */
const CHOICE = 3;

/**
 * Training under projections (Merolla et al. 2016): at each step weights are projected (signs, powers of two ...) and made noisy, forward and backward, and the latent ones are moved, and clipped to where the estimator sees them. A network that has met
 * one kind of distortion turns out to bear others too, which is what must hold.
 */
export function projection({ projections, noise = 0.2, estimator = clipped, exported }: ProjectionOptions): Strategy {
  return {
    name: `projection:${projections.map(({ scheme }) => scheme).join()}:${noise}:${estimator.scheme ?? "own"}`,
    limits: (slots) => limitsOf(projections[0]!, slots, estimator),
    async weightsFor(step, view) {
      const weights = await floatEach(view.slots, (slot, index) => {
        const chosen = projections[new Random(view.seed, CHOICE, step, index).integer(projections.length)]!;
        return quantizeSlot(slot, view.latent(slot), chosen, { seed: seedOf(view.seed, step, index) });
      });
      return { weights };
    },
    weight(slot, latent, given, scope) {
      const hard = slot.columns(given!);
      return estimator(noise === 0 ? hard : hard.mul(scope.normal(latent.shape).mul(noise).add(1)), latent);
    },
    export: (view) => exportLatent(view, exported ?? projections[0]!),
  };
}
