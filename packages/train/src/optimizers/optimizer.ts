import { np } from "../autograd.ts";
import type { Arrays } from "../values.ts";

/** What an optimizer keeps of each parameter's gradients, by name of the moment. */
export type Moments = Readonly<Record<string, Arrays>>;

/** A rule that moves parameters, inside the compiled step. */
export interface Optimizer {
  /** With its settings: part of what tells one run from another. */
  readonly name: string;
  /** Names of its moments, all zeros at first. */
  readonly moments: readonly string[];
  /**
   * One parameter's step. Takes all its arrays but `clock`.
   * @param clock [learning rate, 1 - 0.9^t, 1 - 0.999^t, t] for step t = 1, 2, ...
   */
  step(
    weight: np.Array,
    gradient: np.Array,
    moments: Readonly<Arrays>,
    clock: np.Array,
    parameter: string,
  ): { weight: np.Array; moments: Arrays };
}

/** Decay rates of Adam's moments, its defaults (Kingma, Ba 2015). */
export const BETA1 = 0.9;
export const BETA2 = 0.999;

/**
 * What changes from step to step: [learning rate, 1 - beta1^t, 1 - beta2^t, t]. Computed outside the compiled step, by repeated products, since
 * `Math.pow` differs between engines.
 */
export class Clock {
  #power1 = 1;
  #power2 = 1;
  #step = 0;

  /** @param steps that have been taken already */
  constructor(steps = 0) {
    for (let t = 0; t < steps; t++) this.#advance();
  }

  #advance(): void {
    this.#power1 *= BETA1;
    this.#power2 *= BETA2;
    this.#step++;
  }

  /** Begins the next step. */
  tick(learningRate: number): Float32Array<ArrayBuffer> {
    this.#advance();
    return Float32Array.of(learningRate, 1 - this.#power1, 1 - this.#power2, this.#step);
  }
}

/** A clock of so many times the learning rate. The clock is shared. */
export const atRate = (clock: np.Array, factor: number): np.Array => clock.ref.mul(np.array([factor, 1, 1, 1]));

/** How a run moves some parameters otherwise than the rest. */
export interface Pace {
  /** By name: latent weights are clipped to ± so much. */
  readonly limits?: Readonly<Record<string, number>>;
  /** What the learning rate is multiplied by for a parameter. */
  readonly rate?: ((parameter: string) => number) | undefined;
}

/** One step of all parameters. Takes all its arrays. */
export function updateAll(
  optimizer: Optimizer,
  parameters: Arrays,
  moments: Moments,
  gradients: Arrays,
  clock: np.Array,
  { limits = {}, rate = () => 1 }: Pace = {},
): { parameters: Arrays; moments: Record<string, Arrays> } {
  const next = {
    parameters: {} as Arrays,
    moments: Object.fromEntries(optimizer.moments.map((moment) => [moment, {} as Arrays])),
  };
  for (const [name, weight] of Object.entries(parameters)) {
    const own = Object.fromEntries(optimizer.moments.map((moment) => [moment, moments[moment]![name]!]));
    const factor = rate(name);
    const ticking = factor === 1 ? clock.ref : atRate(clock, factor);
    const moved = optimizer.step(weight, gradients[name]!, own, ticking, name);
    ticking.dispose();
    const limit = limits[name];
    next.parameters[name] = limit === undefined ? moved.weight : np.clip(moved.weight, -limit, limit);
    for (const moment of optimizer.moments) next.moments[moment]![name] = moved.moments[moment]!;
  }
  clock.dispose();
  return next;
}
