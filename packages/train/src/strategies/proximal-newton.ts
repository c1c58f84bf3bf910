import type { HostTensor } from "../values.ts";
import { exportLatent, floatTensor, type QuantizerChoice, quantizerOf, quantizeSlot } from "./quantized.ts";
import type { Strategy, View, WeightSlot } from "./strategy.ts";

export interface ProximalNewtonOptions {
  /** `lab()` for loss-aware binarization, `laq({ bits })` or `laqLog` for loss-aware quantization. */
  readonly quantizer: QuantizerChoice;
}

/** Added to the root of the second moment: a weight that no gradient has reached still counts. */
const LEAST = 1e-8;

/**
 * Loss-aware quantization (Hou, Yao, Kwok 2017, algorithm 1; Hou, Kwok 2018): proximal Newton with a diagonal Hessian. What a step computes with is
 *
 *   min over α >= 0, b of Σ d (w - α b)²,   d = √v̂ of Adam's second moment,
 *
 * the quantizer's formula with `curvature` d, so that weights of which the loss depends more are met better: α = ‖d ∘ w‖₁ / ‖d‖₁ instead of mean |w|. Adam moves the latent w by the gradient at
 * ŵ, as in the paper's algorithm. Before the first step all d are equal. Needs an optimizer with a second moment.
 */
export function proximalNewton({ quantizer }: ProximalNewtonOptions): Strategy {
  return {
    name: `proximal-newton:${typeof quantizer === "function" ? "mixed" : quantizer.scheme}`,
    async weightsFor(_step, view) {
      const weights: Record<string, HostTensor> = {};
      for (const slot of view.slots) {
        const own = quantizerOf(quantizer, slot);
        if (own === undefined) continue;
        const curvature = curvatureOf(view, slot);
        weights[slot.name] = floatTensor(slot, await quantizeSlot(slot, view.latent(slot), own, { curvature }));
      }
      return { weights };
    },
    export: (view) => exportLatent(view, quantizer, (slot) => ({ curvature: curvatureOf(view, slot) })),
  };
}

/** √v + 1e-8; the factor that bias correction would give is the same for all weights, and only ratios count. */
function curvatureOf(view: View, slot: WeightSlot): Float32Array {
  const { data } = view.second(slot);
  // In place and by index: a map over a million weights takes a tenth of a step.
  for (let i = 0; i < data.length; i++) data[i] = Math.sqrt(data[i]!) + LEAST;
  return data;
}
