import { isWeight, type Optimizer } from "./optimizer.ts";

export interface SgdOptions {
  /** Share of the last step that goes on, 0..1. Default 0. */
  readonly momentum?: number;
  /** Nesterov's look ahead. Default false. */
  readonly nesterov?: boolean;
  /** L2 penalty: added to the gradient times w. Default 0. */
  readonly decay?: number;
  /** Which parameters have that penalty, by full name. Default: names that end in `.weight`. */
  readonly decays?: (parameter: string) => boolean;
}

/** Stochastic gradient descent: v = momentum v + g, w = w - rate v (or, with `nesterov`, rate (g + momentum v): Sutskever et al. 2013). */
export function sgd({ momentum = 0, nesterov = false, decay = 0, decays = isWeight }: SgdOptions = {}): Optimizer {
  return {
    name: `sgd:${momentum}:${nesterov}:${decay}`,
    moments: momentum === 0 ? [] : ["velocity"],
    step(weight, gradient, moments, clock, parameter) {
      const g = decay === 0 || !decays(parameter) ? gradient : gradient.add(weight.ref.mul(decay));
      if (momentum === 0) return { weight: weight.sub(g.mul(clock.ref.slice(0))), moments: {} };
      const velocity = moments.velocity!.mul(momentum).add(g.ref);
      const direction = nesterov ? g.add(velocity.ref.mul(momentum)) : dropping(g, velocity.ref);
      return { weight: weight.sub(direction.mul(clock.ref.slice(0))), moments: { velocity } };
    },
  };
}

/** The second array; the first is given back. */
function dropping<T extends { dispose(): void }>(unused: T, used: T): T {
  unused.dispose();
  return used;
}
