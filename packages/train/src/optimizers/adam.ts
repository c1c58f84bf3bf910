import { numpy as np } from "@jax-js/jax";
import type { Arrays } from "../values.ts";

/** Constants of Adam (Kingma, Ba 2015, algorithm 1), its defaults. */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** First and second moment of each parameter's gradient. */
export type AdamMoments = {
  readonly first: Arrays;
  readonly second: Arrays;
};

/**
 * What changes from step to step, for step t = 1, 2, ...: [learning rate, 1 - beta1^t, 1 - beta2^t]. Computed outside the
 * compiled step, by repeated products, since `Math.pow` differs between engines.
 */
export class AdamClock {
  #power1 = 1;
  #power2 = 1;

  /** @param steps that have been taken already */
  constructor(steps = 0) {
    for (let t = 0; t < steps; t++) this.#advance();
  }

  #advance(): void {
    this.#power1 *= ADAM.beta1;
    this.#power2 *= ADAM.beta2;
  }

  /** Begins the next step. */
  tick(learningRate: number): Float32Array<ArrayBuffer> {
    this.#advance();
    return Float32Array.of(learningRate, 1 - this.#power1, 1 - this.#power2);
  }
}

/**
 * One step of Adam: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w = w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + e);
 * then latent weights with a limit are clipped to it. Takes all its arrays.
 *
 * @param clock the three values of `AdamClock.tick`
 */
export function adam(
  parameters: Arrays,
  moments: AdamMoments,
  gradients: Arrays,
  clock: np.Array,
  limits: Readonly<Record<string, number>> = {},
): { parameters: Arrays; moments: AdamMoments } {
  const next = { parameters: {} as Arrays, moments: { first: {} as Arrays, second: {} as Arrays } };
  for (const [name, weight] of Object.entries(parameters)) {
    const gradient = gradients[name] as np.Array;
    const first = (moments.first[name] as np.Array).mul(ADAM.beta1).add(gradient.ref.mul(1 - ADAM.beta1));
    const second = (moments.second[name] as np.Array)
      .mul(ADAM.beta2)
      .add(gradient.ref.mul(gradient).mul(1 - ADAM.beta2));
    const direction = first.ref
      .div(clock.ref.slice(1))
      .div(np.sqrt(second.ref.div(clock.ref.slice(2))).add(ADAM.epsilon));
    const moved = weight.sub(direction.mul(clock.ref.slice(0)));
    const limit = limits[name];
    next.parameters[name] = limit === undefined ? moved : np.clip(moved, -limit, limit);
    next.moments.first[name] = first;
    next.moments.second[name] = second;
  }
  clock.dispose();
  return next;
}
