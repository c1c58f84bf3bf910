/** The rounding quantizers by hand: formulas on a few weights, the functions beside them, and what they refuse. */
import { describe, expect, it } from "vitest";
import { LowbitError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { leastDivergence } from "../../src/quantize/rounding/ranges.ts";
import {
  absmean,
  allocateBits,
  bucket,
  fixed,
  parseScheme,
  quantize,
  SchemeError,
  sqnr,
  uniform,
  wage,
  wrpn,
} from "../../src/quantize.ts";
import { normalQuantile, quantileGrid } from "./distributions.ts";

const row = (...weights: number[]) => ({ shape: [1, weights.length], data: Float32Array.from(weights) });
const gauss = { shape: [1, 40_000], data: quantileGrid(normalQuantile, 40_000) };

describe("formulas, by hand", () => {
  it("fixed:2.2: multiples of 1/4 from -2 to 1.75, ties to even, saturating", async () => {
    const q = await quantize(
      row(0.13, 0.125, 0.375, -0.3, 5, 1.8, -7, -1.9, 0),
      fixed({ integerBits: 2, fractionBits: 2 }),
    );
    expect([...q.dequantize()]).toEqual([0.25, 0, 0.5, -0.25, 1.75, 1.75, -2, -2, 0]);
    expect({ bits: q.bits, scales: [...q.scales!], decoding: q.decoding }).toEqual({
      bits: 4,
      scales: [0.25],
      decoding: { kind: "affine", zeroPoint: 8 },
    });
  });

  it("wage:3: multiples of 1/4 within ±3/4, times the power of two nearest max |w| by logarithm", async () => {
    // 1.42 > √2, so the shift is 2; 1.41 < √2, so it is 1.
    expect([...(await quantize(row(1.42, 0.8, -0.7), wage({ bits: 3 }))).dequantize()]).toEqual([1.5, 1, -0.5]);
    expect([...(await quantize(row(1.41, 0.8, -0.7), wage({ bits: 3 }))).dequantize()]).toEqual([0.75, 0.75, -0.75]);
    expect([...(await quantize(row(0.4, -0.06, 0.09), wage({ bits: 3 }))).scales!]).toEqual([0.125]);
  });

  it("wrpn:3: thirds of 1, clipped to ±1, whatever the weights", async () => {
    const { dequantize, scales } = await quantize(row(0.2, 0.16, -0.5, 0.9, -4), wrpn({ bits: 3 }));
    const third = Math.fround(1 / 3);
    expect([...scales!]).toEqual([third]);
    expect([...dequantize()].map((w) => Math.round(w * 3))).toEqual([1, 0, -2, 3, -3]);
  });

  it("sqnr:2: ±Δ/2 and ±3Δ/2 with Δ = 0.9957 root mean square", async () => {
    const { scales, codebook, unpackCodes } = await quantize(row(1, -1, 0.9, -0.9, 5, -5), sqnr({ bits: 2 }));
    const rms = Math.sqrt((2 * (1 + 0.81 + 25)) / 6);
    expect(scales![0]! / rms).toBeCloseTo(0.9956866859, 6);
    expect([...codebook!]).toEqual([1.5, 0.5, -0.5, -1.5]);
    expect([...unpackCodes()]).toEqual([1, 2, 1, 2, 0, 3]);
  });

  it("bucket:2: four levels from min to max of each bucket, which need not hold 0", async () => {
    const q = await quantize(row(1, 2, 3, 4, -5, -5, -6.4, -8, 0.7), bucket({ bits: 2, per: { group: 4 } }));
    expect([...q.scales!]).toEqual([1, 1, 0]);
    expect(q.decoding).toEqual({ kind: "offset", offset: Float32Array.of(1, -8, 0.7) });
    expect([...q.dequantize()]).toEqual([1, 2, 3, 4, -5, -5, -6, -8, Math.fround(0.7)]);
  });

  it("bucket: 256 weights of a row share a step by default", async () => {
    const { scaleShape, groupSize } = await quantize(
      { shape: [2, 300], data: new Float32Array(600) },
      bucket({ bits: 4 }),
    );
    expect({ scaleShape, groupSize }).toEqual({ scaleShape: [2, 2], groupSize: 256 });
    expect(bucket({ bits: 4, per: { group: 256 } }).scheme).toBe("bucket:4");
    expect(parseScheme("bucket:4:g256").scheme).toBe("bucket:4");
  });

  it("absmean: γ = mean |w|, at most γ/2 becomes 0", async () => {
    const { scales, dequantize } = await quantize(row(2, -1, 0.5, -0.5, 0.51, 1.49), absmean());
    expect([...scales!]).toEqual([1]);
    expect([...dequantize()]).toEqual([1, -1, 0, -0, 1, 1].map((w) => w + 0));
  });
});

describe("ranges of a uniform grid", () => {
  it("a percentile is the largest magnitude that is not beyond it", async () => {
    // 10 weights, 80 %: the two largest are beyond.
    const tensor = row(1, -2, 3, -4, 5, -6, 7, -8, 9, -10);
    const q = await quantize(tensor, uniform({ bits: 4, range: { percentile: 80 } }));
    expect([...q.scales!]).toEqual([Math.fround(8 / 7)]);
    // 81 % of 10 leaves out one.
    expect([...(await quantize(tensor, uniform({ bits: 4, range: { percentile: 81 } }))).scales!]).toEqual([
      Math.fround(9 / 7),
    ]);
    // 99.99 % of 10 leaves out none.
    expect((await quantize(tensor, parseScheme("int4:p99.99"))).scales).toEqual(
      (await quantize(tensor, parseScheme("int4"))).scales,
    );
    // Asymmetric: one beyond each end.
    const asymmetric = await quantize(tensor, parseScheme("int4:asym:p80"));
    expect([...asymmetric.scales!]).toEqual([Math.fround(15 / 15)]);
    expect(asymmetric.decoding).toEqual({ kind: "affine", zeroPoint: Int32Array.of(8) });
  });

  it("where a percentile leaves nothing but 0 the range is the widest", async () => {
    for (const scheme of ["int4:p60", "int4:asym:p60"]) {
      const { error } = await quantize(row(0, 0, 0, 0, 7), parseScheme(scheme));
      expect(error.maxAbs, scheme).toBe(0);
    }
  });

  it("spells a percentile in one way and refuses others", () => {
    expect(parseScheme("int8:p99.90:asym").scheme).toBe("int8:asym:p99.9");
    expect(parseScheme("int2:p75").scheme).toBe("int2:p75");
    for (const scheme of [
      "int8:p100",
      "int8:p49",
      "int8:p",
      "int8:p99.99999",
      "int8:p99:p98",
      "int8:p99:mse",
      "int8:kl:mse",
    ])
      expect(() => parseScheme(scheme), scheme).toThrow(SchemeError);
    for (const percentile of [100, 49.9, Number.NaN, 99.99999])
      expect(() => uniform({ bits: 8, range: { percentile } })).toThrow(OutOfRangeError);
  });

  /** KL(P ‖ Q) as TensorRT's slides define it, bin by bin; 1e-4 where P alone has something. */
  function divergence(counts: number[], end: number, levels: number): number {
    const p = counts.slice(0, end);
    p[end - 1]! += counts.slice(end).reduce((a, b) => a + b, 0);
    const q = new Array<number>(end).fill(0);
    for (let level = 0; level < levels; level++) {
      const [from, to] = [Math.floor((level * end) / levels), Math.floor(((level + 1) * end) / levels)];
      const filled = p.slice(from, to).filter((x) => x > 0).length;
      const mass = counts.slice(from, to).reduce((a, b) => a + b, 0);
      for (let bin = from; bin < to; bin++) if (p[bin]! > 0) q[bin] = Math.max(mass / filled, 1e-4);
    }
    const [sumP, sumQ] = [p, q].map((list) => list.reduce((a, b) => a + b, 0));
    return p.reduce((sum, x, i) => (x === 0 ? sum : sum + (x / sumP!) * Math.log(x / sumP! / (q[i]! / sumQ!))), 0);
  }

  it("kl: the end of least divergence, by the definition", () => {
    let state = 1;
    const next = () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    };
    for (const [levels, bell] of [
      [2, 60],
      [8, 8],
      [128, 1],
    ] as const) {
      // The decay of a bell, and lone counts far out.
      const counts = Uint32Array.from(
        { length: 2048 },
        (_, i) => Math.floor(2000 * Math.exp(-((i / (1024 / bell)) ** 2)) * (0.5 + next())) + (next() < 0.01 ? 1 : 0),
      );
      counts[2047] = 1;
      const ends = Array.from({ length: 128 }, (_, i) => 16 * (i + 1)).filter((end) => end >= levels);
      const list = [...counts];
      const by = new Map(ends.map((end) => [end, divergence(list, end, levels)]));
      const least = Math.min(...[...by.values()].filter((d) => !Number.isNaN(d)));
      const chosen = leastDivergence(counts, levels);
      expect(by.get(chosen)! - least, `${levels} levels, bell of ${bell}`).toBeLessThan(1e-12);
    }
  });

  it("kl: keeps all of weights that fill their range evenly, and cuts a lone outlier off", async () => {
    const even = { shape: [1, 40_000], data: quantileGrid((p) => 2 * p - 1, 40_000) };
    expect((await quantize(even, parseScheme("int8:kl"))).scales![0]).toBeCloseTo(1 / 127, 4);
    for (const far of [40, 100, 400]) {
      const outlier = { shape: [1, 40_000], data: gauss.data.slice() };
      outlier.data[0] = far;
      const cut = (await quantize(outlier, parseScheme("int8:kl"))).scales![0]! * 127;
      expect(cut, `outlier at ${far}`).toBeGreaterThan(2);
      expect(cut, `outlier at ${far}`).toBeLessThan(8);
    }
    // One in forty that lie together are no outliers.
    const cluster = { shape: [1, 40_000], data: gauss.data.map((x, i) => (i % 40 === 0 ? 100 : x)) };
    expect((await quantize(cluster, parseScheme("int8:kl"))).scales![0]! * 127).toBeCloseTo(100, 3);
  });
});

describe("allocateBits", () => {
  it("gives the law's differences and spends the budget", () => {
    const weights = [1000, 10_000, 100_000];
    const { real } = allocateBits(weights, 5 * 111_000, { dbPerBit: 5 });
    // 10 log10(10) / 5 = 2 bits for every factor of ten.
    expect(real[0]! - real[1]!).toBeCloseTo(2, 12);
    expect(real[1]! - real[2]!).toBeCloseTo(2, 12);
    expect(weights.reduce((sum, w, i) => sum + w * real[i]!, 0)).toBeCloseTo(555_000, 6);
  });

  it("whole bits stay within the budget, larger layers have no more of them, and no choice is better by 1 dB", () => {
    for (const [weights, perWeight] of [
      [[300, 1000, 4000], 5],
      [[100, 200, 400], 3.5],
      [[64, 9000, 9000], 4.1],
    ] as const) {
      const spent = (choice: readonly number[]): number => weights.reduce((sum, w, i) => sum + w * choice[i]!, 0);
      const budget = perWeight * spent([1, 1, 1]);
      const { bits, sqnr: reached } = allocateBits(weights, budget);
      expect(spent(bits)).toBeLessThanOrEqual(budget);
      expect(bits).toEqual(bits.toSorted((a, b) => b - a));
      let best = 0;
      for (let code = 0; code < 512; code++) {
        const choice = [(code >> 6) + 1, ((code >> 3) & 7) + 1, (code & 7) + 1];
        if (spent(choice) > budget) continue;
        best = Math.max(best, -10 * Math.log10(choice.reduce((sum, b) => sum + 10 ** (-0.5 * b), 0)));
      }
      expect(reached).toBeLessThanOrEqual(best + 1e-9);
      expect(reached).toBeGreaterThan(best - 1);
    }
  });

  it("equal layers get equal bits, and a budget of less than a bit is refused", () => {
    expect(allocateBits([50, 50], 600).bits).toEqual([6, 6]);
    expect(allocateBits([50, 50], 1e9).bits).toEqual([8, 8]);
    expect(() => allocateBits([50, 50], 99)).toThrow(
      "allocateBits: budget, expected at least 1 bits of 100 weights, got 99",
    );
    expect(() => allocateBits([], 99)).toThrow(ShapeError);
    expect(() => allocateBits([0], 99)).toThrow(OutOfRangeError);
    expect(() => allocateBits([5], Number.NaN)).toThrow(OutOfRangeError);
    expect(() => allocateBits([5], 50, { dbPerBit: 0 })).toThrow(OutOfRangeError);
  });
});

describe("steps", () => {
  it("no other step has less error on N(0,1) than sqnr's", async () => {
    for (const bits of [2, 4] as const) {
      const { error, scales, codebook } = await quantize(gauss, sqnr({ bits }));
      for (const factor of [0.98, 1.02]) {
        const step = scales![0]! * factor;
        let noise = 0;
        for (const w of gauss.data) {
          const nearest = codebook!.reduce((a, b) => (Math.abs(w - b * step) < Math.abs(w - a * step) ? b : a));
          noise += (w - nearest * step) ** 2;
        }
        expect(noise / gauss.data.length).toBeGreaterThan(error.mse);
      }
    }
  });
});

describe("refuses", () => {
  it.each([
    "fixed",
    "fixed:1",
    "fixed:1.0",
    "fixed:0.4",
    "fixed:5.4",
    "fixed:2.2.2",
    "fixed:2.2:tensor",
    "wage:1",
    "wage:9",
    "wrpn:1",
    "wrpn:4:channel",
    "sqnr:0",
    "sqnr:9",
    "bucket:0",
    "bucket:4:mse",
    "absmean:mse",
  ])("%s", (scheme) => {
    expect(() => parseScheme(scheme)).toThrow(SchemeError);
  });

  it("bits out of range, by name", () => {
    expect(() => fixed({ integerBits: 5, fractionBits: 5 })).toThrow("IL + FL, expected an integer 2..8, got 10");
    expect(() => fixed({ integerBits: 0, fractionBits: 5 })).toThrow(LowbitError);
    expect(() => wage({ bits: 1 as 2 })).toThrow(OutOfRangeError);
    expect(() => wrpn({ bits: 9 as 8 })).toThrow(OutOfRangeError);
    expect(() => sqnr({ bits: 0 as 1 })).toThrow(OutOfRangeError);
    expect(() => bucket({ bits: 9 as 8 })).toThrow(OutOfRangeError);
    expect(() => bucket({ bits: 4, per: { group: 0 } })).toThrow(OutOfRangeError);
  });
});
