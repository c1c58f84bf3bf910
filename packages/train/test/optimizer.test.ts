import { beforeAll, describe, expect, it } from "vitest";
import { np, startEngine } from "../src/autograd.ts";
import { adam, adamW } from "../src/optimizers/adam.ts";
import { bop } from "../src/optimizers/bop.ts";
import { extragradient } from "../src/optimizers/extragradient.ts";
import { Clock, type Optimizer, type Pace, updateAll } from "../src/optimizers/optimizer.ts";
import { sgd } from "../src/optimizers/sgd.ts";
import { wageUpdates } from "../src/optimizers/wage.ts";
import { constantRate, learningRate, stepDecay } from "../src/schedule.ts";

beforeAll(startEngine);

const array = (...values: number[]) => np.array(values, { dtype: np.float32 });

/** Weights of `w` after each gradient, and the moments at the end. */
function run(optimizer: Optimizer, start: number[], gradients: number[][], rate: number, pace: Pace = {}, name = "w") {
  const clock = new Clock();
  let parameters: Record<string, np.Array> = { [name]: array(...start) };
  let moments = Object.fromEntries(
    optimizer.moments.map((moment) => [moment, { [name]: array(...start.map(() => 0)) }]),
  );
  const path = gradients.map((gradient) => {
    const tick = np.array(clock.tick(rate));
    ({ parameters, moments } = updateAll(optimizer, parameters, moments, { [name]: array(...gradient) }, tick, pace));
    return parameters[name]!.ref.js() as number[];
  });
  return { path, moments };
}

describe("adam", () => {
  it("takes two steps as computed by hand", () => {
    const { path, moments } = run(adam(), [1], [[0.5], [-1]], 0.1);
    // t = 1: m = 0.05, v = 0.00025; m / 0.1 = 0.5, sqrt(v / 0.001) = 0.5: w = 1 - 0.1.
    expect(path[0]![0]).toBeCloseTo(0.9, 6);
    // t = 2: m = 0.045 - 0.1 = -0.055, v = 0.00024975 + 0.001; m / 0.19 = -0.2894737, sqrt(v / 0.001999) = 0.7906847.
    expect(moments.first!.w!.item()).toBeCloseTo(-0.055, 7);
    expect(moments.second!.w!.item()).toBeCloseTo(0.00124975, 9);
    expect(path[1]![0]).toBeCloseTo(0.9 + (0.1 * 0.2894737) / 0.7906847, 6);
  });

  it("clips latent weights that have a limit, and no others", () => {
    expect(run(adam(), [0.9], [[-1]], 0.5, { limits: { w: 1 } }).path[0]![0]).toBe(1);
    expect(run(adam(), [0.9], [[1]], 2, { limits: { w: [0.25, 8] } }).path[0]![0]).toBe(0.25);
    expect(run(adam(), [0.9], [[-1]], 0.5, { limits: { v: 1 } }).path[0]![0]).toBeCloseTo(1.4, 6);
  });

  it("moves a parameter by a rate of its own", () => {
    const rate = (parameter: string) => (parameter === "w.logvar" ? 20 : 1);
    expect(run(adam(), [1], [[2]], 0.01, { rate }).path[0]![0]).toBeCloseTo(0.99, 6);
    expect(run(adam(), [1], [[2]], 0.01, { rate }, "w.logvar").path[0]![0]).toBeCloseTo(0.8, 6);
  });

  it("decays weights apart from the moments as AdamW, and no biases", () => {
    // 1 (1 - 0.1 · 0.5) - 0.1.
    expect(run(adamW(0.5), [1], [[2]], 0.1, {}, "a.weight").path[0]![0]).toBeCloseTo(0.85, 6);
    for (const other of ["a.bias", "a.weight.logvar", "a.step"])
      expect(run(adamW(0.5), [1], [[2]], 0.1, {}, other).path[0]![0]).toBeCloseTo(0.9, 6);
    const decays = (parameter: string) => parameter === "a.alpha";
    expect(run(adam({ decay: 0.5, decays }), [1], [[2]], 0.1, {}, "a.alpha").path[0]![0]).toBeCloseTo(0.85, 6);
  });

  it("has a clock that goes on where it was resumed", () => {
    const whole = new Clock();
    for (let t = 0; t < 30; t++) whole.tick(1);
    expect(new Clock(30).tick(1)).toEqual(whole.tick(1));
  });
});

describe("sgd", () => {
  it("is plain, with momentum, and with Nesterov's look ahead, by hand", () => {
    expect(run(sgd(), [1], [[0.5]], 0.1).path[0]![0]).toBeCloseTo(0.95, 6);
    // v = 1, then 0.9 + 1 = 1.9.
    expect(run(sgd({ momentum: 0.9 }), [1], [[1], [1]], 0.1).path[1]![0]).toBeCloseTo(1 - 0.1 - 0.19, 6);
    // 1 + 0.9, then 1 + 0.9 · 1.9.
    expect(run(sgd({ momentum: 0.9, nesterov: true }), [1], [[1], [1]], 0.1).path[1]![0]).toBeCloseTo(
      1 - 0.19 - 0.271,
      6,
    );
    expect(run(sgd({ decay: 0.5 }), [2], [[0]], 0.1, {}, "a.weight").path[0]![0]).toBeCloseTo(1.9, 6);
    expect(run(sgd({ decay: 0.5 }), [2], [[0]], 0.1, {}, "a.bias").path[0]![0]).toBe(2);
  });
});

describe("bop", () => {
  const optimizer = bop({ adaptivity: 0.5, threshold: 0.3, binary: (name) => name === "w" });

  it("flips a sign where the mean gradient pushes along it beyond the threshold, and keeps ±1", () => {
    // m = 0.5 g: 0.5, 0.2, -0.5 against w = +1; then 0.5, 0.35, -0.5.
    const { path } = run(
      optimizer,
      [0.1, 0.1, 0.1, -3],
      [
        [1, 0.4, -1, -1],
        [0.5, 0.5, 0, -1],
      ],
      0.1,
    );
    expect(path).toEqual([
      [-1, 1, 1, 1],
      [-1, -1, 1, 1],
    ]);
  });

  it("leaves the other parameters to Adam", () => {
    expect(run(optimizer, [1], [[3]], 0.1, {}, "bias").path[0]![0]).toBeCloseTo(0.9, 6);
  });
});

describe("extragradient", () => {
  /** Steps of min over x, max over y of x y, from (1, 0): the saddle's distance at the end. */
  function saddle(optimizer: Optimizer, steps: number): number {
    const clock = new Clock();
    let parameters: Record<string, np.Array> = { x: array(1), y: array(0) };
    const none = (): Record<string, np.Array> => ({ x: array(0), y: array(0) });
    let moments = Object.fromEntries(optimizer.moments.map((moment) => [moment, none()]));
    for (let t = 0; t < steps; t++) {
      const gradients = { x: parameters.y!.ref, y: parameters.x!.ref.mul(-1) };
      ({ parameters, moments } = updateAll(optimizer, parameters, moments, gradients, np.array(clock.tick(0.5))));
    }
    return Math.hypot(parameters.x!.item() as number, parameters.y!.item() as number);
  }

  it("predicts at odd steps and corrects from where it stood at even ones, by hand", () => {
    // f = w²/2: w' = 1 - 0.5, then 1 - 0.5 · 0.5; then from there, with gradients of the places themselves.
    const { path } = run(extragradient(), [1], [[1], [0.5], [0.75], [0.375]], 0.5);
    expect(path.map(([w]) => w)).toEqual([0.5, 0.75, 0.375, 0.5625]);
  });

  it("reaches a saddle that descent flies away from", () => {
    // |z|² is multiplied by 1 - r² + r⁴ for two steps, by (1 + r²)² with plain descent.
    expect(saddle(extragradient(), 40)).toBeCloseTo((1 - 0.25 + 0.0625) ** 10, 6);
    expect(saddle(sgd(), 40)).toBeGreaterThan(50);
  });
});

describe("WAGE's updates", () => {
  const many = 4000;

  it("keep weights on their grid within ±(1 - σ), and move by σ g / shift(max |g|) in the mean", () => {
    const start = Array.from({ length: many }, () => 0.25);
    // The largest is 3: shift 4 (log2 3 = 1.58). The others have |g_s| = 2 · 0.9 / 4 = 0.45.
    const gradient = start.map((_, i) => (i === 0 ? 3 : 0.9));
    const [moved] = run(wageUpdates({ bits: 6 }), start, [gradient], 2, {}, "a.weight").path;
    const step = 2 ** -5;
    for (const w of moved!) expect(Number.isInteger(w / step)).toBe(true);
    const changes = moved!.slice(1).map((w) => (0.25 - w) / step);
    expect(new Set(changes)).toEqual(new Set([0, 1]));
    const mean = changes.reduce((sum, c) => sum + c, 0) / changes.length;
    // Four standard errors of the share of ones.
    expect(Math.abs(mean - 0.45)).toBeLessThan(4 * Math.sqrt((0.45 * 0.55) / many));
    expect(run(wageUpdates({ bits: 6 }), [0.9, -0.9], [[-1, 1]], 64, {}, "a.weight").path[0]).toEqual([
      1 - step,
      step - 1,
    ]);
  });

  it("draw anew at each step, the same for the same seed, and leave other parameters to Adam", () => {
    const path = (seed: number) =>
      run(wageUpdates({ seed }), Array(64).fill(0), [Array(64).fill(0.3), Array(64).fill(0.3)], 1, {}, "a.weight").path;
    const [first, second] = path(1);
    expect(path(1)).toEqual([first, second]);
    expect(path(2)[0]).not.toEqual(first);
    expect(second!.map((w, i) => w - first![i]!)).not.toEqual(first);
    expect(run(wageUpdates(), [1], [[0.5]], 1, {}, "a.bias").path[0]![0]).toBeCloseTo(0.999, 6);
    expect(() => wageUpdates({ bits: 1 })).toThrow("2..16, got 1");
  });
});

describe("learningRate", () => {
  it("rises to its peak, then falls linearly towards 0", () => {
    expect([0, 1, 2, 3, 4, 8, 11].map((t) => learningRate(0.9, t, 12, 2))).toEqual(
      [0.3, 0.6, 0.9, 0.81, 0.72, 0.36, 0.09].map((rate) => expect.closeTo(rate, 12)),
    );
  });

  it("stays, or falls by steps, as other schedules have it", () => {
    expect([0, 1, 2, 11].map((t) => constantRate(0.9, t, 12, 2))).toEqual(
      [0.3, 0.6, 0.9, 0.9].map((r) => expect.closeTo(r, 12)),
    );
    expect([0, 5, 6, 9].map((t) => stepDecay()(1, t, 12, 0))).toEqual(
      [1, 1, 0.1, 0.01].map((r) => expect.closeTo(r, 12)),
    );
  });
});
