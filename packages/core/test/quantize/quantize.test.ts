import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codesPerRow } from "../../src/graph/constants.ts";
import { decodeWeights, hashIndex, hashWord } from "../../src/graph/decode.ts";
import { Random } from "../../src/quantize/random.ts";
import { matrixOf } from "../../src/quantize/weights.ts";
import {
  aq,
  binary,
  compareFloats,
  dequantize,
  ecsq,
  ecsqUniform,
  type FloatTensor,
  float,
  hashed,
  hkmeans,
  kmeans,
  parseScheme,
  pq,
  type Quantizer,
  quantize,
  registry,
  rq,
  ternary,
  uniform,
} from "../../src/quantize.ts";
import { sampleNeeds } from "./needs.ts";

/** `quantize` with whatever the quantizer needs. */
const quantizeAny = (tensor: FloatTensor, quantizer: Quantizer) => {
  const { rows, columns } = matrixOf(tensor.shape);
  return quantize(tensor, quantizer, sampleNeeds(quantizer, rows, columns));
};

const schemes = registry.flatMap(({ examples }) => examples);

/** Seeded weights, roughly normal. */
function weights(count: number, seed = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.uniform() + random.uniform() + random.uniform() - 1.5);
}

/** The codes of a row-padded, least-significant-first packing, read bit by bit. */
function readCodes(packed: Uint8Array, rows: number, perRow: number, bits: number): number[] {
  const rowBytes = packed.length / rows;
  return Array.from({ length: rows * perRow }, (_, i) => {
    const start = Math.floor(i / perRow) * rowBytes * 8 + (i % perRow) * bits;
    let code = 0;
    for (let bit = 0; bit < bits; bit++) code |= ((packed[(start + bit) >> 3]! >> ((start + bit) & 7)) & 1) << bit;
    return code;
  });
}

describe("formulas, by hand", () => {
  const tensor = { shape: [2, 4], data: Float32Array.of(1, -2, 3, -4, 0, -0.5, 0.25, 0.25) };

  it("binary: signs and mean |w| per channel", async () => {
    const q = await quantize(tensor, binary());
    expect([...q.unpackCodes()]).toEqual([0, 1, 0, 1, 0, 1, 0, 0]);
    expect([...q.codes]).toEqual([0b1010, 0b0010]);
    expect([...q.scales!]).toEqual([2.5, 0.25]);
    expect([...q.dequantize()]).toEqual([2.5, -2.5, 2.5, -2.5, 0.25, -0.25, 0.25, 0.25]);
    expect([...q.codebook!]).toEqual([1, -1]);
  });

  it("binary per tensor and per group share other scales", async () => {
    const whole = await quantize(tensor, binary({ per: "tensor" }));
    expect({ scales: [...whole.scales!], shape: whole.scaleShape, group: whole.groupSize }).toEqual({
      scales: [1.375],
      shape: [1, 1],
      group: 4,
    });
    const pairs = await quantize(tensor, binary({ per: { group: 2 } }));
    expect({ scales: [...pairs.scales!], shape: pairs.scaleShape, group: pairs.groupSize }).toEqual({
      scales: [1.5, 3.5, 0.25, 0.25],
      shape: [2, 2],
      group: 2,
    });
  });

  it("ternary: threshold 0.7 mean |w|, scale the mean above it", async () => {
    const q = await quantize(tensor, ternary());
    // Row 0: mean 2.5, threshold 1.75; row 1: mean 0.25, threshold 0.175.
    expect([...q.unpackCodes()]).toEqual([1, 0, 2, 0, 1, 0, 2, 2]);
    expect([...q.scales!]).toEqual([3, Math.fround(1 / 3)]);
    expect([...q.codebook!]).toEqual([-1, 0, 1, 2]);
  });

  it("a magnitude on the ternary threshold is dropped, one above it is kept", async () => {
    // Mean 1, threshold 0.7 as a real number, which lies between two floats.
    const below = Math.fround(0.7) > 0.7 ? Math.fround(0.7) - 2 ** -24 : Math.fround(0.7);
    const data = Float32Array.of(below, below + 2 ** -24, 1.3 - 2 ** -24, 1.3);
    const { codes } = await quantize({ shape: [1, 4], data }, ternary());
    expect(readCodes(codes, 1, 4, 2)).toEqual([1, 2, 2, 2]);
  });

  it("int3: scale max |w| / 3, ties to even, codes around 4", async () => {
    const data = Float32Array.of(-3, 0.5, 1.5, -0.5, 2.5, 1.4999, 3, 0);
    const q = await quantize({ shape: [1, 8], data }, uniform({ bits: 3 }));
    expect([...q.scales!]).toEqual([1]);
    expect([...q.unpackCodes()].map((code) => code - 4)).toEqual([-3, 0, 2, 0, 2, 1, 3, 0]);
    expect(q.decoding).toEqual({ kind: "affine", zeroPoint: 4 });
  });

  it("int2 asymmetric covers min to max with zero on the grid", async () => {
    const q = await quantize(
      { shape: [2, 3], data: Float32Array.of(-1, 0, 2, 3, 1, 2) },
      uniform({ bits: 2, asymmetric: true, range: "absmax" }),
    );
    expect([...q.scales!]).toEqual([1, 1]);
    expect(q.decoding).toEqual({ kind: "affine", zeroPoint: Int32Array.of(1, 0) });
    expect([...q.dequantize()]).toEqual([-1, 0, 2, 3, 1, 2]);
    expect(q.codebook).toBeUndefined();
  });

  it("pow2:3: levels 0, ±2^(n1-1), ±2^n1 with n1 = floor(log2(4 max / 3)); thresholds 0.25, 0.75 and 1.5 of 2^n1", async () => {
    const data = Float32Array.of(1.49, -0.75, 0.7499, 0.25, -0.2499, 0);
    const q = await quantize({ shape: [1, 6], data }, parseScheme("pow2:3"));
    expect([...q.scales!]).toEqual([1]);
    expect([...q.codebook!]).toEqual([1, -1, 0.5, -0.5, 0]);
    expect([...q.dequantize()]).toEqual([1, -1, 0.5, 0.5, 0, 0]);
    // 1.5 is where the next exponent begins.
    expect((await quantize({ shape: [1, 2], data: Float32Array.of(1.5, 0) }, parseScheme("pow2:3"))).scales).toEqual(
      Float32Array.of(2),
    );
  });

  it("kmeans: levels ascend, a tie goes to the lower one", async () => {
    const data = Float32Array.of(0, 0, 4, 4, 2);
    const q = await quantize({ shape: [1, 5], data }, kmeans({ k: 3 }));
    expect([...q.codebook!]).toEqual([0, 2, 4]);
    const two = await quantize({ shape: [1, 4], data: Float32Array.of(-1, -1, 1, 1) }, kmeans({ k: 2 }));
    expect([...two.unpackCodes()]).toEqual([0, 0, 1, 1]);
  });

  it("pq: sub-vectors along the row, codebook in lexicographic order", async () => {
    const data = Float32Array.of(3, 4, 1, 2, 1, 2, 1, 9);
    const q = await quantize({ shape: [2, 4], data }, pq({ dimension: 2, centroids: 3 }));
    expect([...q.codebook!]).toEqual([1, 2, 1, 9, 3, 4]);
    expect([...q.unpackCodes()]).toEqual([2, 0, 0, 1]);
    expect([...q.codes]).toEqual([0b0010, 0b0100]);
  });

  it("hkmeans: each level is the mean weighted with the curvature", async () => {
    const data = Float32Array.of(0, 1, 10, 12, 14);
    const curvature = Float32Array.of(3, 1, 1, 0, 3);
    const q = await quantize({ shape: [1, 5], data }, hkmeans({ k: 2 }), { curvature });
    expect([...q.codebook!]).toEqual([0.25, 13]);
    expect([...q.unpackCodes()]).toEqual([0, 0, 1, 1, 1]);
    // No curvature anywhere is curvature of 1 everywhere.
    const flat = await quantize({ shape: [1, 5], data }, hkmeans({ k: 2 }), { curvature: new Float32Array(5) });
    expect([...flat.codebook!]).toEqual([0.5, 12]);
  });

  it("hkmeans of equal curvature is kmeans, code for code", async () => {
    const tensor = { shape: [20, 50], data: weights(1000, 12) };
    const plain = await quantize(tensor, kmeans({ k: 16 }), { seed: 3 });
    const curvature = new Float32Array(1000).fill(0.25);
    const weighted = await quantize(tensor, hkmeans({ k: 16 }), { seed: 3, curvature });
    expect(weighted.codes).toEqual(plain.codes);
    expect(weighted.codebook).toEqual(plain.codebook);
  });

  it("hkmeans has less weighted error than kmeans, and no clusters have less (by brute force)", async () => {
    const data = weights(12, 13);
    const curvature = weights(12, 14).map((h) => h * h);
    const weightedError = (values: ArrayLike<number>) =>
      data.reduce((sum, w, i) => sum + curvature[i]! * (w - values[i]!) ** 2, 0);
    const ofRun = (members: number[]) => {
      const weight = members.reduce((sum, i) => sum + curvature[i]!, 0);
      const mean = members.reduce((sum, i) => sum + curvature[i]! * data[i]!, 0) / weight;
      return members.reduce((sum, i) => sum + curvature[i]! * (data[i]! - mean) ** 2, 0);
    };
    // Clusters of the line are runs of its order: every pair of places to cut at.
    const order = [...data.keys()].sort((a, b) => data[a]! - data[b]!);
    let least = Number.POSITIVE_INFINITY;
    for (let a = 1; a < 11; a++)
      for (let b = a + 1; b < 12; b++)
        least = Math.min(least, ofRun(order.slice(0, a)) + ofRun(order.slice(a, b)) + ofRun(order.slice(b)));
    const q = await quantize({ shape: [3, 4], data }, hkmeans({ k: 3, restarts: 20 }), { curvature });
    expect(weightedError(q.dequantize())).toBeCloseTo(least, 6);
    const plain = await quantize({ shape: [3, 4], data }, kmeans({ k: 3, restarts: 20 }));
    expect(weightedError(plain.dequantize())).toBeGreaterThan(least);
  });

  it("ecsq: a rare level is dropped where its bits cost more than it saves", async () => {
    // 15 zeros and one 1: with a level for it, H = 0.337; without, everything is at 1/16.
    const data = new Float32Array(16);
    data[5] = 1;
    const kept = await quantize({ shape: [1, 16], data }, ecsq({ k: 2, rate: 0.34 }));
    expect([...kept.dequantize()]).toEqual([...data]);
    const merged = await quantize({ shape: [1, 16], data }, ecsq({ k: 2, rate: 0.33 }));
    expect([...merged.dequantize()]).toEqual(new Array(16).fill(1 / 16));
  });

  it("ecsq-uniform: bins of max |w| / m, each with the mean of its weights", async () => {
    const data = Float32Array.of(4, 3, 1, 0.5, -0.75, -3.5, 0, 2.5);
    const q = await quantize({ shape: [1, 8], data }, ecsqUniform({ k: 5 }));
    // Steps of 2: ties at 1 and 3 to the even multiple.
    expect([...q.unpackCodes()]).toEqual([4, 4, 2, 2, 2, 0, 2, 3]);
    expect([...q.codebook!]).toEqual([-3.5, -2, 0.1875, 2.5, 3.5]);
  });

  it("rq: a second codebook for what the first one leaves", async () => {
    const data = Float32Array.of(10, 11, 10, 11, -10, -9, -10, -9);
    const q = await quantize({ shape: [2, 4], data }, rq({ dimension: 1, centroids: 2, stages: 2 }));
    expect([...q.codebook!]).toEqual([-9.5, 10.5, -0.5, 0.5]);
    expect([...q.unpackCodes()]).toEqual([1, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect(q.decoding).toMatchObject({ kind: "additive", dimension: 1, count: 2 });
    expect(q.error.maxAbs).toBe(0);
  });

  it("aq has no more error than rq of the same seed, and less where stages are not enough", async () => {
    const tensor = { shape: [32, 24], data: weights(32 * 24, 15) };
    for (const seed of [0, 1, 2]) {
      const size = { dimension: 4, centroids: 8 };
      const residual = (await quantize(tensor, rq({ ...size, stages: 2 }), { seed })).error.mse;
      const additive = (await quantize(tensor, aq({ ...size, codebooks: 2 }), { seed })).error.mse;
      expect(additive).toBeLessThan(0.95 * residual);
    }
  });

  it("hashed: each value is the mean of its weights, signs taken off", async () => {
    const data = weights(64, 16);
    const q = await quantize({ shape: [4, 16], data }, hashed({ ratio: 4 }), { seed: 9 });
    if (q.decoding.kind !== "hashed") throw new Error(q.decoding.kind);
    const { values, seed } = q.decoding;
    expect(values.length).toBe(16);
    const signed = Array.from(values, () => [] as number[]);
    for (const [i, w] of data.entries()) {
      const word = hashWord(seed, i);
      signed[hashIndex(word, 16)]!.push(word & 1 ? -w : w);
    }
    for (const [b, members] of signed.entries()) {
      const mean = members.reduce((sum, w) => sum + w, 0) / Math.max(1, members.length);
      expect(values[b]).toBeCloseTo(mean, 6);
    }
    expect({ bits: q.bits, bytes: q.bytes }).toEqual({ bits: 0, bytes: 4 * 16 + 4 });
    expect(q.unpackCodes().length).toBe(0);
  });

  it("float keeps every bit", async () => {
    const q = await quantize(tensor, float());
    expect(q.dequantize()).toEqual(tensor.data);
    expect(q.toConstant()).toEqual({ kind: "plain", dtype: "f32", shape: [2, 4], data: tensor.data });
    expect(new Float32Array(q.codes.slice().buffer)).toEqual(tensor.data);
  });
});

describe("figures", () => {
  it("are those of their definitions", async () => {
    const w = Float32Array.of(3, -1, 2, 0);
    const v = Float32Array.of(2, -1, 2, 1);
    const error = await compareFloats(w, v);
    expect(error.mse).toBe(0.5);
    expect(error.relativeMse).toBeCloseTo(2 / 14, 15);
    expect(error.sqnr).toBeCloseTo(10 * Math.log10(7), 12);
    expect(error.cosine).toBeCloseTo(11 / Math.sqrt(14 * 10), 15);
    expect(error.maxAbs).toBe(1);
  });

  it("count every stored byte", async () => {
    const data = weights(6 * 100);
    const bits = async (scheme: string) => (await quantize({ shape: [6, 100], data }, parseScheme(scheme))).bytes * 8;
    expect(await bits("binary")).toBe(8 * 6 * 13 + 6 * 32); // 100 bits are 13 bytes
    expect(await bits("int4:g32")).toBe(8 * 6 * 50 + 6 * 4 * 32 + 32); // 4 groups a row, one zero point
    expect(await bits("int4:asym")).toBe(8 * 6 * 50 + 6 * 32 + 6 * 32); // a zero point per channel
    expect(await bits("kmeans:16")).toBe(8 * 6 * 50 + 16 * 32);
    expect(await bits("kmeans:5")).toBe(8 * 6 * 38 + 5 * 32); // 300 bits are 38 bytes
    expect(await bits("pq:4x16")).toBe(8 * 6 * 13 + 16 * 4 * 32);
    expect(await bits("float")).toBe(600 * 32);
    expect((await quantize({ shape: [6, 100], data }, binary())).bitsPerWeight).toBeCloseTo(
      (8 * 6 * 13 + 6 * 32) / 600,
      14,
    );
  });
});

describe.each(schemes)("%s", (scheme) => {
  const quantizer = parseScheme(scheme);

  it("packs least significant bit first, rows on bytes, spare bits 0", async () => {
    const data = weights(5 * 36);
    const q = await quantizeAny({ shape: [5, 36], data }, quantizer);
    if (q.decoding.kind === "identity") return expect(q.codes.length).toBe(5 * 36 * 4);
    const perRow = codesPerRow(q.decoding, 36);
    if (perRow === 0) return expect(q.codes.length).toBe(0);
    expect(q.codes.length).toBe(5 * Math.ceil((perRow * q.bits) / 8));
    expect([...q.unpackCodes()]).toEqual(readCodes(q.codes, 5, perRow, q.bits));
    const spare = (8 - ((perRow * q.bits) % 8)) % 8;
    for (let row = 1; row <= 5; row++) expect(q.codes[(row * q.codes.length) / 5 - 1]! >> (8 - spare)).toBe(0);
  });

  it("its constant decodes to what it dequantizes to, by the contract's formula", async () => {
    const data = weights(5 * 36, 2);
    const q = await quantizeAny({ shape: [5, 3, 12], data }, quantizer);
    const values = q.dequantize();
    const constant = q.toConstant();
    if (constant.kind === "plain") return expect(constant.data).toEqual(values);
    expect(await dequantize(constant)).toEqual(values);
    expect(decodeWeights(constant)).toEqual(values);
  });

  it("its figures are those between the tensor and what it dequantizes to", async () => {
    const data = weights(5 * 36, 3);
    const q = await quantizeAny({ shape: [5, 36], data }, quantizer);
    const again = await compareFloats(data, q.dequantize());
    expect(q.error.mse).toBeCloseTo(again.mse, 14);
    expect(q.error.maxAbs).toBe(again.maxAbs);
  });

  it("gives the same bytes twice, and other codes for another seed only where it is seeded", async () => {
    const tensor = { shape: [5, 36], data: weights(5 * 36, 4) };
    const a = await quantizeAny(tensor, quantizer);
    const b = await quantizeAny(tensor, quantizer);
    expect(a.codes).toEqual(b.codes);
    expect(a.toConstant()).toEqual(b.toConstant());
    expect(tensor.data).toEqual(weights(5 * 36, 4));
  });

  // Scales of f16 end earlier.
  const most = Math.fround(/^(q\d|tq)/.test(scheme) ? 1e4 : 1e30);
  it("for any finite weights: finite, and no worse than all zero where the formula fits the scale", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.float({ min: -most, max: most, noNaN: true }),
        fc.integer(),
        async (rows, quads, magnitude, seed) => {
          const columns = 4 * quads;
          const data = weights(rows * columns, seed).map((w) => w * magnitude);
          const q = await quantizeAny({ shape: [rows, columns], data }, quantizer);
          expect(q.dequantize().every(Number.isFinite)).toBe(true);
          expect(q.error.mse).toBeGreaterThanOrEqual(0);
          expect(q.error.cosine).toBeLessThanOrEqual(1);
          if (quantizer.laws.includes("optimalScale")) expect(q.error.relativeMse).toBeLessThanOrEqual(1);
        },
      ),
      { seed: 5, numRuns: 30 },
    );
  });
});

describe("mse ranges and thresholds", () => {
  it.each([
    ["int2", "int2:absmax"],
    ["int3:mse", "int3"],
    ["int4:mse", "int4"],
    ["int4:g32:mse", "int4:g32"],
    ["int3:asym:mse", "int3:asym"],
    ["ternary:mse", "ternary"],
    ["ternary:g32:mse", "ternary:g32"],
  ])("%s never has more error than %s", async (better, plain) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 40, maxLength: 40 }),
        async (list) => {
          const tensor = { shape: [1, 40], data: Float32Array.from(list) };
          const least = (await quantize(tensor, parseScheme(better))).error.mse;
          const { mse } = (await quantize(tensor, parseScheme(plain))).error;
          expect(least).toBeLessThanOrEqual(mse * (1 + 1e-6));
        },
      ),
      { seed: 6, numRuns: 60 },
    );
  });
});

describe("kmeans", () => {
  it("draws its start from the seed", async () => {
    const tensor = { shape: [1, 400], data: weights(400, 7) };
    const books = await Promise.all(
      [0, 1, 2, 0].map(async (seed) =>
        [...(await quantize(tensor, kmeans({ k: 8, restarts: 1 }), { seed })).codebook!].join(),
      ),
    );
    expect(books[0]).toBe(books[3]);
    expect(new Set(books).size).toBeGreaterThan(1);
  });

  it("more restarts never have more error", async () => {
    const tensor = { shape: [1, 300], data: weights(300, 8) };
    const errors = await Promise.all(
      [1, 2, 4, 8].map(async (restarts) => (await quantize(tensor, kmeans({ k: 12, restarts }))).error.mse),
    );
    expect(errors).toEqual(errors.toSorted((a, b) => b - a));
  });

  it("starts with one centroid in each of well separated clusters, whatever the seed", async () => {
    const random = new Random(10);
    const data = Float32Array.from({ length: 600 }, (_, i) => ((i % 6) + 1) * 10 + 0.001 * random.uniform());
    for (let seed = 0; seed < 30; seed++) {
      const { codebook } = await quantize({ shape: [1, 600], data }, kmeans({ k: 6, restarts: 1, iterations: 1 }), {
        seed,
      });
      expect([...codebook!].map(Math.floor)).toEqual([10, 20, 30, 40, 50, 60]);
    }
  });

  it("keeps the exact optimum of well separated clusters", async () => {
    const random = new Random(9);
    const data = Float32Array.from({ length: 600 }, (_, i) => (i % 6) * 10 + random.uniform());
    const { codebook, error } = await quantize({ shape: [1, 600], data }, kmeans({ k: 6 }));
    expect(error.maxAbs).toBeLessThan(1);
    expect([...codebook!].map((c) => Math.floor(c / 10))).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
