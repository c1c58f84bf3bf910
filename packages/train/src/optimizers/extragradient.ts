import { np } from "../autograd.ts";
import type { Optimizer } from "./optimizer.ts";

/**
 * Extragradient (Korpelevich 1976), the W-step of ADMM for low-bit networks (Leng et al. 2018, section 3.1): the gradient where a plain step would lead, taken from where that step began,
 *
 *   w' = w - rate ∇f(w),   w ← w - rate ∇f(w').
 *
 * Each of the two is a training step with a batch of its own: the odd ones predict, the even ones correct, and an even number of steps belongs between two looks at the weights. It halves the moves of an epoch;
 * what it buys is a step that circles where descent would fly apart.
 */
export function extragradient(): Optimizer {
  return {
    name: "extragradient",
    moments: ["anchor"],
    step(weight, gradient, moments, clock) {
      const predicts = np.remainder(clock.ref.slice(3), 2).greater(0);
      const anchor = np.where(predicts, weight, moments.anchor!);
      return { weight: anchor.ref.sub(gradient.mul(clock.ref.slice(0))), moments: { anchor } };
    },
  };
}
