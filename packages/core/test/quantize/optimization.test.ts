/** Quantization as optimization: the formulas by hand, what each must do better than its neighbours, and the steps of training around the projections. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OutOfRangeError, ShapeError } from "../../src/errors.ts";
import {
  abcNet,
  admmGradient,
  admmShift,
  admmStep,
  admmTernary,
  binary,
  lab,
  laq,
  lcCompress,
  lcMultipliers,
  lcPenaltyGradient,
  lcTernary,
  lloydMax,
  lqNets,
  multibit,
  parseScheme,
  proximalNewtonStep,
  quantize,
  Random,
  SchemeError,
  sketch,
  ternary,
  ttq,
} from "../../src/quantize.ts";

const row = (...weights: number[]) => ({ shape: [1, weights.length], data: Float32Array.from(weights) });

/** Bell-shaped weights. */
function weights(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.uniform() + random.uniform() + random.uniform() - 1.5);
}

function coefficientsOf(decoding: { kind: string; coefficients?: Float32Array }): number[] {
  return [...(decoding.coefficients ?? [])];
}

describe("sums of binary bases, by hand", () => {
  it("sketch: signs of the residual and its mean magnitude", async () => {
    // 1: signs + - + -, mean 2.5, residual -1.5 0.5 0.5 -1.5; 2: signs - + + -, mean 1, residual -0.5 -0.5 -0.5 -0.5.
    const q = await quantize(row(1, -2, 3, -4), sketch({ bases: 2 }));
    expect(coefficientsOf(q.decoding)).toEqual([2.5, 1]);
    expect([...q.unpackCodes()]).toEqual([0b10, 0b01, 0b00, 0b11]);
    expect([...q.dequantize()]).toEqual([1.5, -1.5, 3.5, -3.5]);
  });

  it("sketch, refined: all coefficients by least squares", async () => {
    // The codes of (2, 4, 9) are 00 and 10: means 9 and 3 are a_0 + a_1 and a_0 - a_1.
    const q = await quantize(row(2, 4, 9), sketch({ bases: 2, refined: true }));
    expect(coefficientsOf(q.decoding)).toEqual([6, 3]);
    expect([...q.dequantize()]).toEqual([3, 3, 9]);
    expect((await quantize(row(2, 4, 9), sketch({ bases: 2 }))).error.mse).toBeGreaterThan(q.error.mse);
  });

  it("one base is binary, whatever finds it", async () => {
    const tensor = { shape: [3, 20], data: weights(60, 3) };
    const { codes, dequantize } = await quantize(tensor, binary());
    for (const scheme of ["sketch:1", "sketch:1:refined", "multibit:1", "lq:1"]) {
      const q = await quantize(tensor, parseScheme(scheme));
      expect(q.codes, scheme).toEqual(codes);
      expect(q.dequantize(), scheme).toEqual(dequantize());
    }
  });

  it("multibit: T alternations of least squares and nearest codes from the greedy start", async () => {
    // Greedy: a = (2.5, 1), codes 10 01 00 11; bases (+ - + -), (- + + -): B is orthogonal and the fit is a = (2.5, 1).
    const q = await quantize(row(1, -2, 3, -4), multibit({ bases: 2 }));
    expect(coefficientsOf(q.decoding)).toEqual([2.5, 1]);
    // 8 moves: greedy a = (3.25, 2.375), codes 10 10 10 00; fit: mean(1, 2, 2) = 5/3 and 8, so a = (29/6, 19/6).
    const moved = await quantize(row(1, 2, 2, 8), multibit({ bases: 2 }));
    expect(coefficientsOf(moved.decoding)).toEqual([Math.fround(29 / 6), Math.fround(19 / 6)]);
    expect([...moved.unpackCodes()]).toEqual([2, 2, 2, 0]);
  });

  it("multibit never does worse for more passes", async () => {
    const tensor = { shape: [4, 300], data: weights(1200, 4) };
    for (const bases of [2, 3, 4] as const) {
      const errors = [];
      for (const passes of [1, 2, 4, 30, 1000])
        errors.push((await quantize(tensor, multibit({ bases, passes }))).error.mse);
      expect(errors).toEqual(errors.toSorted((a, b) => b - a));
    }
  });

  it("multibit, k = 8: a code is a whole byte", async () => {
    const tensor = { shape: [2, 2000], data: weights(4000, 5) };
    const q = await quantize(tensor, multibit({ bases: 8 }));
    expect(q.error.mse).toBeLessThan((await quantize(tensor, multibit({ bases: 7 }))).error.mse);
    expect(new Set(q.unpackCodes()).size).toBeGreaterThan(128);
  });

  it("abc: signs of w - mean + u std, u from -1 to 1", async () => {
    // Mean 0, std sqrt(10): u = -1 and 1 cut at ±3.16; levels -4, 0, 4 are a_0 + a_1 = 4 and a_0 - a_1 = 0.
    const q = await quantize(row(-4, -2, 2, 4), abcNet({ bases: 2 }));
    expect([...q.unpackCodes()]).toEqual([0b11, 0b01, 0b01, 0b00]);
    expect(coefficientsOf(q.decoding)).toEqual([2, 2]);
    expect([...q.dequantize()]).toEqual([-4, 0, 0, 4]);
    // Four bases: u = -1, -1/3, 1/3, 1, codes of a thermometer.
    const four = await quantize(row(-4, -2, 0, 2, 4), abcNet({ bases: 4 }));
    expect([...four.unpackCodes()]).toEqual([0b1111, 0b0111, 0b0011, 0b0001, 0b0000]);
    expect(four.error.relativeMse).toBeLessThan(1e-12);
  });

  it("lq: a fixed point of codes and basis, from the uniform grid", async () => {
    const tensor = { shape: [2, 400], data: weights(800, 6) };
    const q = await quantize(tensor, lqNets({ bits: 2 }));
    const again = await quantize(tensor, lqNets({ bits: 2, passes: 100_000 }));
    expect(again.codes).toEqual(q.codes);
    expect(q.error.mse).toBeLessThanOrEqual((await quantize(tensor, lqNets({ bits: 2, passes: 1 }))).error.mse);
    expect(coefficientsOf((await quantize(row(-3, -1, 1, 3), lqNets({ bits: 2 }))).decoding)).toEqual([2, 1]);
  });

  it("bases that depend on each other get 0", async () => {
    for (const scheme of ["sketch:4:refined", "multibit:4", "abc:4", "lq:4"]) {
      const { error, dequantize } = await quantize(row(0.7, 0.7, 0.7, 0.7), parseScheme(scheme));
      expect(error.maxAbs, scheme).toBe(0);
      expect(dequantize(), scheme).toEqual(new Float32Array(4).fill(0.7));
    }
  });
});

describe("levels, by hand", () => {
  it("lloyd: thresholds halfway between levels, levels the means between thresholds", async () => {
    const { codebook, error, codes } = await quantize(row(1, 2, 9, 10, -5, -7), lloydMax({ levels: 3 }));
    expect([...codebook!]).toEqual([-6, 1.5, 9.5]);
    expect(error.mse).toBeCloseTo((4 * 0.25 + 2 * 1) / 6, 12);
    expect(codes.length).toBe(2);
  });

  it("lloyd keeps up to L distinct values, however rare", async () => {
    const data = new Float32Array(50_000).fill(0.25);
    [data[7], data[31_234], data[49_999]] = [0.75, -1, 0.5];
    const { codebook, error } = await quantize({ shape: [50, 1000], data }, lloydMax({ levels: 4 }));
    expect(error.maxAbs).toBe(0);
    expect([...codebook!]).toEqual([-1, 0.25, 0.5, 0.75]);
    expect((await quantize(row(0.1, -0.2, 0.3, 0.1, 1e-7, -5), lloydMax({ levels: 16 }))).error.maxAbs).toBe(0);
  });

  it("ttq: Δ = 0.05 max |w|, a level of each sign that is its members' mean", async () => {
    const { codebook, dequantize } = await quantize(row(10, 2, 0.75, 0.5, -0.5, -0.4, -1, -4), ttq());
    // 0.5 lies on Δ as a real number and is not above it.
    expect([...codebook!]).toEqual([-2.5, 0, Math.fround(12.75 / 3)]);
    expect([...dequantize()].map(Math.sign)).toEqual([1, 1, 1, 0, 0, 0, -1, -1]);
  });

  it("ttq: a sign without members has the level 0", async () => {
    const { codebook } = await quantize(row(1, 3), ttq());
    expect([...codebook!]).toEqual([0, 0, 2]);
  });

  it("admm: α = VᵀQ / QᵀQ, Q the nearest level", async () => {
    // Settles at α = 2: 4 -> 2α, 2 -> α, 0.5 -> 0.
    const q = await quantize(row(4, -4, 2, 2, 0.5, -0.5), admmShift({ shift: 1 }));
    expect([...q.dequantize()]).toEqual([4, -4, 2, 2, 0, 0]);
    expect([...q.scales!]).toEqual([2]);
    const three = await quantize(row(3, -5, 0.5, 4, -1), admmTernary());
    expect([...three.dequantize()]).toEqual([4, -4, 0, 4, 0]);
  });
});

describe("loss-aware", () => {
  const tensor = { shape: [2, 3], data: Float32Array.of(1, -2, 3, -4, 0.5, 0.25) };

  it("lab: α = ‖d ∘ w‖₁ / ‖d‖₁, B = sign w", async () => {
    const curvature = Float32Array.of(1, 1, 2, 0, 1, 3);
    const q = await quantize(tensor, lab(), { curvature });
    expect([...q.scales!]).toEqual([(1 + 2 + 6) / 4, (0.5 + 0.75) / 4]);
    expect(q.codes).toEqual((await quantize(tensor, binary())).codes);
  });

  it("lab's α is mean |w| where d is constant, and where it is all 0, and not otherwise", async () => {
    const { scales } = await quantize(tensor, binary());
    for (const d of [0, 0.25, 8])
      expect((await quantize(tensor, lab(), { curvature: new Float32Array(6).fill(d) })).scales).toEqual(scales);
    const { scales: weighted } = await quantize(tensor, lab(), { curvature: Float32Array.of(1, 2, 4, 3, 2, 1) });
    expect(weighted![0]).not.toBe(scales![0]);
    expect(weighted![1]).not.toBe(scales![1]);
  });

  it("laq: at the end both conditions hold, α = ‖b∘d∘w‖₁ / ‖b∘d∘b‖₁ and b = Π(w/α)", async () => {
    const [rows, columns] = [3, 200];
    const data = weights(rows * columns, 7);
    const random = new Random(8);
    const curvature = Float32Array.from(data, () => random.uniform() ** 4);
    for (const bits of [2, 3, 4] as const) {
      const k = 2 ** (bits - 1) - 1;
      const q = await quantize({ shape: [rows, columns], data }, laq({ bits }), { curvature });
      const codes = q.unpackCodes();
      for (let n = 0; n < rows; n++) {
        let [dot, power] = [0, 0];
        for (let i = n * columns; i < (n + 1) * columns; i++) {
          const b = codes[i]! - k;
          dot += curvature[i]! * b * data[i]!;
          power += curvature[i]! * b * b;
          expect(Math.abs(b - Math.max(-k, Math.min(k, data[i]! / q.scales![n]!)))).toBeLessThanOrEqual(0.5 + 1e-6);
        }
        expect(q.scales![n]! / (dot / power)).toBeCloseTo(1, 6);
      }
    }
  });

  it("laq weighs: less curvature-weighted error than without", async () => {
    const data = weights(400, 9);
    // Large weights matter most.
    const curvature = data.map((w) => w ** 4);
    const weighted = (values: Float32Array) =>
      values.reduce((sum, value, i) => sum + curvature[i]! * (data[i]! - value) ** 2, 0);
    const aware = await quantize({ shape: [1, 400], data }, laq({ bits: 2 }), { curvature });
    const blind = await quantize({ shape: [1, 400], data }, admmTernary());
    expect(weighted(aware.dequantize())).toBeLessThan(0.5 * weighted(blind.dequantize()));
    expect(aware.error.mse).toBeGreaterThan(blind.error.mse);
  });

  it("laq with constant curvature is admm's projection", async () => {
    const data = weights(400, 10);
    const aware = await quantize({ shape: [4, 100], data }, laq({ bits: 2 }), {
      curvature: new Float32Array(400).fill(3),
    });
    const blind = await quantize({ shape: [4, 100], data }, admmTernary());
    expect(aware.codes).toEqual(blind.codes);
    expect(aware.scales).toEqual(blind.scales);
  });

  it("the proximal Newton step is w = ŵ - g / d", () => {
    const step = proximalNewtonStep(Float32Array.of(1, -1, 0.5), Float32Array.of(2, -2, 1), Float32Array.of(4, 0.5, 2));
    expect([...step]).toEqual([0.5, 3, 0]);
    expect(() => proximalNewtonStep(step, step, Float32Array.of(1, 0, 1))).toThrow(
      "proximalNewtonStep: curvature 1, expected above 0, got 0",
    );
    expect(() => proximalNewtonStep(step, step.subarray(1), step)).toThrow(ShapeError);
  });

  it("proximal Newton on a quadratic: the loss of the projected point falls below that of rounding the minimum", async () => {
    // L = 1/2 Σ h (w - m)², minimised over binary weights: one Newton step from anywhere lands on m, whose projection is optimal for h.
    const minimum = weights(200, 11);
    const random = new Random(12);
    const curvature = minimum.map(() => 0.05 + random.uniform() ** 3);
    const loss = (w: Float32Array) => w.reduce((sum, v, i) => sum + 0.5 * curvature[i]! * (v - minimum[i]!) ** 2, 0);
    const start = new Float32Array(200).fill(0.3);
    const gradient = start.map((w, i) => curvature[i]! * (w - minimum[i]!));
    const data = proximalNewtonStep(start, gradient, curvature);
    const aware = (await quantize({ shape: [1, 200], data }, lab(), { curvature })).dequantize();
    const plain = (await quantize({ shape: [1, 200], data: minimum }, binary())).dequantize();
    expect(loss(aware)).toBeLessThan(loss(plain));
  });
});

describe("ternary optimum", () => {
  it("lc:ternary is the best of all thresholds: brute force on small groups", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 12 }), async (list) => {
        const { error } = await quantize(row(...list), lcTernary());
        let best = Number.POSITIVE_INFINITY;
        for (const threshold of [Number.POSITIVE_INFINITY, ...list.map(Math.abs)]) {
          const kept = list.map(Math.abs).filter((w) => w >= threshold);
          const a = kept.reduce((sum, w) => sum + w, 0) / Math.max(1, kept.length);
          best = Math.min(
            best,
            list.reduce((sum, w) => sum + (Math.abs(w) >= threshold ? (Math.abs(w) - a) ** 2 : w * w), 0),
          );
        }
        expect(error.mse * list.length).toBeLessThanOrEqual(best + 1e-5 * (1 + best));
      }),
      { seed: 40, numRuns: 100 },
    );
  });

  it("is never worse than ternary:mse, ternary or admm:ternary, and better where they stop at a local optimum", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const heavy = weights(90, seed).map((w) => w ** 5);
      const tensor = { shape: [3, 30], data: heavy };
      const best = (await quantize(tensor, lcTernary())).error.mse;
      for (const other of [ternary(), ternary({ threshold: "mse" }), admmTernary()])
        expect(best).toBeLessThanOrEqual((await quantize(tensor, other)).error.mse * (1 + 1e-6));
    }
    // From TWN's threshold the ten small ones stay; the two large ones alone are the optimum.
    const local = row(...new Array(40).fill(1), 12);
    const best = await quantize(local, lcTernary());
    expect([...best.dequantize()]).toEqual([...new Array(40).fill(0), 12]);
    expect(best.error.mse).toBeLessThan((await quantize(local, ternary({ threshold: "mse" }))).error.mse);
  });
});

/** min 1/2 Σ h (w - m)² subject to w low-bit: both splitting methods must end on the constraint, no worse than rounding the minimum and keeping it. */
describe("training around the projections, on a quadratic", () => {
  const count = 60;
  const shape = [1, count];
  const minimum = weights(count, 21);
  const random = new Random(22);
  const hessian = minimum.map(() => 0.5 + random.uniform());
  const gradientAt = (w: Float32Array) => w.map((v, i) => hessian[i]! * (v - minimum[i]!));
  const gap = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0);

  it("ADMM: ‖W - G‖ goes to 0", async () => {
    const rho = 4;
    const quantizer = admmTernary();
    let w = minimum.slice();
    let state = await admmStep({ shape, data: w }, new Float32Array(count), quantizer);
    const first = gap(w, state.copy);
    for (let step = 0; step < 200; step++) {
      // The W-step by gradient descent.
      for (let inner = 0; inner < 20; inner++) {
        const gradient = admmGradient(gradientAt(w), w, state, rho);
        w = w.map((v, i) => v - gradient[i]! / (1.5 + rho));
      }
      state = await admmStep({ shape, data: w }, state.multiplier, quantizer);
    }
    expect(first).toBeGreaterThan(0.1);
    expect(gap(w, state.copy)).toBeLessThan(1e-6 * first);
    // On the constraint: another projection changes nothing.
    expect(gap(state.copy, (await quantize({ shape, data: state.copy }, quantizer)).dequantize())).toBeLessThan(1e-9);
  });

  it("LC: w and Δ(Θ) meet as μ grows, with a fixed and with an adaptive codebook", async () => {
    for (const quantizer of [lcTernary(), lloydMax({ levels: 4 }), binary()]) {
      let w = minimum.slice();
      let multipliers = new Float32Array(count);
      let compressed = await lcCompress({ shape, data: w }, multipliers, 1, quantizer);
      const first = gap(w, compressed);
      for (let mu = 0.5; mu < 1e4; mu *= 1.5) {
        for (let inner = 0; inner < 30; inner++) {
          const penalty = lcPenaltyGradient(w, compressed, multipliers, mu);
          const gradient = gradientAt(w);
          w = w.map((v, i) => v - (gradient[i]! + penalty[i]!) / (1.5 + mu));
        }
        compressed = await lcCompress({ shape, data: w }, multipliers, mu, quantizer);
        multipliers = new Float32Array(lcMultipliers(w, compressed, multipliers, mu));
      }
      expect(gap(w, compressed), quantizer.scheme).toBeLessThan(1e-4 * first);
    }
  });

  it("steps by hand", async () => {
    const ones = Float32Array.of(1, -1);
    const state = await admmStep({ shape: [1, 2], data: Float32Array.of(2, -1) }, Float32Array.of(1, 0), binary());
    expect([...state.copy]).toEqual([2, -2]);
    expect([...state.multiplier]).toEqual([1, 1]);
    expect([...admmGradient(ones, Float32Array.of(2, -1), state, 0.5)]).toEqual([1.5, 0]);
    const compressed = await lcCompress(
      { shape: [1, 2], data: Float32Array.of(2, -1) },
      Float32Array.of(2, 4),
      2,
      binary(),
    );
    expect([...compressed]).toEqual([2, -2]);
    expect([...lcMultipliers(Float32Array.of(2, -1), compressed, ones, 2)]).toEqual([1, -3]);
    expect([...lcPenaltyGradient(Float32Array.of(2, -1), compressed, ones, 2)]).toEqual([-1, 3]);
  });

  it("refuses other lengths, and a μ that is not above 0", async () => {
    const tensor = row(1, 2);
    const [two, three] = [new Float32Array(2), new Float32Array(3)];
    await expect(admmStep(tensor, three, binary())).rejects.toThrow("admmStep: multiplier, expected 2, got 3");
    await expect(lcCompress(tensor, three, 1, binary())).rejects.toThrow("lcCompress: multipliers, expected 2, got 3");
    await expect(lcCompress(tensor, two, 0, binary())).rejects.toThrow(OutOfRangeError);
    expect(() => admmGradient(two, two, { copy: three, multiplier: two }, 1)).toThrow(ShapeError);
    expect(() => lcMultipliers(two, two, three, 1)).toThrow(ShapeError);
    expect(() => lcPenaltyGradient(two, two, two, Number.NaN)).toThrow(OutOfRangeError);
  });
});

describe("spellings", () => {
  it.each([
    ["sketch:0", "bases of sketch:<k>"],
    ["sketch:9", "bases of sketch:<k>"],
    ["multibit:3:t0", "passes"],
    ["multibit:3:t2:t3", 'modifier ":t3"'],
    ["abc:1", "bases of abc:<M>"],
    ["lq", "K of lq:<K>"],
    ["lloyd:1", "L of lloyd:<L>"],
    ["lloyd:4:channel", 'modifier ":channel"'],
    ["ternary:ttq:channel", 'modifier ":ttq"'],
    ["laq", "laq:ternary"],
    ["laq:2", "laq:ternary"],
    ["laq:6:log", "laq:ternary"],
    ["laq:ternary:log", 'modifier ":log"'],
    ["admm", "levels of admm:<levels>"],
    ["admm:shift7", "levels of admm:<levels>"],
    ["lc:binary", "codebook of lc:<codebook>"],
  ])("%s is refused by name", (scheme, what) => {
    expect(() => parseScheme(scheme)).toThrow(SchemeError);
    expect(() => parseScheme(scheme)).toThrow(what);
  });

  it.each([
    ["multibit:3:t2", "multibit:3"],
    ["multibit:3:t30:g32", "multibit:3:g32:t30"],
    ["sketch:2:refined:g8", "sketch:2:g8:refined"],
    ["laq:3:log:tensor", "laq:3:tensor:log"],
    ["lab:channel", "lab"],
  ])("%s is written %s", (scheme, canonical) => {
    expect(parseScheme(scheme).scheme).toBe(canonical);
    expect(parseScheme(canonical).scheme).toBe(canonical);
  });

  it("factories refuse what is out of range", () => {
    expect(() => sketch({ bases: 9 as 8 })).toThrow(OutOfRangeError);
    expect(() => multibit({ bases: 2, passes: 0 })).toThrow(OutOfRangeError);
    expect(() => abcNet({ bases: 1 as 2 })).toThrow(OutOfRangeError);
    expect(() => lqNets({ bits: 2.5 as 2 })).toThrow(OutOfRangeError);
    expect(() => lloydMax({ levels: 257 })).toThrow(OutOfRangeError);
    expect(() => laq({ bits: 9 as 8 })).toThrow(OutOfRangeError);
    expect(() => admmShift({ shift: 0 })).toThrow(OutOfRangeError);
  });
});
