/** A user's own quantizer has the rights of the built-in ones: the example of docs/how-to/add-a-quantizer.md, and a stochastic one. */
import { describe, expect, it } from "vitest";
import { checkLaws, defineQuantizer, type Law, LawError, quantize } from "../../src/quantize.ts";
import { normalQuantile, quantileGrid } from "./distributions.ts";

const absmean = (laws: readonly Law[]) =>
  defineQuantizer({
    scheme: "absmean",
    decoding: "affine",
    bits: 2,
    codebook: "fixed",
    per: "tensor",
    laws,
    paper: {
      title: "The era of 1-bit LLMs: all large language models are in 1.58 bits",
      authors: "Ma et al.",
      year: 2024,
      url: "https://arxiv.org/abs/2402.17764",
    },
    encode(w) {
      const scale = w.meanAbs();
      const codes = w.gridCodes({ scale, zeroPoint: 1, minCode: 0, maxCode: 2 });
      return { codes, decoding: { kind: "affine", zeroPoint: 1 }, scale };
    },
  });

describe("absmean (BitNet b1.58)", () => {
  it("keeps the laws it declares and is caught on one it does not have", async () => {
    await checkLaws(absmean(["scaleEquivariant", "signSymmetric", "nearest", "keepsZero"]));
    await expect(checkLaws(absmean(["idempotent"]))).rejects.toThrow(LawError);
  });

  it("has the error that its formula gives on N(0,1)", async () => {
    const tensor = { shape: [1, 40_000], data: quantileGrid(normalQuantile, 40_000) };
    expect((await quantize(tensor, absmean([]))).error.relativeMse).toBeCloseTo(0.2634, 4);
  });
});

describe("BinaryConnect's stochastic binarization", () => {
  /** P(+1) = clip((w + 1) / 2, 0, 1), so that the mean of the drawn signs is w. */
  const stochastic = defineQuantizer({
    scheme: "binaryconnect:stochastic",
    decoding: "sign",
    bits: 1,
    codebook: "fixed",
    per: "tensor",
    seeded: true,
    stochastic: true,
    laws: [],
    paper: {
      title: "BinaryConnect: training deep neural networks with binary weights during propagations",
      authors: "Courbariaux, Bengio, David",
      year: 2015,
      url: "https://arxiv.org/abs/1511.00363",
    },
    encode: (w, { random }) => ({
      codes: Uint8Array.from(w.values(), (value) => (random.uniform() < (value + 1) / 2 ? 0 : 1)),
      decoding: { kind: "sign" },
    }),
  });

  it("is unbiased, repeats with its seed, and has a scale of 1 where it gives none", async () => {
    const data = Float32Array.of(-1, -0.5, 0, 0.25, 1);
    const sums = new Float64Array(5);
    for (let seed = 0; seed < 2000; seed++) {
      const { dequantize } = await quantize({ shape: [1, 5], data }, stochastic, { seed });
      dequantize().forEach((value, i) => {
        sums[i]! += value / 2000;
      });
    }
    // Four standard deviations of a mean of 2,000 signs are below 0.09.
    sums.forEach((mean, i) => {
      expect(Math.abs(mean - data[i]!)).toBeLessThan(0.09);
    });
    const [a, b, c] = await Promise.all(
      [5, 5, 6].map((seed) => quantize({ shape: [20, 5], data: new Float32Array(100) }, stochastic, { seed })),
    );
    expect(a!.codes).toEqual(b!.codes);
    expect(a!.codes).not.toEqual(c!.codes);
    expect(a!.toConstant()).toMatchObject({ scale: Float32Array.of(1), scaleShape: [1, 1], groupSize: 5 });
  });
});
