/** Drawn codes, mixtures and posteriors, by hand and against what theory gives. */
import { describe, expect, it } from "vitest";
import { bundledWasm } from "../../src/bundled.ts";
import { NotFiniteError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { loadKernels } from "../../src/kernels/load.ts";
import { kernelLoops } from "../../src/kernels/quantize.ts";
import { exp, ln } from "../../src/quantize/powers.ts";
import { fitMixture } from "../../src/quantize/stochastic/soft-weight-sharing.ts";
import {
  binary,
  type Law,
  parseScheme,
  posteriorBits,
  posteriorGrid,
  type Quantizer,
  QuantizerError,
  quantize,
  quantizePartially,
  Random,
  SchemeError,
  softWeightSharing,
  sparseDropout,
  stochasticAsymmetric,
  stochasticBinary,
  stochasticFixed,
  stochasticTernary,
  stochasticUniform,
  ternary,
  variational,
} from "../../src/quantize.ts";
import { normalQuantile, quantileGrid } from "./distributions.ts";

const COUNT = 40_000;
const normal = { shape: [1, COUNT], data: quantileGrid(normalQuantile, COUNT) };
const relative = async (quantizer: Quantizer, options = {}) =>
  (await quantize(normal, quantizer, { seed: 5, ...options })).error.relativeMse;

describe("drawn codes, by hand", () => {
  /** The draws of a seed, 0 <= u < 1. */
  const draws = (seed: number, count: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: count }, () => random.bits32() / 2 ** 32);
  };

  it("binary: +1 with probability (w + 1) / 2", async () => {
    const data = Float32Array.of(0.5, -0.5, 0, 0.9, -3, 3);
    const u = draws(9, 6);
    const { dequantize } = await quantize({ shape: [1, 6], data }, stochasticBinary(), { seed: 9 });
    expect([...dequantize()]).toEqual([...data].map((w, i) => (u[i]! < (1 - w) / 2 ? -1 : 1)));
  });

  it("ternary: ±1 with probability |w|, away from 0 downwards too", async () => {
    const data = Float32Array.of(0.5, -0.5, 0, 0.9, -3, 3);
    const u = draws(4, 6);
    const { dequantize } = await quantize({ shape: [1, 6], data }, stochasticTernary(), { seed: 4 });
    const expected = [...data].map((w, i) => {
      const floor = Math.floor(w);
      return Math.max(-1, Math.min(1, u[i]! < w - floor ? floor + 1 : floor));
    });
    expect([...dequantize()]).toEqual(expected);
  });

  it("fixed point: ⌊x⌋ or ⌊x⌋ + ε, saturated to -2^(IL-1) and 2^(IL-1) - ε", async () => {
    const data = Float32Array.of(0.3, -0.3, 0.25, 5, -5, 1.99, -2);
    const u = draws(2, 7);
    const { dequantize } = await quantize({ shape: [1, 7], data }, stochasticFixed({ integer: 2, fraction: 2 }), {
      seed: 2,
    });
    const expected = [...data].map((x, i) => {
      const steps = Math.floor(x * 4);
      return Math.max(-2, Math.min(1.75, (steps + (u[i]! < x * 4 - steps ? 1 : 0)) / 4));
    });
    expect([...dequantize()]).toEqual(expected);
  });

  it("a grid over min..max has both as levels", async () => {
    const data = Float32Array.of(1, 4, 2, 3, 1.5);
    const q = await quantize({ shape: [1, 5], data }, stochasticAsymmetric({ bits: 2 }), { seed: 1 });
    expect(q.decoding).toEqual({ kind: "offset", offset: Float32Array.of(1) });
    expect([...q.dequantize().slice(0, 4)]).toEqual([1, 4, 2, 3]);
    expect([1, 2]).toContain(q.dequantize()[4]);
  });

  it("goes on from the generator's state: the draws of two calls are those of one", async () => {
    using kernels = await loadKernels({ part: "quantize", wasm: bundledWasm });
    const loops = kernelLoops(kernels);
    const x = Float32Array.from({ length: 50 }, (_, i) => i / 50);
    const grid = { scale: Float32Array.of(1), zero: 0, minCode: 0, maxCode: 1 };
    const of = (part: Float32Array, random: Random) => {
      using held = loops.load(part);
      return [...held.stochasticCodes({ rows: 1, columns: part.length, groupSize: part.length }, grid, random)];
    };
    const [once, twice] = [new Random(3), new Random(3)];
    expect([...of(x.slice(0, 20), twice), ...of(x.slice(20), twice)]).toEqual(of(x, once));
    expect(once.bits32()).toBe(twice.bits32());
  });
});

describe("mean and variance of drawn codes", () => {
  /** E(Q - w)² of a weight between levels a and b is (w - a)(b - w). */
  const expected = (step: number, data: Float32Array): number => {
    let [noise, signal] = [0, 0];
    for (const w of data) {
      const low = Math.floor(w / step) * step;
      noise += (w - low) * (low + step - w);
      signal += w * w;
    }
    return noise / signal;
  };

  it.each([
    ["stochastic:binary", 0.6346],
    ["stochastic:ternary", 0.2659],
    ["stochastic:fixed:4.4", 1 / 6 / 256],
  ])("%s on N(0,1): %f", async (scheme, theory) => {
    const got = await relative(parseScheme(scheme));
    expect(got / theory).toBeGreaterThan(0.99);
    expect(got / theory).toBeLessThan(1.01);
  });

  it("a uniform grid has (w - a)(b - w), about twice what rounding to nearest has", async () => {
    const got = await relative(stochasticUniform({ bits: 4 }));
    const max = normal.data.at(-1)!;
    expect(got / expected(max / 7, normal.data)).toBeCloseTo(1, 1.5);
    expect(got / (await relative(parseScheme("int4")))).toBeCloseTo(2, 0);
  });

  it("the variance of one weight is the same over seeds", async () => {
    const data = Float32Array.of(1, 0.3, -0.7);
    const squares = [0, 0, 0];
    for (let seed = 0; seed < 2000; seed++) {
      const values = (
        await quantize({ shape: [1, 3], data }, stochasticTernary({ per: "channel" }), { seed })
      ).dequantize();
      for (let i = 0; i < 3; i++) squares[i]! += (values[i]! - data[i]!) * (values[i]! - data[i]!);
    }
    expect(squares[0]).toBe(0);
    expect(squares[1]! / 2000).toBeCloseTo(0.3 * 0.7, 1);
    expect(squares[2]! / 2000).toBeCloseTo(0.3 * 0.7, 1);
  });

  it("unbiased is a law of every one of them, in types too", () => {
    const law: Law = "unbiased";
    for (const scheme of ["binary", "ternary", "int4", "int4:asym", "fixed:2.6"])
      expect(parseScheme(`stochastic:${scheme}`).laws).toContain(law);
  });
});

describe("partial quantization", () => {
  // Channel i keeps its sign pattern and has i outliers: its error under binary grows with i.
  const rows = 10;
  const data = Float32Array.from({ length: rows * 20 }, (_, i) => {
    const [row, k] = [Math.floor(i / 20), i % 20];
    return (k % 2 === 0 ? 1 : -1) * (k < row ? 4 : 1);
  });
  const tensor = { shape: [rows, 20], data };

  it("replaces as many channels as the ratio says, the others stay floats", async () => {
    for (const ratio of [0, 0.5, 0.75, 1]) {
      const { chosen, weights, quantized } = await quantizePartially(tensor, binary(), { ratio, seed: 3 });
      expect(chosen.reduce((a, b) => a + b, 0)).toBe(Math.round(ratio * rows));
      const values = quantized.dequantize();
      chosen.forEach((taken, row) => {
        const from = taken === 1 ? values : data;
        expect(weights.slice(row * 20, row * 20 + 20)).toEqual(from.slice(row * 20, row * 20 + 20));
      });
    }
  });

  it("measures ‖W - Q‖₁ / ‖W‖₁", async () => {
    const { errors } = await quantizePartially(tensor, binary(), { ratio: 1 });
    expect(errors[0]).toBe(0);
    // Channel 3: 3 of 4 and 17 of 1, mean 29 / 20.
    expect(errors[3]).toBeCloseTo((3 * (4 - 1.45) + 17 * 0.45) / 29, 6);
  });

  it("chooses in proportion to 1 / e", async () => {
    const pair = { shape: [2, 4], data: Float32Array.of(3, 1, 3, 1, 5, 1, 5, 1) };
    // Errors 0.5 and 2/3: chances 4 : 3.
    let first = 0;
    for (let seed = 0; seed < 2000; seed++)
      first += (await quantizePartially(pair, binary(), { ratio: 0.5, seed })).chosen[0]!;
    expect(first / 2000).toBeCloseTo(4 / 7, 1);
    let constant = 0;
    for (let seed = 0; seed < 2000; seed++)
      constant += (await quantizePartially(pair, binary(), { ratio: 0.5, seed, probability: "constant" })).chosen[0]!;
    expect(constant / 2000).toBeCloseTo(0.5, 1);
    // f is 2 and 1.5 to seven digits: softmax e^0.5 : 1, sigmoid 0.8808 : 0.8176.
    for (const [probability, chance] of [
      ["softmax", 0.6225],
      ["sigmoid", 0.5186],
    ] as const) {
      let taken = 0;
      for (let seed = 0; seed < 2000; seed++)
        taken += (await quantizePartially(pair, binary(), { ratio: 0.5, seed, probability })).chosen[0]!;
      expect(Math.abs(taken / 2000 - chance)).toBeLessThan(0.04);
    }
  });

  it("takes channels of no chance last, and refuses a ratio beyond 0..1", async () => {
    // Channel 0 is exact: f = 1e7 leaves the others no exponential.
    const one = await quantizePartially(tensor, binary(), { ratio: 0.3, probability: "softmax" });
    expect([...one.chosen]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    await expect(quantizePartially(tensor, binary(), { ratio: 1.5 })).rejects.toThrow(OutOfRangeError);
    await expect(quantizePartially(tensor, binary(), { ratio: Number.NaN })).rejects.toThrow(OutOfRangeError);
    const zeros = await quantizePartially({ shape: [2, 2], data: new Float32Array(4) }, binary(), { ratio: 0.5 });
    expect([...zeros.errors]).toEqual([0, 0]);
  });
});

describe("soft weight-sharing", () => {
  it("finds the mixture that weights come from, and assigns each to the component most responsible", async () => {
    // Equal parts of N(c, 0.03²) about five centres, 60 % of all about 0.
    const centres = [0, 0, 0, 0, 0, 0, -1, -0.5, 0.5, 1];
    const part = [...quantileGrid(normalQuantile, 1000)].map((x) => 0.03 * x);
    const data = Float32Array.from(centres.flatMap((centre) => part.map((x) => centre + x)));
    const q = await quantize({ shape: [100, 100], data }, softWeightSharing({ components: 5 }));
    [-1, -0.5, 0, 0.5, 1].forEach((centre, code) => {
      expect(Math.abs(q.codebook![code]! - centre)).toBeLessThan(0.01);
    });
    expect(q.codebook![2]).toBe(0);
    const codes = q.unpackCodes();
    centres.forEach((centre, i) => {
      expect(codes.slice(1000 * i, 1000 * (i + 1)).every((code) => code === 2 * centre + 2)).toBe(true);
    });
  });

  it("the log posterior never falls, and π sums to 1", async () => {
    using kernels = await loadKernels({ part: "quantize", wasm: bundledWasm });
    const x = quantileGrid(normalQuantile, 2000);
    for (const options of [{ components: 8 }, { components: 7, zero: 0.9 }]) {
      const max = x.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const { mixture, posterior } = fitMixture(kernelLoops(kernels).load(x), max, options);
      expect(posterior.length).toBeGreaterThan(5);
      for (let i = 1; i < posterior.length; i++) expect(posterior[i]).toBeGreaterThanOrEqual(posterior[i - 1]! - 1e-7);
      expect(mixture.proportion.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      if (options.zero !== undefined) expect(mixture.proportion[0]).toBe(0.9);
      expect(mixture.mean[0]).toBe(0);
    }
  });

  it("is near Lloyd-Max on N(0,1), and mostly zeros where π₀ is held at 0.999", async () => {
    expect(await relative(parseScheme("sws:16"))).toBeGreaterThan(0.0095);
    expect((await relative(parseScheme("sws:16"))) / 0.0122).toBeCloseTo(1, 1.9);
    const pinned = await quantize(normal, parseScheme("sws:16:p0.999"));
    expect(pinned.dequantize().filter((w) => w === 0).length / COUNT).toBeGreaterThan(0.9);
  });

  it("refuses what it cannot be", () => {
    expect(() => softWeightSharing({ components: 2 })).toThrow(OutOfRangeError);
    expect(() => softWeightSharing({ components: 8, zero: 1 })).toThrow(QuantizerError);
  });
});

describe("posteriors", () => {
  const data = Float32Array.of(1, -0.5, 0.1, 0, 0.4, -1);

  it("sparse variational dropout prunes where ln σ²/θ² > 3", async () => {
    // n·h·θ² against e^-3 = 0.0498: 1·θ² prunes 0.1 and 0 only.
    const ones = new Float32Array(6).fill(1);
    const kept = await quantize({ shape: [1, 6], data }, sparseDropout(), { curvature: ones });
    expect([...kept.dequantize()].map((w) => w !== 0)).toEqual([true, true, false, false, true, true]);
    const few = await quantize({ shape: [1, 6], data }, sparseDropout({ samples: 5 }), { curvature: ones });
    expect([...few.dequantize()].map((w) => w !== 0)).toEqual([true, true, true, false, true, true]);
    const unsure = Float32Array.of(1, 1, 1, 1, 0.1, 0);
    const some = await quantize({ shape: [1, 6], data }, sparseDropout(), { curvature: unsure });
    expect([...some.dequantize()].map((w) => w !== 0)).toEqual([true, true, false, false, false, false]);
  });

  it("vnq: nothing pruned is the ternary optimum; the scale is that of least squares", async () => {
    const sure = new Float32Array(COUNT).fill(1e30);
    const got = await relative(variational({ levels: 3 }), { seed: undefined, curvature: sure });
    expect(got / 0.1902).toBeCloseTo(1, 2);
    const mse = await quantize(normal, ternary({ per: "tensor", threshold: "mse" }));
    const vnq = await quantize(normal, variational({ levels: 3 }), { curvature: sure });
    expect(vnq.scales![0]).toBeCloseTo(mse.scales![0]!, 3);
    // Five levels: the best uniform grid with 0 in the middle, by search.
    const five = await quantize(normal, variational({ levels: 5 }), { curvature: sure });
    let least = Number.POSITIVE_INFINITY;
    for (let a = 0.5; a < 1.5; a += 0.001) {
      const noise = normal.data.reduce((sum, w) => {
        const k = Math.max(-2, Math.min(2, Math.round(w / a)));
        return sum + (w - k * a) * (w - k * a);
      }, 0);
      least = Math.min(least, noise / COUNT);
    }
    expect(five.error.mse / least).toBeLessThan(1.001);
  });

  it("vnq: all pruned is all zero", async () => {
    const { dequantize } = await quantize({ shape: [1, 6], data }, variational({ levels: 3 }), {
      curvature: new Float32Array(6),
    });
    expect([...dequantize()]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("bayes: steps of a power of two at most 2σ, errors at most σ, codes that reach max |w|", async () => {
    for (const deviation of [0.02, 0.1, 0.3, 0.7]) {
      const curvature = new Float32Array(6).fill(1 / (deviation * deviation));
      const { scales, error } = await quantize({ shape: [1, 6], data }, posteriorGrid(), { curvature });
      expect(scales![0]).toBe(2 ** Math.floor(Math.log2(2 * deviation)));
      expect(error.maxAbs).toBeLessThanOrEqual(deviation);
    }
    const sharp = await quantize({ shape: [1, 6], data }, posteriorGrid({ bits: 4 }), {
      curvature: new Float32Array(6).fill(1e12),
    });
    // 7 steps have to reach 1.
    expect(sharp.scales![0]).toBe(0.25);
    const unknown = await quantize({ shape: [1, 6], data }, posteriorGrid(), { curvature: new Float32Array(6) });
    expect([...unknown.dequantize()]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("posteriorBits: a sign and the magnitude in steps, per group", async () => {
    const means = { shape: [2, 3], data };
    const variance = Float32Array.of(0.01, 1, 1, 0.25, 0.25, 0.25);
    const found = await posteriorBits(means, variance);
    // Row 0: σ 0.1, step 0.125, 8 steps: 4 bits and a sign. Row 1: σ 0.5, step 1, 1 step: 1 bit and a sign.
    expect([...found.step]).toEqual([0.125, 1]);
    expect([...found.bits]).toEqual([5, 2]);
    expect(found.bitsPerWeight).toBe(3.5);
    expect([...(await posteriorBits(means, new Float32Array(6).fill(100))).bits]).toEqual([0, 0]);
    expect([...(await posteriorBits(means, new Float32Array(6), { per: "tensor" })).bits]).toEqual([32]);
    await expect(posteriorBits(means, new Float32Array(5))).rejects.toThrow(ShapeError);
    await expect(posteriorBits(means, new Float32Array(6).fill(-1))).rejects.toThrow(OutOfRangeError);
    await expect(posteriorBits(means, new Float32Array(6).fill(Number.NaN))).rejects.toThrow(NotFiniteError);
    await expect(posteriorBits({ shape: [0], data: new Float32Array() }, new Float32Array())).rejects.toThrow(
      ShapeError,
    );
  });

  it("refuse what they cannot be", () => {
    expect(() => variational({ levels: 4 })).toThrow(QuantizerError);
    expect(() => variational({ levels: 1 })).toThrow(OutOfRangeError);
    expect(() => sparseDropout({ samples: 0 })).toThrow(OutOfRangeError);
    // @ts-expect-error nine bits do not fit a code
    expect(() => posteriorGrid({ bits: 9 })).toThrow(OutOfRangeError);
  });
});

describe("spellings", () => {
  it.each([
    "stochastic",
    "stochastic:",
    "stochastic:int1",
    "stochastic:int4:mse",
    "stochastic:binary:asym",
    "stochastic:fixed",
    "stochastic:fixed:2",
    "stochastic:fixed:0.4",
    "stochastic:fixed:8.1",
    "stochastic:fixed:1.0",
    "stochastic:fixed:2.6:tensor",
    "sws",
    "sws:2",
    "sws:257",
    "sws:16:p1",
    "sws:16:p0.0",
    "sws:16:0.5",
    "sws:16:p0.5:x",
    "vnq:4",
    "vnq:3:100",
    "vnq:3:n0",
    "vnq:3:n1:n2",
    "bayes",
    "bayes:9",
    "bayes:8:n1:n2",
    "sparsevd:8:tensor",
  ])("refuses %j by name", (scheme) => {
    expect(() => parseScheme(scheme)).toThrow(SchemeError);
  });

  it("is one for each quantizer", () => {
    expect(parseScheme("stochastic:int4:channel").scheme).toBe("stochastic:int4");
    expect(parseScheme("stochastic:int4:asym:g8").scheme).toBe("stochastic:int4:g8:asym");
    expect(parseScheme("bayes:8:n5:tensor").scheme).toBe("bayes:8:tensor:n5");
    expect(parseScheme("sws:16:p0.9990").scheme).toBe("sws:16:p0.999");
    expect(parseScheme("vnq:3:n1").scheme).toBe("vnq:3");
  });

  it("formats are checked in factories too", () => {
    expect(() => stochasticFixed({ integer: 9, fraction: 0 })).toThrow(OutOfRangeError);
    expect(() => stochasticFixed({ integer: 4, fraction: 5 })).toThrow(QuantizerError);
  });
});

describe("exp and ln", () => {
  it("are within 1e-15 of the engine's", () => {
    for (let x = -700; x < 700; x += 0.37) expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-15);
    expect([exp(0), exp(-1000), exp(1000)]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
    for (let x = 0.001; x < 1e6; x *= 1.37)
      expect(Math.abs(ln(x) - Math.log(x))).toBeLessThan(3e-15 * Math.max(1, Math.abs(ln(x))));
  });
});
