import { np } from "../autograd.ts";
import { BETA1, BETA2, isWeight, type Optimizer } from "./optimizer.ts";

const EPSILON = 1e-8;

export interface AdamOptions {
  /** Per unit of learning rate, >= 0. Default 0: plain Adam. */
  readonly decay?: number;
  /** Which parameters decay, by full name. Default: names that end in `.weight`. */
  readonly decays?: (parameter: string) => boolean;
}

/**
 * Adam (Kingma, Ba 2015, algorithm 1, its defaults): m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2,
 * w = w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + e).
 *
 * With `decay`, AdamW (Loshchilov, Hutter 2019): w loses rate · decay · w beside, which no moment sees.
 */
export function adam({ decay = 0, decays = isWeight }: AdamOptions = {}): Optimizer {
  return {
    name: decay === 0 ? "adam" : `adamw:${decay}`,
    moments: ["first", "second"],
    step(weight, gradient, moments, clock, parameter) {
      const first = moments.first!.mul(BETA1).add(gradient.ref.mul(1 - BETA1));
      const second = moments.second!.mul(BETA2).add(gradient.ref.mul(gradient).mul(1 - BETA2));
      const direction = first.ref.div(clock.ref.slice(1)).div(np.sqrt(second.ref.div(clock.ref.slice(2))).add(EPSILON));
      const kept = decay !== 0 && decays(parameter) ? weight.mul(clock.ref.slice(0).mul(-decay).add(1)) : weight;
      return { weight: kept.sub(direction.mul(clock.ref.slice(0))), moments: { first, second } };
    },
  };
}

/** Adam with decoupled weight decay. @param decay per unit of learning rate, default 0.01 */
export const adamW = (decay = 0.01): Optimizer => adam({ decay });
