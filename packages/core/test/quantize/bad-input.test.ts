/** NaN, infinities, empty, constant, all-zero, denormal, huge; groups of one, groups that do not divide, more centroids than data. */
import { describe, expect, it } from "vitest";
import { LowbitError, NotFiniteError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { matrixOf } from "../../src/quantize/weights.ts";
import {
  aq,
  compareFloats,
  defineQuantizer,
  ecsq,
  parseScheme,
  type QuantizeOptions,
  QuantizerError,
  quantize,
  registry,
  rq,
  trainProductCodebooks,
} from "../../src/quantize.ts";
import { sampleNeeds } from "./needs.ts";

const schemes = registry.flatMap(({ examples }) => examples);
/** Their scales are numbers of f16: 0 below 2^-25, none from 65520 on. */
const halfScales = ["q4_0", "q8_0", "tq1_0", "tq2_0", "q4_k"];
const LEAST = 2 ** -149;
const MOST = (2 - 2 ** -23) * 2 ** 127;

const run = (scheme: string, shape: number[], data: ArrayLike<number>) => {
  const quantizer = parseScheme(scheme);
  const { rows, columns } = matrixOf(shape);
  const needs = rows > 0 && columns > 0 && rows * columns === data.length ? sampleNeeds(quantizer, rows, columns) : {};
  return quantize({ shape, data: Float32Array.from(data) }, quantizer, { name: "conv1.weight", ...needs });
};

/** Levels that do not follow the weights cannot keep what is not among them. */
const isAbsolute = (scheme: string): boolean => parseScheme(scheme).range !== undefined;
/** Weights that a posterior calls uncertain are dropped. */
const isPruned = (scheme: string): boolean => parseScheme(scheme).needs === "curvature";

describe.each(schemes)("%s", (scheme) => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses %f with its position",
    async (bad) => {
      const data = new Float32Array(5000).fill(1);
      data[4321] = bad;
      const failure = run(scheme, [5, 1000], data);
      await expect(failure).rejects.toThrow(NotFiniteError);
      await expect(failure).rejects.toThrow(
        `quantize ${scheme} of conv1.weight: weights, expected finite numbers, got a NaN or an infinity at element 4321`,
      );
    },
  );

  it.each([
    [[], []],
    [[0], []],
    [[0, 4], []],
    [[4, 0], []],
    [
      [2, 4],
      [1, 2, 3],
    ],
    [
      [2, 2],
      [1, 2, 3, 4, 5],
    ],
    [
      [1.5, 2],
      [1, 2, 3],
    ],
    [
      [-2, -2],
      [1, 2, 3, 4],
    ],
    [[Number.NaN], [1]],
  ])("refuses shape %j", async (shape, data) => {
    await expect(run(scheme, shape, data)).rejects.toThrow(ShapeError);
  });

  it.skipIf(scheme === "stochastic:binary")("keeps an all-zero tensor", async () => {
    const { error, dequantize } = await run(scheme, [3, 8], new Array(24).fill(0));
    // Of hashed weights half are -0, and GGUF's Q4_0 has -0 for it.
    expect(dequantize().map((w) => w + 0)).toEqual(new Float32Array(24));
    expect(error).toEqual({ mse: 0, relativeMse: 0, sqnr: Number.POSITIVE_INFINITY, cosine: 1, maxAbs: 0 });
  });

  it.skipIf(scheme === "stochastic:binary")("takes negative zero for zero", async () => {
    const { error } = await run(scheme, [3, 8], new Array(24).fill(-0));
    expect(error.maxAbs).toBe(0);
  });

  it("quantizes denormal weights to finite ones no worse than dropping them", async () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => (i - 11) * LEAST);
    const { error, dequantize } = await run(scheme, [3, 8], data);
    expect(dequantize().every(Number.isFinite)).toBe(true);
    // A draw has its own spread, and levels that do not follow the weights are far from these.
    if (!parseScheme(scheme).stochastic) expect(error.relativeMse).toBeLessThanOrEqual(1);
  });

  it("quantizes the least and the largest floats side by side", async () => {
    const result = run(scheme, [2, 4], [MOST, -MOST, LEAST, -LEAST, MOST / 2, -MOST / 3, 0, 1]);
    // The ends of a grid that must hold 0 may lie beyond both, the width of a bucket beyond f32, the last level of a Gaussian grid beyond the largest weight.
    const reachesBeyond = [
      "int4:asym",
      "int4:asym:p95",
      "adaround:3",
      "hqq:2:g32",
      "hqq:4:g32",
      "bucket:2",
      "bucket:4",
      "bucket:4:g32",
      "sqnr:4",
      "sqnr:3:channel",
      "balanced:2",
      "balanced:3",
      "balanced:3:mean",
      "stochastic:int4:g32:asym",
      "bayes:4:n100",
      "bayes:8:tensor:n10000",
      "gptq:4:g32:order",
    ];
    if (reachesBeyond.includes(scheme) || halfScales.includes(scheme))
      return expect(result).rejects.toThrow(OutOfRangeError);
    expect(Number.isFinite((await result).error.maxAbs)).toBe(true);
  });

  it("takes tensors of 1 to 4 axes", async () => {
    const data = Array.from({ length: 64 }, (_, i) => Math.fround(((i * 37) % 64) / 64 - 0.5));
    for (const shape of [
      [4, 16],
      [4, 4, 4],
      [4, 2, 2, 4],
    ]) {
      const quantized = await run(scheme, shape, data);
      expect(quantized.shape).toEqual(shape);
      expect(quantized.codes).toEqual((await run(scheme, [4, 16], data)).codes);
    }
  });
});

describe("constant tensors", () => {
  // Grids reach a constant to within the rounding of a scale; powers of two only where it is one, and others only where they happen to have a level there.
  const exact = ["float", "binary", "ternary", "ternary:mse", "kmeans:4", "pq:4x16", "pow2:4"];
  // Half of a constant tensor is pruned.
  const inexact = [...schemes.filter((scheme) => scheme.startsWith("prune")), "mxfp4", "nvfp4", ...halfScales];
  const following = schemes.filter(
    (scheme) =>
      !(
        /^(pow2|wage|sqnr|log|apot|hashed)/.test(scheme) ||
        isAbsolute(scheme) ||
        isPruned(scheme) ||
        inexact.includes(scheme)
      ),
  );
  it.each(following)("%s keeps them", async (scheme) => {
    // ±s in steps of 2s: s is at most half of what f32 holds.
    const huge = scheme === "stochastic:binary:channel" ? 1.5e38 : 3e38;
    for (const value of [1, -0.3, 1e-30, huge]) {
      const { dequantize } = await run(scheme, [3, 8], new Array(24).fill(value));
      const tolerance = exact.includes(scheme) ? 0 : Math.abs(value) * 2 ** -22;
      for (const w of dequantize()) expect(Math.abs(w - Math.fround(value))).toBeLessThanOrEqual(tolerance);
    }
  });
  it.each(exact)("%s keeps a power of two to the bit", async (scheme) => {
    const { error } = await run(scheme, [3, 8], new Array(24).fill(-0.125));
    expect(error.maxAbs).toBe(0);
  });
  it("the least float survives every exact scheme", async () => {
    for (const scheme of exact)
      expect((await run(scheme, [3, 8], new Array(24).fill(LEAST))).error.maxAbs, scheme).toBe(0);
  });
});

describe("grids at the bottom of f32", () => {
  it("the step is never below the least float, so that weights of a few of them are exact", async () => {
    const few = Array.from({ length: 15 }, (_, i) => (i - 7) * LEAST);
    const { error, scales } = await run("int4", [1, 15], few);
    expect(error.maxAbs).toBe(0);
    expect(scales).toEqual(Float32Array.of(LEAST));
    // 3 / 7 of the least float would round to 0.
    expect((await run("int4", [1, 3], [3 * LEAST, -LEAST, 0])).error.maxAbs).toBe(0);
  });

  it("a group of zeros has a step of 1", async () => {
    for (const scheme of ["int4", "int2", "int4:asym", "pow2:4"]) {
      expect((await run(scheme, [1, 4], [0, 0, 0, 0])).scales, scheme).toEqual(Float32Array.of(1));
    }
  });
});

describe("groups", () => {
  const data = Array.from({ length: 3 * 7 }, (_, i) => ((i * 5) % 11) - 5.5);

  it.each(["binary:g1", "ternary:g1", "ternary:g1:mse", "int8:g1", "int2:g1"])(
    "%s: a group of one keeps its weight",
    async (scheme) => {
      const { error, scaleShape, groupSize } = await run(scheme, [3, 7], data);
      expect(error.relativeMse).toBeLessThan(1e-13);
      expect({ scaleShape, groupSize }).toEqual({ scaleShape: [3, 7], groupSize: 1 });
    },
  );

  it.each(["binary:g4", "ternary:g4", "int4:g4", "int4:g4:asym:mse", "pow2:3:g4"])(
    "%s: a last group is shorter where 4 does not divide 7",
    async (scheme) => {
      const { scaleShape, groupSize, scales, dequantize } = await run(scheme, [3, 7], data);
      expect({ scaleShape, groupSize, scales: scales!.length }).toEqual({
        scaleShape: [3, 2],
        groupSize: 4,
        scales: 6,
      });
      // The tail of row 1 is a tensor of its own.
      const tail = await run(scheme, [1, 3], data.slice(11, 14));
      expect(dequantize().slice(11, 14)).toEqual(tail.dequantize());
    },
  );

  it("a group longer than the row is the row", async () => {
    const long = await run("int4:g64", [3, 7], data);
    const channel = await run("int4", [3, 7], data);
    expect(long.groupSize).toBe(7);
    expect(long.codes).toEqual(channel.codes);
    expect(long.scales).toEqual(channel.scales);
  });

  it("pq needs its sub-vectors to divide the row", async () => {
    const failure = run("pq:4x16", [3, 7], data);
    await expect(failure).rejects.toThrow(ShapeError);
    await expect(failure).rejects.toThrow("pq:4x16: weights of a row, expected a multiple of 4, got 7");
  });
});

describe("settings and needs of codebook quantizers", () => {
  it.each([
    ["hkmeans:1", "K of hkmeans:<K>, expected an integer 2..256"],
    ["hkmeans:4:x", 'modifier ":x"'],
    ["ecsq:300", "K of ecsq:<K>"],
    ["ecsq:4:r9", 'modifier ":r9"'],
    ["ecsq:4:hessian:r1", 'modifier ":r1"'],
    ["ecsq-uniform:2", "an integer 3..256"],
    ["rq:4x16", "L of rq:<D>x<K>x<L>"],
    ["rq:4x16x2x2", "size, expected rq:<D>x<K>x<L>"],
    ["aq:4x16x17", "M of aq:<D>x<K>x<M>, expected an integer 1..16"],
    ["hashed:0", "ratio of hashed:<ratio>"],
    ["hashed", "ratio of hashed:<ratio>"],
    ["tsq", "levels, expected tsq:ternary"],
    ["tsq:ternary:g32", "levels, expected tsq:ternary"],
  ])("%s is no scheme", (scheme, message) => expect(() => parseScheme(scheme)).toThrow(message));

  it("aq, rq and ecsq refuse settings out of range", () => {
    expect(() => aq({ dimension: 4, centroids: 16, codebooks: 2, beam: 33 })).toThrow(OutOfRangeError);
    expect(() => rq({ dimension: 4, centroids: 16, stages: 0 })).toThrow(OutOfRangeError);
    expect(() => ecsq({ k: 4, rate: Number.NaN })).toThrow(OutOfRangeError);
  });

  it.each(["rq:4x16x2", "aq:4x16x2"])("%s needs its sub-vectors to divide the row", async (scheme) => {
    await expect(run(scheme, [3, 7], new Array(21).fill(1))).rejects.toThrow(ShapeError);
  });

  it.each(["hkmeans:4", "ecsq:16:hessian"])(
    "%s asks for curvature of the right length, finite and not negative",
    async (scheme) => {
      const tensor = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
      const given = (curvature?: ArrayLike<number>) =>
        quantize(
          tensor,
          parseScheme(scheme),
          (curvature ? { curvature: Float32Array.from(curvature) } : {}) as QuantizeOptions,
        );
      await expect(given()).rejects.toThrow("curvature, expected a diagonal Hessian of 4 numbers, got none");
      await expect(given([1, 2, 3])).rejects.toThrow(ShapeError);
      await expect(given([1, 2, Number.NaN, 4])).rejects.toThrow(NotFiniteError);
      await expect(given([1, 2, -1, 4])).rejects.toThrow(OutOfRangeError);
      expect((await given([0, 0, 0, 0])).error.maxAbs).toBe(0);
      expect((await given([2 ** -149, 3e38, 0, 1])).error.maxAbs).toBe(0);
    },
  );

  it("hashed refuses more values than a file may hold", async () => {
    await expect(run("hashed:1", [2048, 2049], new Float32Array(2048 * 2049))).rejects.toThrow(
      "quantizer hashed:1: values, expected at most 4194304, got 4196352",
    );
  });

  it("sums of sub-vectors are exact where there are no more distinct ones than entries", async () => {
    for (const scheme of ["rq:2x8x3", "aq:2x8x3"])
      expect((await run(scheme, [3, 2], [1, 2, 3, 4, 1, 2])).error.maxAbs, scheme).toBe(0);
  });
});

describe("product codebooks", () => {
  const vectors = (shape: number[], data: ArrayLike<number>) => ({ shape, data: Float32Array.from(data) });
  it.each([
    [vectors([2], [1, 2]), { subspaces: 1 }, "vectors, expected [n, d]"],
    [vectors([2, 2], [1, 2, 3]), { subspaces: 1 }, "vectors, expected [n, d]"],
    [vectors([0, 2], []), { subspaces: 1 }, "vectors, expected [n, d]"],
    [vectors([1, 2], [1, Number.NaN]), { subspaces: 1 }, "got a NaN or an infinity at element 1"],
    [vectors([1, 3], [1, 2, 3]), { subspaces: 2 }, "numbers of a vector, expected a multiple of 2, got 3"],
    [vectors([1, 2], [1, 2]), { subspaces: 3 }, "subspaces, expected an integer 1..2"],
    [vectors([1, 2], [1, 2]), { subspaces: 1, centroids: 257 }, "centroids, expected an integer 2..256"],
  ])("refuses %j with %j", async (tensor, options, message) => {
    const failure = trainProductCodebooks(tensor, options);
    await expect(failure).rejects.toThrow(LowbitError);
    await expect(failure).rejects.toThrow(message);
  });

  it("are exact where there are no more vectors than centroids", async () => {
    const found = await trainProductCodebooks(vectors([2, 4], [1, 2, 3, 4, 1, 2, -3e38, 1e-40]), {
      subspaces: 2,
      centroids: 2,
    });
    expect(found).toMatchObject({ dimension: 2, subspaces: 2, error: 0 });
    expect([...found.codes]).toEqual([0, 1, 0, 0]);
  });
});

describe("more centroids than data", () => {
  it.each(["kmeans:16", "kmeans:256"])("%s keeps up to K distinct values exactly", async (scheme) => {
    const { error, bits } = await run(scheme, [2, 3], [0.1, -0.2, 0.3, 0.1, 1e-7, -5]);
    expect(error.maxAbs).toBe(0);
    expect(bits).toBe(scheme === "kmeans:16" ? 4 : 8);
    expect((await run(scheme, [1], [0.7])).error.maxAbs).toBe(0);
  });

  it("pq:2x16 keeps up to K distinct sub-vectors exactly", async () => {
    expect((await run("pq:2x16", [3, 2], [1, 2, 3, 4, 1, 2])).error.maxAbs).toBe(0);
  });

  it("finds values too rare for the sample of the start", async () => {
    for (const rows of [50, 200]) {
      const data = new Float32Array(rows * 1000).fill(0.25);
      data[31_234] = -1;
      data[rows * 1000 - 1] = 0.5;
      data[7] = 0.75;
      const { error, codebook } = await quantize({ shape: [rows, 1000], data }, parseScheme("kmeans:4"));
      expect(error.maxAbs).toBe(0);
      expect([...codebook!]).toEqual([-1, 0.25, 0.5, 0.75]);
    }
  });
});

describe("a faulty quantizer of a user", () => {
  const tensor = { shape: [2, 4], data: Float32Array.of(1, -2, 3, -4, 5, -6, 7, -8) };
  const table = (codes: number, codebook: number[], scale?: number[]) =>
    defineQuantizer({
      scheme: "mine",
      decoding: "table",
      bits: 2,
      codebook: "fixed",
      per: "channel",
      laws: [],
      paper: { title: "none", authors: "none", year: 2026, url: "https://example.org" },
      encode: () => ({
        codes: new Uint8Array(8).fill(codes),
        decoding: { kind: "table", codebook: Float32Array.from(codebook) },
        ...(scale ? { scale: Float32Array.from(scale) } : {}),
      }),
    });

  it.each([
    [
      "a code beyond the bits",
      table(4, [0, 1, 2, 3, 4]),
      QuantizerError,
      "quantizer mine: code 0, expected below 4, got 4",
    ],
    ["a code beyond the codebook", table(2, [0, 1]), QuantizerError, "quantizer mine: code 0, expected below 2, got 2"],
    [
      "scales of another number",
      table(0, [1], [1]),
      QuantizerError,
      "quantizer mine: number of scales, expected 2, got 1",
    ],
    [
      "a level that is not a number",
      table(0, [Number.NaN]),
      OutOfRangeError,
      "quantize mine: levels, expected finite f32",
    ],
    ["a level beyond f32", table(0, [3e38], [2, 1]), OutOfRangeError, "quantize mine: levels, expected finite f32"],
  ])("%s is a named error", async (_, quantizer, type, message) => {
    const failure = quantize(tensor, quantizer);
    await expect(failure).rejects.toThrow(type);
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(LowbitError);
  });

  it("too few codes, another decoding and zero points of another number are", async () => {
    const base = table(0, [1]);
    const wrong = (encode: () => object) => quantize(tensor, { ...base, encode: encode as typeof base.encode });
    const decoding = { kind: "table", codebook: Float32Array.of(1) };
    await expect(wrong(() => ({ codes: new Uint8Array(7), decoding }))).rejects.toThrow(
      "number of codes, expected 8, got 7",
    );
    await expect(wrong(() => ({ codes: new Uint8Array(8), decoding: { kind: "sign" } }))).rejects.toThrow(
      "decoding, expected table, got sign",
    );
    const affine = {
      ...base,
      decoding: "affine",
      encode: () => ({ codes: new Uint8Array(8), decoding: { kind: "affine", zeroPoint: Int32Array.of(1) } }),
    };
    await expect(quantize(tensor, affine as unknown as typeof base)).rejects.toThrow(
      "number of zero points, expected 2, got 1",
    );
  });
});

describe("compareFloats", () => {
  it("refuses arrays of different or no length", async () => {
    await expect(compareFloats(new Float32Array(3), new Float32Array(2))).rejects.toThrow(ShapeError);
    await expect(compareFloats(new Float32Array(0), new Float32Array(0))).rejects.toThrow(ShapeError);
  });
});
