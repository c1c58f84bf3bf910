/** Figures that theory gives, without a data set: 40,000 equally probable quantiles of N(0,1) and of the Laplace distribution. */
import { describe, expect, it } from "vitest";
import { kmeans, parseScheme, quantize, Random } from "../../src/quantize.ts";
import { laplaceQuantile, normalQuantile, quantileGrid } from "./distributions.ts";

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
  ["kmeans:4", "N(0,1)", 0.1175, "Lloyd-Max, 2 bits"],
  ["kmeans:8", "N(0,1)", 0.0345, "Lloyd-Max, 3 bits"],
  ["kmeans:16", "N(0,1)", 0.0095, "Lloyd-Max, 4 bits"],
  ["kmeans:4", "Laplace", 0.1762, "Lloyd-Max, 2 bits"],
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
    const { error } = await quantize(tensors[distribution], parseScheme(scheme));
    expect(error.relativeMse / expected).toBeGreaterThan(0.99);
    expect(error.relativeMse / expected).toBeLessThan(1.01);
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

  it("kmeans:4 on N(0,1) has Max's levels ±0.4528, ±1.510", async () => {
    const { codebook } = await quantize(tensors["N(0,1)"], kmeans({ k: 4 }));
    for (const [i, level] of [-1.51, -0.4528, 0.4528, 1.51].entries()) expect(codebook![i]).toBeCloseTo(level, 2);
  });
});

describe("orderings that must hold on the same weights", () => {
  const ascending: string[][] = [
    ["kmeans:4", "ternary:mse", "ternary", "binary"],
    ["int4:mse", "int4"],
    ["int8", "int4", "int3", "int2:absmax"],
    ["int3", "int2", "int2:absmax"],
    ["kmeans:16", "int4:mse", "pow2:4"],
    ["q8_0", "q4_k", "q4_0"],
  ];
  it.each(ascending)("error of %s <= %s <= ...", async (...schemes) => {
    const errors = await Promise.all(
      schemes.map(async (scheme) => (await quantize(tensors["N(0,1)"], parseScheme(scheme))).error.mse),
    );
    expect(errors).toEqual(errors.toSorted((a, b) => a - b));
  });
});
