/** Figures that theory gives, without a data set: 40,000 equally probable quantiles of N(0,1) and of the Laplace distribution. */
import { describe, expect, it } from "vitest";
import {
  ecsq,
  kmeans,
  parseScheme,
  type Quantized,
  type QuantizeOptions,
  quantize,
  Random,
} from "../../src/quantize.ts";
import { laplaceQuantile, normalQuantile, quantileGrid } from "./distributions.ts";
import { sampleNeeds } from "./needs.ts";

/** Fisher and Yates. */
function shuffled(values: Float32Array): Float32Array {
  const random = new Random(1);
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

const COUNT = 40_000;
const tensors = {
  "N(0,1)": { shape: [1, COUNT], data: quantileGrid(normalQuantile, COUNT) },
  // In random order, so that groups are samples: 2^17 quantiles.
  "shuffled N(0,1)": { shape: [128, 1024], data: shuffled(quantileGrid(normalQuantile, 2 ** 17)) },
  Laplace: { shape: [1, COUNT], data: quantileGrid(laplaceQuantile, COUNT) },
};

const errorOf = async (scheme: string, distribution: keyof typeof tensors) => {
  const quantizer = parseScheme(scheme);
  const { shape, data } = tensors[distribution];
  // Equal curvature changes nothing: the figures are those without it.
  const equal = { curvature: new Float32Array(data.length).fill(3) } as QuantizeOptions;
  const weighs = /^(hkmeans|ecsq)/.test(scheme) && quantizer.needs === "curvature";
  const needed = weighs ? equal : sampleNeeds(quantizer, shape[0]!, shape[1]!);
  return (await quantize({ shape, data }, quantizer, needed)).error;
};

/** The largest of the quantiles of N(0,1). */
const normalMax = tensors["N(0,1)"].data.at(-1)!;

/** Relative mean squared error by scheme and distribution. */
const published: [scheme: string, distribution: keyof typeof tensors, relativeMse: number, source: string][] = [
  ["binary", "N(0,1)", 1 - 2 / Math.PI, "1 - 2/π"],
  ["binary", "Laplace", 0.5, "1 - (E|w|)²/E[w²]"],
  ["ternary", "N(0,1)", 0.1916, "TWN rule, Δ = 0.7 E|w|"],
  ["ternary", "Laplace", 0.2823, "TWN rule, Δ = 0.7 E|w|"],
  ["ternary:mse", "N(0,1)", 0.1902, "ternary optimum, Δ = 0.612 σ"],
  ["ternary:mse", "Laplace", 0.2641, "ternary optimum, Δ = E|w|"],
  ["int2", "N(0,1)", 0.1902, "three levels: the ternary optimum"],
  ["int4:mse", "N(0,1)", 0.01289, "best 15-level uniform grid, step 0.3534, by integration"],
  ["int3:mse", "N(0,1)", 0.04686, "best 7-level uniform grid, step 0.6508, by integration"],
  ["int4:tensor:p99.5", "N(0,1)", 0.014163, "15 levels over ±2.807 σ, by integration"],
  ["int4:tensor:asym:p95", "N(0,1)", 0.01923, "16 levels over 3.92 σ, by integration"],
  ["fixed:2.2", "N(0,1)", 0.022407, "-2, -1.75 ... 1.75, by integration"],
  ["sqnr:1", "N(0,1)", 1 - 2 / Math.PI, "Max's uniform quantizer, 1 bit"],
  ["sqnr:2", "N(0,1)", 0.11885, "Max's uniform quantizer, 9.25 dB"],
  ["sqnr:3", "N(0,1)", 0.03744, "Max's uniform quantizer, 14.27 dB"],
  ["sqnr:4", "N(0,1)", 0.011543, "Max's uniform quantizer, 19.38 dB"],
  ["sqnr:6", "N(0,1)", 0.00104, "Max's uniform quantizer, 29.83 dB"],
  ["absmean", "N(0,1)", 0.26338, "1 - 2γ E[|w|; |w| > γ/2] + γ² P(|w| > γ/2), γ = sqrt(2/π)"],
  ["log:3", "N(0,1)", 0.11924, "powers of two 4, 2, 1, thresholds √2, by integration"],
  ["log:4", "N(0,1)", 0.04127, "powers of two 4 to 1/16, thresholds √2, by integration"],
  ["log:4:sqrt2", "N(0,1)", 0.02868, "powers of √2 from 4 to 1/2, by integration"],
  ["apot:3", "N(0,1)", 0.04756, "7 levels, α = 2.065, by integration"],
  ["apot:4", "N(0,1)", 0.012101, "15 levels, α = 2.613, by integration"],
  ["apot:5", "N(0,1)", 0.006005, "31 levels, α = 3.372, by integration"],
  ["dorefa:1", "N(0,1)", 1 - 2 / Math.PI, "1 - 2/π"],
  ["dorefa:2", "N(0,1)", 0.12745, "max |w| = 4.215, by integration"],
  ["dorefa:4", "N(0,1)", 0.06988, "max |w| = 4.215, by integration"],
  ["balanced:1", "N(0,1)", 1 - 2 / Math.PI, "1 - 2/π"],
  ["balanced:2", "N(0,1)", 0.14386, "by the means of the quartiles, ±0.3247 and ±1.2711"],
  ["balanced:3", "N(0,1)", 0.07424, "by the means of the octiles"],
  ["balanced:2:mean", "N(0,1)", 0.12805, "bins at 0 and ±sqrt(2/π), by integration"],
  ["balanced:3:mean", "N(0,1)", 0.05617, "bins at means of halves of halves, by integration"],
  ["weq:4", "N(0,1)", 0.15632, "boundary 1.3789, levels ±0.6993 and ±1.8794 of greatest weighted entropy"],
  ["weq:8", "N(0,1)", 0.06442, "boundaries 0.9614, 1.4563, 1.9810 of greatest weighted entropy"],
  ["stochastic:binary", "N(0,1)", 0.63462, "P(+1) = clip((w + 1) / 2, 0, 1), by integration"],
  ["stochastic:ternary", "N(0,1)", 0.26587, "P(±1) = |w|, by integration"],
  ["stochastic:fixed:4.4", "N(0,1)", 1 / 6 / 256, "ε² / 6"],
  ["stochastic:int4", "N(0,1)", ((normalMax / 7) * (normalMax / 7)) / 6, "S² / 6 with S = max |w| / 7"],
  ["stochastic:int4:asym", "N(0,1)", ((normalMax / 7.5) * (normalMax / 7.5)) / 6, "S² / 6 with S = max |w| / 7.5"],
  ["kmeans:4", "N(0,1)", 0.1175, "Lloyd-Max, 2 bits"],
  ["kmeans:8", "N(0,1)", 0.0345, "Lloyd-Max, 3 bits"],
  ["kmeans:16", "N(0,1)", 0.0095, "Lloyd-Max, 4 bits"],
  ["prune:0.5", "N(0,1)", 0.07132, "0.5 - 2 t φ(t), t = 0.67449"],
  ["prune:0.9", "N(0,1)", 0.56071, "0.9 - 2 t φ(t), t = 1.64485"],
  ["kmeans:4", "Laplace", 0.1762, "Lloyd-Max, 2 bits"],
  ["hkmeans:16", "N(0,1)", 0.0095, "Lloyd-Max, 4 bits: equal curvature"],
  ["rq:1x2x2", "N(0,1)", 0.1304, "greedy binary bases, 2"],
  ["aq:1x2x2", "N(0,1)", 0.1175, "Lloyd-Max, 2 bits: its levels are sums of two"],
  ["hashed:8", "N(0,1)", 1 - (1 - Math.exp(-8)) / 8, "independent weights in buckets of Poisson sizes"],
  ["ecsq:16:r2", "N(0,1)", 0.08892, "best for an entropy of 2 bits, by integration"],
  ["ecsq:32:r3", "N(0,1)", 0.02224, "best for an entropy of 3 bits, by integration"],
  ["ecsq:16:r2:hessian", "N(0,1)", 0.08892, "the same: equal curvature"],
  ["lloyd:4", "N(0,1)", 0.1175, "Lloyd-Max, 2 bits"],
  ["lloyd:8", "N(0,1)", 0.0345, "Lloyd-Max, 3 bits"],
  ["lloyd:16", "N(0,1)", 0.0095, "Lloyd-Max, 4 bits"],
  ["lloyd:3", "N(0,1)", 0.1902, "the ternary optimum"],
  ["lloyd:4", "Laplace", 0.1762, "Lloyd-Max, 2 bits"],
  ["ternary:ttq", "N(0,1)", 0.26899, "1 - 2 φ(Δ)² / (1 - Φ(Δ)), Δ = 0.05 max |w| = 0.2107"],
  ["sketch:1", "N(0,1)", 1 - 2 / Math.PI, "one base is binary"],
  ["sketch:2", "N(0,1)", 0.1304, "greedy bases"],
  ["sketch:3", "N(0,1)", 0.0584, "greedy bases"],
  ["sketch:4", "N(0,1)", 0.0329, "greedy bases"],
  ["sketch:2:refined", "N(0,1)", 0.1251, "refined bases"],
  ["sketch:3:refined", "N(0,1)", 0.0505, "refined bases"],
  ["sketch:4:refined", "N(0,1)", 0.0246, "refined bases"],
  ["multibit:1", "N(0,1)", 1 - 2 / Math.PI, "one base is binary"],
  ["multibit:2", "N(0,1)", 0.119, "alternating, T = 2"],
  ["multibit:3", "N(0,1)", 0.046, "alternating, T = 2"],
  ["multibit:4", "N(0,1)", 0.0219, "alternating, T = 2"],
  ["multibit:2:t30", "N(0,1)", 0.1175, "alternating, T = 30: Lloyd-Max's"],
  ["multibit:3:t30", "N(0,1)", 0.0369, "alternating, T = 30"],
  ["multibit:4:t30", "N(0,1)", 0.0115, "alternating, T = 30"],
  ["abc:2", "N(0,1)", 0.26181, "1 - (2 φ(1))² / P(|w| > 1): intervals cut at ±σ"],
  ["abc:3", "N(0,1)", 0.11745, "conditional means of the intervals cut at -σ, 0, σ"],
  ["lq:2", "N(0,1)", 0.1175, "the fixed point of alternating bases"],
  ["lq:3", "N(0,1)", 0.0369, "the fixed point of alternating bases"],
  ["lq:4", "N(0,1)", 0.0114, "the fixed point of alternating bases"],
  ["lab", "N(0,1)", 1 - 2 / Math.PI, "1 - 2/π where curvature is independent of w"],
  ["laq:ternary", "N(0,1)", 0.1902, "ternary optimum where curvature is independent of w"],
  ["laq:3", "N(0,1)", 0.04686, "best 7-level uniform grid, step 0.6508, by integration"],
  ["laq:4", "N(0,1)", 0.01289, "best 15-level uniform grid, step 0.3534, by integration"],
  ["laq:3:log", "N(0,1)", 0.04754, "best scale of {0, ±1, ±2, ±4}, 0.5180, by a scan"],
  ["admm:ternary", "N(0,1)", 0.1902, "ternary optimum"],
  ["admm:shift1", "N(0,1)", 0.08216, "best scale of {0, ±1, ±2}, 0.8429, by a scan"],
  ["admm:shift2", "N(0,1)", 0.04754, "best scale of {0, ±1, ±2, ±4}, 0.5180, by a scan"],
  ["lc:ternary", "N(0,1)", 0.1902, "ternary optimum"],
  ["lc:ternary", "Laplace", 0.2641, "ternary optimum, Δ = E|w|"],
  ["q4_0", "shuffled N(0,1)", 0.007377, "integral over the largest of 32 magnitudes, the others below it"],
  ["q8_0", "shuffled N(0,1)", 2.858e-5, "integral over the largest of 32"],
  ["q4_k", "shuffled N(0,1)", 0.00509, "llama.cpp's reference on 2^22 normal numbers"],
  ["tq1_0", "shuffled N(0,1)", 0.6513, "integral over the largest of 256"],
  ["tq2_0", "shuffled N(0,1)", 0.6513, "integral over the largest of 256"],
  ["nf4", "shuffled N(0,1)", 0.00846, "integral over the largest of 64"],
  ["mxfp4", "shuffled N(0,1)", 0.01322, "integral over the largest of 32"],
  ["nvfp4", "shuffled N(0,1)", 0.00905, "integral over the largest of 16"],
];

describe("relative mean squared error within 1 % of theory", () => {
  it.each(published)("%s on %s: %f (%s)", async (scheme, distribution, expected) => {
    const error = await errorOf(scheme, distribution);
    expect(error.relativeMse / expected).toBeGreaterThan(0.99);
    expect(error.relativeMse / expected).toBeLessThan(1.01);
  });
});

describe("quantizers by inputs where H is a multiple of the identity", () => {
  // One input at a time: columns that know nothing of each other.
  const columns = 50;
  const inputs = new Float32Array(columns * columns);
  for (let k = 0; k < columns; k++) inputs[k * (columns + 1)] = 1;
  const calibration = { samples: columns, inputs };
  const tensor = { shape: [COUNT / columns, columns], data: shuffled(tensors["N(0,1)"].data.slice()) };
  const errors = async (scheme: string) => {
    const quantizer = parseScheme(scheme);
    const { error } = await quantize(tensor, quantizer, (quantizer.needs === "inputs" ? { calibration } : {}) as never);
    return error.relativeMse;
  };

  it("tsq:ternary is the ternary optimum, row by row", async () => {
    const error = await errors("tsq:ternary");
    // Rows of 50 weights each have their own, a little below that of all, 0.1902.
    expect(error).toBeCloseTo(await errors("ternary:mse"), 7);
    expect(error).toBeLessThan(0.1902);
    expect(error).toBeGreaterThan(0.18);
  });

  it("aqlm:1x2x2 has the four levels of Lloyd-Max, 0.1175, and no four levels have less", async () => {
    const error = await errors("aqlm:1x2x2");
    expect(error / 0.1175).toBeLessThan(1.01);
    expect(error).toBeGreaterThanOrEqual((await errors("lloyd:4")) * (1 - 1e-6));
  });

  it.each(["1x4x2", "2x16x2"])("aqlm:%s has the error of aq within 1 %, above the bound of its rate", async (size) => {
    const [found, additive] = [await errors(`aqlm:${size}`), await errors(`aq:${size}`)];
    expect(found / additive).toBeGreaterThan(0.99);
    expect(found / additive).toBeLessThan(1.01);
    // Rate-distortion of N(0,1): 2^(-2R) with R = M log2 K / D bits a weight, both times 4.
    expect(found).toBeGreaterThan(2 ** -8);
  });
});

describe("the parameters behind the figures", () => {
  it("binary: the angle between w and sign w is 37.07 degrees, cosine 0.7979", async () => {
    const { error, scales } = await quantize(tensors["N(0,1)"], parseScheme("binary"));
    expect(error.cosine).toBeCloseTo(Math.sqrt(2 / Math.PI), 4);
    expect((Math.acos(error.cosine) * 180) / Math.PI).toBeCloseTo(37.07, 1);
    expect(scales![0]).toBeCloseTo(Math.sqrt(2 / Math.PI), 4);
  });

  it.each([
    ["ternary", "N(0,1)", 0.5765, undefined],
    ["ternary:mse", "N(0,1)", 0.5405, 1.224],
    ["ternary:mse", "Laplace", 0.3679, 1.4143],
  ] as const)("%s on %s keeps %f of the weights", async (scheme, distribution, kept, alpha) => {
    const quantized = await quantize(tensors[distribution], parseScheme(scheme));
    const nonzero = quantized.dequantize().reduce((count, w) => count + (w === 0 ? 0 : 1), 0) / COUNT;
    expect(nonzero).toBeCloseTo(kept, 3);
    if (alpha !== undefined) expect(quantized.scales![0]).toBeCloseTo(alpha, 2);
  });

  it("int8:tensor:kl keeps the whole range of evenly spread weights: 4 · 127² times less noise than signal", async () => {
    const data = quantileGrid((p) => 2 * p - 1, COUNT);
    const { error } = await quantize({ shape: [1, COUNT], data }, parseScheme("int8:tensor:kl"));
    expect(error.relativeMse * 4 * 127 ** 2).toBeCloseTo(1, 2);
  });

  it("kmeans:4 on N(0,1) has Max's levels ±0.4528, ±1.510", async () => {
    const { codebook } = await quantize(tensors["N(0,1)"], kmeans({ k: 4 }));
    for (const [i, level] of [-1.51, -0.4528, 0.4528, 1.51].entries()) expect(codebook![i]).toBeCloseTo(level, 2);
  });
});

/** -Σ p log2 p of the codes. */
function entropyOf(quantized: Quantized): number {
  const counts = new Map<number, number>();
  for (const code of quantized.unpackCodes()) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / COUNT) * Math.log2(count / COUNT), 0);
}

describe("the entropy of codes", () => {
  it.each([
    ["ecsq:8", 2],
    ["ecsq:16:r2", 2],
    ["ecsq:32:r3", 3],
    ["ecsq:16:r0.5", 0.5],
  ] as const)("%s nears its rate from below: %f bits", async (scheme, rate) => {
    const entropy = entropyOf(await quantize(tensors["N(0,1)"], parseScheme(scheme)));
    expect(entropy).toBeLessThanOrEqual(rate);
    expect(entropy).toBeGreaterThan(rate - 0.02);
  });

  it("a rate that is not reached changes nothing but the way there: Lloyd-Max", async () => {
    const { error } = await quantize(tensors["N(0,1)"], parseScheme("ecsq:4:r2"));
    expect(error.relativeMse).toBeCloseTo(0.1175, 3);
  });

  it("ecsq-uniform nears (πe/6) 2^(-2H), 1.53 dB above the bound of any quantizer", async () => {
    for (const scheme of ["ecsq-uniform:33", "ecsq-uniform:101"]) {
      const quantized = await quantize(tensors["N(0,1)"], parseScheme(scheme));
      const theory = ((Math.PI * Math.E) / 6) * 2 ** (-2 * entropyOf(quantized));
      expect(quantized.error.relativeMse / theory).toBeGreaterThan(0.99);
      expect(quantized.error.relativeMse / theory).toBeLessThan(1.01);
    }
  });

  it("at one entropy: ecsq within 1 % of ecsq-uniform or below, and both below k-means of no less", async () => {
    const uniform = await quantize(tensors.Laplace, parseScheme("ecsq-uniform:31"));
    const rate = entropyOf(uniform);
    const constrained = await quantize(tensors.Laplace, ecsq({ k: 32, rate }));
    const means = await quantize(tensors.Laplace, parseScheme("kmeans:11"));
    expect(entropyOf(means)).toBeGreaterThan(rate);
    expect(constrained.error.mse).toBeLessThan(1.01 * uniform.error.mse);
    expect(uniform.error.mse).toBeLessThan(means.error.mse);
  });
});

describe("orderings that must hold on the same weights", () => {
  const ascending: string[][] = [
    ["kmeans:4", "ternary:mse", "ternary", "binary"],
    ["int4:mse", "int4"],
    ["int8", "int4", "int3", "int2:absmax"],
    ["int3", "int2", "int2:absmax"],
    ["kmeans:16", "int4:mse", "pow2:4"],
    ["aq:4x16x2", "rq:4x16x2", "pq:4x16"],
    ["aq:2x8x3", "rq:2x8x3"],
    ["lloyd:4", "multibit:2", "sketch:2:refined", "sketch:2", "binary"],
    ["lloyd:8", "multibit:3:t30", "multibit:3", "sketch:3:refined", "sketch:3", "sketch:2"],
    ["lloyd:16", "multibit:4:t30", "multibit:4", "sketch:4:refined", "sketch:4", "sketch:3"],
    ["lc:ternary", "ternary", "ternary:ttq", "binary"],
    ["q8_0", "q4_k", "q4_0"],
  ];
  it.each(ascending)("error of %s <= %s <= ...", async (...schemes) => {
    const errors = await Promise.all(schemes.map(async (scheme) => (await errorOf(scheme, "N(0,1)")).mse));
    expect(errors).toEqual(errors.toSorted((a, b) => a - b));
  });
});
