import { numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { AdamClock, adam } from "../src/optimizers/adam.ts";
import { learningRate } from "../src/schedule.ts";
import { startEngine } from "../src/train.ts";

beforeAll(startEngine);

const array = (...values: number[]) => np.array(values, { dtype: np.float32 });

describe("adam", () => {
  it("takes two steps as computed by hand", () => {
    const clock = new AdamClock();
    const tick = () => np.array(clock.tick(0.1));
    let state = adam({ w: array(1) }, { first: { w: array(0) }, second: { w: array(0) } }, { w: array(0.5) }, tick());
    // t = 1: m = 0.05, v = 0.00025; m / 0.1 = 0.5, sqrt(v / 0.001) = 0.5: w = 1 - 0.1.
    expect((state.parameters.w as np.Array).ref.item()).toBeCloseTo(0.9, 6);
    state = adam(state.parameters, state.moments, { w: array(-1) }, tick());
    // t = 2: m = 0.045 - 0.1 = -0.055, v = 0.00024975 + 0.001; m / 0.19 = -0.2894737, sqrt(v / 0.001999) = 0.7906847.
    expect(state.moments.first.w?.item()).toBeCloseTo(-0.055, 7);
    expect(state.moments.second.w?.item()).toBeCloseTo(0.00124975, 9);
    expect(state.parameters.w?.item()).toBeCloseTo(0.9 + (0.1 * 0.2894737) / 0.7906847, 6);
  });

  it("clips latent weights that have a limit, and no others", () => {
    const zeros = () => ({ a: array(0), b: array(0) });
    const clock = np.array(new AdamClock().tick(0.5));
    const gradients = { a: array(-1), b: array(-1) };
    const moments = { first: zeros(), second: zeros() };
    const { parameters } = adam({ a: array(0.9), b: array(0.9) }, moments, gradients, clock, { a: 1 });
    expect(parameters.a?.item()).toBe(1);
    expect(parameters.b?.item()).toBeCloseTo(1.4, 6);
  });

  it("has a clock that goes on where it was resumed", () => {
    const whole = new AdamClock();
    for (let t = 0; t < 30; t++) whole.tick(1);
    expect(new AdamClock(30).tick(1)).toEqual(whole.tick(1));
  });
});

describe("learningRate", () => {
  it("rises to its peak, then falls linearly towards 0", () => {
    expect([0, 1, 2, 3, 4, 8, 11].map((t) => learningRate(0.9, t, 12, 2))).toEqual(
      [0.3, 0.6, 0.9, 0.81, 0.72, 0.36, 0.09].map((rate) => expect.closeTo(rate, 12)),
    );
  });
});
