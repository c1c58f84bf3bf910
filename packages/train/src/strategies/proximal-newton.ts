import { RecipeError } from "../errors.ts";
import {
  among,
  exportLatent,
  floatEach,
  type QuantizerChoice,
  quantizerOf,
  quantizeSlot,
  schemeOf,
} from "./quantized.ts";
import type { LayerChoice, Strategy, View, WeightSlot } from "./strategy.ts";

export interface ProximalNewtonOptions {
  /** `lab()` for loss-aware binarization, `laq({ bits })` or `laqLog` for loss-aware quantization. */
  readonly quantizer: QuantizerChoice;
  /** Default all. */
  readonly layers?: LayerChoice;
}

/** Added to the root of the second moment: a weight that no gradient has reached still counts. */
const LEAST = 1e-8;

/**
 * Loss-aware quantization (Hou, Yao, Kwok 2017, algorithm 1; Hou, Kwok 2018): proximal Newton with a diagonal Hessian. What a step computes with is
 *
 *   min over α >= 0, b of Σ d (w - α b)²,   d = √v̂ of Adam's second moment,
 *
 * the quantizer's formula with `curvature` d, so that weights of which the loss depends more are met better: α = ‖d ∘ w‖₁ / ‖d‖₁ instead of mean |w|. Adam moves the latent w by the gradient at
 * ŵ, as in the paper's algorithm. Before the first step all d are equal.
 *
 * Before training it throws RecipeError where the optimizer has no second moment.
 */
export function proximalNewton({ quantizer, layers }: ProximalNewtonOptions): Strategy {
  const chosen = among(quantizer, layers);
  return {
    name: `proximal-newton:${schemeOf(quantizer)}`,
    prepare({ moments }) {
      if (!moments.includes("second"))
        throw new RecipeError(
          `proximalNewton needs an optimizer with a second moment, as adam has, but this one has ${moments.join(", ") || "none"}: all weights would count the same`,
        );
    },
    async weightsFor(_step, view) {
      const weights = await floatEach(view.slots, (slot) => {
        const own = quantizerOf(chosen, slot);
        return own && quantizeSlot(slot, view.latent(slot), own, { curvature: curvatureOf(view, slot) });
      });
      return { weights };
    },
    export: (view) => exportLatent(view, chosen, (slot) => ({ curvature: curvatureOf(view, slot) })),
  };
}

/** √v + 1e-8; the factor that bias correction would give is the same for all weights, and only ratios count. */
function curvatureOf(view: View, slot: WeightSlot): Float32Array {
  const { data } = view.second(slot);
  // In place and by index: a map over a million weights takes a tenth of a step.
  for (let i = 0; i < data.length; i++) data[i] = Math.sqrt(data[i]!) + LEAST;
  return data;
}
