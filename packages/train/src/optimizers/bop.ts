import { np } from "../autograd.ts";
import { adam } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";

export interface BopOptions {
  /** γ: share of a new gradient in the mean. Default 1e-3. */
  readonly adaptivity?: number;
  /** τ: a weight flips where its mean gradient is larger and pushes on. Default 1e-6. */
  readonly threshold?: number;
  /** Which parameters are binary; the others take Adam. */
  readonly binary: (parameter: string) => boolean;
}

/**
 * Bop, an optimizer of binary weights without latent ones (Helwegen et al. 2019, algorithm 1): m = (1 - γ) m + γ g, and a weight changes its sign where |m| > τ and
 * sign(m) = sign(w). Weights start as the signs of what they were given; they are ±1 after every step. The learning rate is for the others.
 */
export function bop({ adaptivity = 1e-3, threshold = 1e-6, binary }: BopOptions): Optimizer {
  const others = adam();
  return {
    name: `bop:${adaptivity}:${threshold}`,
    moments: others.moments,
    step(weight, gradient, moments, clock, parameter) {
      if (!binary(parameter)) return others.step(weight, gradient, moments, clock, parameter);
      const first = moments.first!.mul(1 - adaptivity).add(gradient.mul(adaptivity));
      const signs = np.where(weight.greaterEqual(0), 1, -1);
      const flips = first.ref.mul(signs.ref).greater(threshold);
      return { weight: np.where(flips, signs.ref.mul(-1), signs), moments: { first, second: moments.second! } };
    },
  };
}
