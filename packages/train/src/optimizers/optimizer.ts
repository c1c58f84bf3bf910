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

/** Where a parameter is kept: within ±limit, or between the least and the largest value. */
export type Limit = number | readonly [least: number, largest: number];

/** Of a learned step, threshold or end of a range, which divides: it stays above 0. */
export const ABOVE_ZERO: Limit = [1e-6, Number.POSITIVE_INFINITY];

/** What decays by default: weights of products and tables. Biases, scales, thresholds, steps and log variances have values that are not better for being near 0. */
export const isWeight = (parameter: string): boolean => parameter.endsWith(".weight");

/** How a run moves some parameters otherwise than the rest. */
export interface Pace {
  /** By name: the parameter is clipped after each step. */
  readonly limits?: Readonly<Record<string, Limit>>;
  /** What the learning rate is multiplied by for a parameter. */
  readonly rate?: ((parameter: string) => number) | undefined;
}

/** Takes w. */
function within(w: np.Array, limit: Limit | undefined): np.Array {
  if (limit === undefined) return w;
  const [least, largest] = typeof limit === "number" ? [-limit, limit] : limit;
  return np.clip(w, least, largest);
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
    next.parameters[name] = within(moved.weight, limits[name]);
    for (const moment of optimizer.moments) next.moments[moment]![name] = moved.moments[moment]!;
  }
  clock.dispose();
  return next;
}
