/** Rounding quantizers with levels of their own, by hand: logarithms, sums of powers of two, DoReFa's tanh, balanced bins, weighted entropy; and the functions of training. */
import { describe, expect, it } from "vitest";
import { OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { Random } from "../../src/quantize/random.ts";
import { signedLevels } from "../../src/quantize/rounding/apot.ts";
import { mostEntropy } from "../../src/quantize/rounding/weighted-entropy.ts";
import {
  apot,
  balanced,
  dorefa,
  INQ_STEPS,
  inqPartition,
  inqStep,
  integerMultiplier,
  log,
  multiplyByInteger,
  parseScheme,
  pow2,
  quantize,
  relax,
  relaxation,
  SchemeError,
  ternary,
  weightedEntropy,
} from "../../src/quantize.ts";

const row = (...weights: number[]) => ({ shape: [1, weights.length], data: Float32Array.from(weights) });
function bell(count: number, seed: number) {
  const random = new Random(seed);
  const data = Float32Array.from({ length: count }, () => random.uniform() + random.uniform() + random.uniform() - 1.5);
  return { shape: [1, count], data };
}

describe("log", () => {
  it("rounds logarithms: thresholds at √2, 0 below half a step under the last exponent", async () => {
    const weights = row(1.41, 1.42, -0.8, 0.7, 0.36, 0.35, -0.177, 0.176, 0, 2.82);
    // 2.82 < 2^1.5, so E = 1; 4 bits hold 2^1 to 2^-5.
    const { dequantize, scales } = await quantize(weights, log({ bits: 4 }));
    expect([...scales!]).toEqual([2]);
    expect([...dequantize()]).toEqual([1, 2, -1, 0.5, 0.5, 0.25, -0.25, 0.125, 0, 2]);
    // 3 bits hold 2, 1 and 1/2: 0 below 2^-1.5 = 0.3536.
    expect([...(await quantize(weights, log({ bits: 3 }))).dequantize()]).toEqual([1, 2, -1, 0.5, 0.5, 0, 0, 0, 0, 2]);
  });

  it("differs from INQ's nearest between √2 and 1.5", async () => {
    const weights = row(2, 1.45);
    expect([...(await quantize(weights, log({ bits: 4 }))).dequantize()]).toEqual([2, 2]);
    expect([...(await quantize(weights, pow2({ bits: 4 }))).dequantize()]).toEqual([2, 1]);
  });

  it("to the base √2, by the definition", async () => {
    const weights = bell(400, 3);
    const { dequantize, scales } = await quantize(weights, log({ bits: 4, base: "sqrt2" }));
    const top = Math.log2(scales![0]!);
    dequantize().forEach((value, i) => {
      const exponent = Math.round(2 * Math.log2(Math.abs(weights.data[i]!))) / 2;
      expect(exponent).toBeLessThanOrEqual(top);
      const expected = exponent <= top - 3.5 ? 0 : Math.sign(weights.data[i]!) * 2 ** exponent;
      expect(value).toBeCloseTo(expected, 6);
    });
  });
});

describe("apot", () => {
  it("has the published levels", () => {
    expect([...signedLevels(3)].filter((l) => l >= 0)).toEqual([0, 0.25, 0.5, 1]);
    // {0, 1/2, 1/4, 1/16} + {0, 1/8} over 5/8
    expect([...signedLevels(4)].filter((l) => l >= 0)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1].map(Math.fround));
    // {0, 1/2, 1/8, 1/32} + {0, 1/4, 1/16, 1/64} over 3/4
    const sums = [0, 32, 8, 2].flatMap((a) => [0, 16, 4, 1].map((b) => a + b)).sort((a, b) => a - b);
    expect([...signedLevels(5)].filter((l) => l >= 0)).toEqual(sums.map((s) => Math.fround(s / 48)));
    for (const bits of [3, 4, 5, 6, 7] as const) expect(new Set(signedLevels(bits)).size).toBe(2 ** bits - 1);
  });

  it("no scale within its search has less error", async () => {
    const weights = bell(2000, 5);
    const { error, scales, codebook } = await quantize(weights, apot({ bits: 4 }));
    for (const factor of [0.9, 0.95, 1.05, 1.1]) {
      const scale = scales![0]! * factor;
      let noise = 0;
      for (const w of weights.data) noise += Math.min(...[...codebook!].map((level) => (w - level * scale) ** 2));
      expect(noise / 2000, `${factor}`).toBeGreaterThanOrEqual(error.mse);
    }
  });
});

describe("dorefa", () => {
  it.each([2, 3, 4, 8] as const)("%d bits: the formula weight by weight", async (bits) => {
    for (const scale of [0.01, 1, 6]) {
      const weights = { shape: [1, 500], data: bell(500, bits).data.map((w) => w * scale) };
      const most = Math.tanh(weights.data.reduce((max, w) => Math.max(max, Math.abs(w)), 0));
      const steps = 2 ** bits - 1;
      const { unpackCodes, dequantize } = await quantize(weights, dorefa({ bits, scale: "paper" }));
      const expected = [...weights.data].map((w) => Math.round(steps * (Math.tanh(w) / (2 * most) + 0.5)));
      expect([...unpackCodes()]).toEqual(expected);
      expect(dequantize()).toEqual(Float32Array.from(expected, (code) => (2 * code) / steps - 1));
    }
  });

  it("one bit: sign(w) E|w|; 0 goes to the upper code", async () => {
    expect([...(await quantize(row(1, -2, 0, 5), dorefa({ bits: 1 }))).dequantize()]).toEqual([2, -2, 2, 2]);
    const { unpackCodes, scales } = await quantize(row(0, 1, -1), dorefa({ bits: 2, scale: "paper" }));
    expect([...unpackCodes()]).toEqual([2, 3, 0]);
    expect([...scales!]).toEqual([1]);
  });

  it("fits one scale to weights as they come", async () => {
    const { scales } = await quantize(row(0.3, -0.3, 0.3), dorefa({ bits: 4 }));
    expect([...scales!]).toEqual([Math.fround(0.3)]);
  });
});

describe("balanced", () => {
  it("gives every code to equally many weights", async () => {
    for (const bits of [1, 2, 3, 4] as const) {
      const codes = (await quantize(bell(1600, 2), balanced({ bits }))).unpackCodes();
      const counts = new Array(2 ** bits).fill(0);
      for (const code of codes) counts[code]++;
      expect(counts).toEqual(new Array(2 ** bits).fill(1600 / 2 ** bits));
    }
  });

  it("has uniform levels: of least error, or from -max |w| to max |w|", async () => {
    const weights = row(-8, -1, 1, 2);
    const paper = await quantize(weights, balanced({ bits: 2, scale: "paper" }));
    expect([...paper.dequantize()].map((w) => Math.round(3 * w))).toEqual([-24, -8, 8, 24]);
    // The regression of w on 0..3: step 16/5, mean -1.5.
    const fit = await quantize(weights, balanced({ bits: 2 }));
    expect(fit.scales![0]).toBeCloseTo(3.2, 6);
    expect(fit.decoding.offset[0]).toBeCloseTo(-1.5 - 1.5 * 3.2, 6);
  });

  it("at means: the whole's, then those of its halves", async () => {
    // The mean is 2: halves 0, 1, 1.5 and 5.5.
    const { unpackCodes } = await quantize(row(0, 1, 1.5, 5.5), balanced({ bits: 2, by: "mean" }));
    // Lower half: mean 0.8333; upper: mean 5.5, which belongs above.
    expect([...unpackCodes()]).toEqual([0, 1, 1, 3]);
  });
});

describe("weightedEntropy", () => {
  it("finds the boundaries of greatest weighted entropy: every choice tried", () => {
    const random = new Random(4);
    for (let trial = 0; trial < 30; trial++) {
      const bins = 9;
      const count = new Float64Array(bins + 1);
      const square = new Float64Array(bins + 1);
      for (let i = 0; i < bins; i++) {
        const n = 1 + random.below(20);
        count[i + 1] = count[i]! + n;
        square[i + 1] = square[i]! + n * (i + random.uniform()) ** 2;
      }
      const entropy = (starts: number[]): number =>
        starts.reduce((sum, from, n) => {
          const to = starts[n + 1] ?? bins;
          return sum - (square[to]! - square[from]!) * Math.log((count[to]! - count[from]!) / count[bins]!);
        }, 0);
      let best = 0;
      for (let a = 1; a < bins; a++) for (let b = a + 1; b < bins; b++) best = Math.max(best, entropy([0, a, b]));
      expect(entropy(mostEntropy(count, square, 3))).toBeCloseTo(best, 9);
    }
  });

  it("has root mean squares for levels, on either side of 0 by itself", async () => {
    const { codebook, dequantize } = await quantize(row(-2, -2, 1, 1, 1, 7, 0), weightedEntropy({ levels: 4 }));
    // w >= 0: {0, 1, 1, 1} and {7} have 3 ln(5/4) + 49 ln 5, more than {0} and {1, 1, 1, 7}.
    expect([...codebook!]).toEqual([-2, Math.fround(Math.sqrt(3 / 4)), 7]);
    expect(dequantize()).toEqual(Float32Array.of(-2, -2, ...new Array(3).fill(Math.sqrt(3 / 4)), 7, Math.sqrt(3 / 4)));
  });

  it("keeps as many values as it has levels, and takes one side alone", async () => {
    for (const weights of [row(-3, -1, 0.5, 2, 2), row(1, 5), row(-1, -5)]) {
      const { error } = await quantize(weights, weightedEntropy({ levels: 4 }));
      expect(error.maxAbs).toBe(0);
    }
  });
});

describe("INQ", () => {
  const weights = row(0.9, -0.1, 0.4, -0.7, 0.05, 0.3, -0.2, 0.6);

  it("freezes the largest half, then half of the rest, and ends as pow2", async () => {
    expect([...(await inqPartition(weights, { share: 0.5 }))]).toEqual([1, 0, 1, 1, 0, 0, 0, 1]);
    let state = await inqStep(weights, { bits: 3, share: INQ_STEPS[0] });
    expect(state.exponent).toBe(0);
    expect([...state.values]).toEqual([1, -0.1, 0.5, -0.5, 0.05, 0.3, -0.2, 0.5].map(Math.fround));
    for (const share of INQ_STEPS.slice(1))
      state = await inqStep({ shape: weights.shape, data: state.values }, { bits: 3, share, ...state });
    expect([...state.frozen]).toEqual(new Array(8).fill(1));
    expect(state.values).toEqual((await quantize(weights, pow2({ bits: 3 }))).dequantize());
  });

  it("keeps n₁ and what is frozen when retrained weights grow", async () => {
    const first = await inqStep(weights, { bits: 3, share: 0.5 });
    const grown = first.values.slice();
    grown[1] = 5;
    const second = await inqStep(
      { shape: weights.shape, data: grown },
      { bits: 3, share: 0.75, frozen: first.frozen, exponent: first.exponent },
    );
    expect([...second.values.slice(0, 4)]).toEqual([1, 1, 0.5, -0.5]);
    expect(second.frozen.reduce((a, b) => a + b, 0)).toBe(6);
  });

  it("refuses shares and masks that do not fit", async () => {
    await expect(inqPartition(weights, { share: 1.1 })).rejects.toThrow(OutOfRangeError);
    await expect(inqPartition(weights, { share: Number.NaN })).rejects.toThrow(OutOfRangeError);
    await expect(inqPartition(weights, { share: 0.1, frozen: new Uint8Array(8).fill(1) })).rejects.toThrow(
      "inqPartition: weights to freeze, expected at least the 8 frozen, got 1",
    );
    await expect(inqPartition(weights, { share: 0.5, frozen: new Uint8Array(7) })).rejects.toThrow(ShapeError);
    await expect(inqStep(weights, { bits: 1 as 2, share: 0.5 })).rejects.toThrow(OutOfRangeError);
  });
});

describe("BinaryRelax", () => {
  it("lies between the weights and their projection", async () => {
    const weights = bell(100, 9);
    const projected = (await quantize(weights, ternary())).dequantize();
    expect((await relax(weights, ternary(), 0)).values).toEqual(weights.data);
    expect((await relax(weights, ternary(), Number.POSITIVE_INFINITY)).values).toEqual(projected);
    const { values, quantized } = await relax(weights, ternary(), 3);
    expect(quantized.dequantize()).toEqual(projected);
    values.forEach((value, i) => {
      expect(value).toBe(Math.fround((weights.data[i]! + 3 * projected[i]!) / 4));
    });
    await expect(relax(weights, ternary(), -1)).rejects.toThrow(OutOfRangeError);
    await expect(relax(weights, ternary(), Number.NaN)).rejects.toThrow(OutOfRangeError);
  });

  it("λ grows by a factor each step until the second phase", () => {
    const schedule = { start: 0.5, factor: 1.02, exactFrom: 100 };
    expect(relaxation(schedule, 0)).toBe(0.5);
    expect(relaxation(schedule, 50)).toBeCloseTo(0.5 * 1.02 ** 50, 12);
    expect(relaxation(schedule, 100)).toBe(Number.POSITIVE_INFINITY);
    expect(() => relaxation({ ...schedule, factor: 1 }, 1)).toThrow(OutOfRangeError);
    expect(() => relaxation({ ...schedule, start: 0 }, 1)).toThrow(OutOfRangeError);
  });
});

describe("integerMultiplier", () => {
  /** gemmlowp's SaturatingRoundingDoublingHighMul and RoundingDivideByPOT, word for word: `/` of BigInt truncates as in C. */
  function reference(acc: number, multiplier: number, exponent: number): number {
    const ab = BigInt(acc) * BigInt(multiplier);
    const nudge = ab >= 0n ? 1n << 30n : 1n - (1n << 30n);
    const high = (ab + nudge) / (1n << 31n);
    const mask = (1n << BigInt(exponent)) - 1n;
    const remainder = high & mask;
    const threshold = (mask >> 1n) + (high < 0n ? 1n : 0n);
    return Number((high >> BigInt(exponent)) + (remainder > threshold ? 1n : 0n));
  }

  it("is M to 2^-31 relative, with M₀ in 0.5..1", () => {
    const random = new Random(6);
    for (let i = 0; i < 2000; i++) {
      const m = random.uniform() * 2 ** -random.below(25);
      if (m < 2 ** -32) continue;
      const { multiplier, shift } = integerMultiplier(m);
      expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
      expect(multiplier).toBeLessThan(2 ** 31);
      expect(Math.abs((multiplier * 2 ** (-31 - shift)) / m - 1)).toBeLessThanOrEqual(2 ** -31);
    }
    expect(integerMultiplier(0.5)).toEqual({ multiplier: 2 ** 30, shift: 0 });
    expect(integerMultiplier(0.25)).toEqual({ multiplier: 2 ** 30, shift: 1 });
    expect(integerMultiplier(1 - 2 ** -53)).toEqual({ multiplier: 2 ** 31 - 1, shift: 0 });
    expect(integerMultiplier(0.5 - 2 ** -54)).toEqual({ multiplier: 2 ** 30, shift: 0 });
  });

  it("multiplies as gemmlowp does, halves and both ends included", () => {
    const random = new Random(7);
    const accs = [0, 1, -1, 2, -2, 3, -3, 2 ** 31 - 1, -(2 ** 31)];
    for (let i = 0; i < 300; i++) accs.push((random.bits32() | 0) >> random.below(31));
    for (const m of [0.5, 0.25, 0.75, 2 ** -20, 2 ** -32, 0.3, 0.0123, 0.999999]) {
      const integer = integerMultiplier(m);
      for (const acc of accs) {
        const got = multiplyByInteger(acc, integer);
        expect(got, `${acc} * ${m}`).toBe(reference(acc, integer.multiplier, integer.shift));
        expect(Math.abs(got - acc * m)).toBeLessThanOrEqual(1);
      }
    }
  });

  it("refuses what is out of range", () => {
    for (const m of [0, 1, -0.5, 2 ** -33, Number.NaN]) expect(() => integerMultiplier(m)).toThrow(OutOfRangeError);
    const half = integerMultiplier(0.5);
    expect(() => multiplyByInteger(2 ** 31, half)).toThrow(OutOfRangeError);
    expect(() => multiplyByInteger(0.5, half)).toThrow(OutOfRangeError);
    expect(() => multiplyByInteger(1, { multiplier: 5, shift: 0 })).toThrow(OutOfRangeError);
    expect(() => multiplyByInteger(1, { multiplier: 2 ** 30, shift: 32 })).toThrow(OutOfRangeError);
  });
});

describe("refuses", () => {
  it.each([
    "log:1",
    "log:9",
    "log:4:sqrt3",
    "apot",
    "apot:2",
    "apot:8",
    "apot:4:channel",
    "dorefa:0",
    "dorefa:9",
    "dorefa:1:paper",
    "dorefa:4:g32",
    "balanced:0",
    "balanced:2:median",
    "balanced:2:g32",
    "weq:1",
    "weq:257",
    "weq:4:tensor",
  ])("%s", (scheme) => {
    expect(() => parseScheme(scheme)).toThrow(SchemeError);
  });

  it("bits out of range, by name", () => {
    expect(() => log({ bits: 1 as 2 })).toThrow("log:<b>: bits, expected an integer 2..8, got 1");
    expect(() => apot({ bits: 2 as 3 })).toThrow(OutOfRangeError);
    expect(() => dorefa({ bits: 9 as 8 })).toThrow(OutOfRangeError);
    expect(() => balanced({ bits: 9 as 8 })).toThrow(OutOfRangeError);
    expect(() => weightedEntropy({ levels: 1 })).toThrow(OutOfRangeError);
  });
});
