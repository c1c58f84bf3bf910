/** Quantizers of activations: formulas by hand, ranges, levels by integration, gradients by differences, and what they refuse. */
import { describe, expect, it } from "vitest";
import { bundledWasm } from "../../src/bundled.ts";
import { InputError, NotFiniteError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { loadKernels } from "../../src/kernels/load.ts";
import { kernelLoops } from "../../src/kernels/quantize.ts";
import {
  type ActivationQuantizer,
  clippedGradients,
  dorefaActivations,
  dynamicActivations,
  hwgq,
  hwgqLevels,
  lsq,
  lsqGradients,
  lsqStep,
  pact,
  pactGradients,
  Random,
  signActivations,
  staticActivations,
  wageActivations,
  wrpnActivations,
} from "../../src/quantize.ts";
import { laplaceQuantile, normalQuantile, quantileGrid } from "./distributions.ts";
import { naiveLoops } from "./naive-loops.ts";

const COUNT = 40_000;
const normal = { shape: [200, 200], data: quantileGrid(normalQuantile, COUNT) };
const rectified = { shape: [200, 200], data: normal.data.map((x) => Math.max(x, 0)) };
const row = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });

describe("static ranges", () => {
  it("minmax: 255 steps over the range with 0, zero point where 0 is", async () => {
    const ready = await staticActivations().calibrate([row(-100, 50), row(155)]);
    expect(ready.quantization).toEqual({ scale: 1, zeroPoint: 100 });
    const q = await ready.quantize(row(-100, 0, 10.4, 155, 900, -900));
    expect([...q.codes]).toEqual([0, 100, 110, 255, 255, 0]);
    expect([...q.dequantize()]).toEqual([-100, 0, 10, 155, 155, -100]);
    expect([...q.zeroPoint]).toEqual([100]);
  });

  it("symmetric: 0 in the middle, the lowest code unused", async () => {
    const ready = await staticActivations({ bits: 4, symmetric: true }).calibrate(row(-7, 3));
    expect(ready.quantization).toEqual({ scale: 1, zeroPoint: 8 });
    expect([...(await ready.quantize(row(-7, -9, 0, 7, 2.5, 3.5))).codes]).toEqual([1, 1, 8, 15, 10, 12]);
  });

  it("one-sided inputs have all codes on their side", async () => {
    const ready = await staticActivations({ bits: 2 }).calibrate(row(0, 3));
    expect(ready.quantization).toEqual({ scale: 1, zeroPoint: 0 });
    const below = await staticActivations({ bits: 2 }).calibrate(row(-3, -1));
    expect(below.quantization).toEqual({ scale: 1, zeroPoint: 3 });
  });

  it("percentile: cuts both ends at the magnitude that so many do not exceed", async () => {
    const data = Float32Array.from({ length: 1000 }, (_, i) => (i + 1) / 1000);
    const ready = await staticActivations({ range: { percentile: 90 } }).calibrate({ shape: [1000], data });
    // 0.9 to a bin of 1 / 1024.
    expect(ready.quantization!.scale * 255).toBeGreaterThanOrEqual(0.9);
    expect(ready.quantization!.scale * 255).toBeLessThan(0.9 + 2 / 1024);
    const all = await staticActivations({ range: { percentile: 100 } }).calibrate({ shape: [1000], data });
    expect(all.quantization!.scale).toBe(Math.fround(1 / 255));
  });

  it("mse: no ratio of the range has less error", async () => {
    for (const bits of [2, 3, 4] as const) {
      const ready = await staticActivations({ bits, range: "mse", symmetric: true }).calibrate(normal);
      const chosen = (await ready.quantize(normal)).error.mse;
      const top = normal.data.at(-1)!;
      for (let percent = 1; percent <= 100; percent++) {
        const end = (top * percent) / 100;
        const other = await staticActivations({ bits, symmetric: true }).calibrate(row(-end, end));
        // The histogram knows values to a bin.
        expect(chosen).toBeLessThanOrEqual((await other.quantize(normal)).error.mse * 1.002);
      }
    }
  });

  it("mse: on N(0,1) the best uniform grids of 7 and 15 levels", async () => {
    for (const [bits, expected] of [
      [3, 0.04686],
      [4, 0.01289],
    ] as const) {
      const ready = await staticActivations({ bits, range: "mse", symmetric: true }).calibrate(normal);
      expect((await ready.quantize(normal)).error.relativeMse / expected).toBeCloseTo(1, 1.5);
    }
  });

  it("mse: 16 levels with 0 among them, by integration 0.01186 on N(0,1)", async () => {
    const ready = await staticActivations({ bits: 4, range: "mse" }).calibrate(normal);
    expect((await ready.quantize(normal)).error.relativeMse / 0.01186).toBeCloseTo(1, 1.5);
  });

  it("kl: cuts off a long tail, keeps what is spread evenly", async () => {
    const tail = { shape: [COUNT], data: quantileGrid(laplaceQuantile, COUNT) };
    const cut = await staticActivations({ range: "kl", symmetric: true }).calibrate(tail);
    expect(cut.quantization!.scale * 127).toBeLessThan(0.95 * tail.data.at(-1)!);
    const even = Float32Array.from({ length: COUNT }, (_, i) => i / COUNT);
    const kept = await staticActivations({ range: "kl" }).calibrate({ shape: [COUNT], data: even });
    expect(kept.quantization!.scale * 255).toBeGreaterThan(0.9);
  });

  it("kl: zeros that a ReLU left do not pull the range together", async () => {
    const rectified = normal.data.map((x) => Math.max(x, 0) + (x > -0.5 && x < 0 ? 0.5 : 0));
    const { scale } = (await staticActivations({ range: "kl" }).calibrate({ shape: [COUNT], data: rectified }))
      .quantization!;
    expect(scale * 255).toBeGreaterThan(2.5);
  });

  it("kl: cuts a lone far outlier off, in batches of any order", async () => {
    for (const far of [50, 500]) {
      const watched = staticActivations({ range: "kl" }).watch();
      await watched.observe({ shape: [1], data: Float32Array.of(far) });
      await watched.observe(normal);
      const { scale, zeroPoint } = watched.freeze().quantization!;
      expect(scale * (255 - zeroPoint), `outlier at ${far}`).toBeLessThan(far / 64 + 4);
      expect(scale * (255 - zeroPoint), `outlier at ${far}`).toBeGreaterThan(2.5);
    }
  });

  it("what it keeps of the batches does not depend on their order or size", async () => {
    const parts = [normal.data.slice(0, 10), normal.data.slice(10, 20_000), normal.data.slice(20_000)];
    const batches = parts.map((data) => ({ shape: [data.length], data }));
    for (const range of ["minmax", "kl", "mse", { percentile: 99 }] as const) {
      const one = await staticActivations({ bits: 4, range }).calibrate(normal);
      for (const order of [
        [0, 1, 2],
        [2, 1, 0],
        [1, 0, 2],
      ]) {
        const several = await staticActivations({ bits: 4, range }).calibrate(order.map((i) => batches[i]!));
        expect(several.quantization).toEqual(one.quantization);
      }
    }
  });

  it("widens its histogram over the whole range of f32", async () => {
    const data = [2 ** -149, 2 ** -140, 2 ** -20, 1, 2 ** 40, 2 ** 127].map((x) => row(x));
    const watched = staticActivations({ range: { percentile: 60 } }).watch();
    for (const batch of data) await watched.observe(batch);
    // 5 of 6 lie in the first bin of 2^128 / 2048.
    expect(watched.freeze().quantization!.scale).toBe(Math.fround(2 ** 117 / 255));
  });

  it("zeros have a step of 1, denormals the least float's", async () => {
    for (const range of ["minmax", "kl", "mse", { percentile: 99 }] as const) {
      const zeros = await staticActivations({ range }).calibrate(row(0, 0));
      expect(zeros.quantization).toEqual({ scale: 1, zeroPoint: 0 });
      expect([...(await zeros.quantize(row(0, -0))).dequantize()]).toEqual([0, 0]);
      const least = await staticActivations({ range }).calibrate(row(2 ** -149));
      expect(least.quantization!.scale).toBe(2 ** -149);
    }
  });
});

describe("dynamic ranges", () => {
  it("per token: max |x| / 127 of each row", async () => {
    const x = { shape: [2, 3], data: Float32Array.of(127, -64, 0.4, 0, 0, 0) };
    const q = await dynamicActivations().quantize(x);
    expect([...q.scale]).toEqual([1, 1]);
    expect([...q.codes]).toEqual([255, 64, 128, 128, 128, 128]);
    expect([...q.dequantize()]).toEqual([127, -64, 0, 0, 0, 0]);
  });

  it("per tensor and asymmetric: zero points of their own", async () => {
    const x = { shape: [2, 2], data: Float32Array.of(-1, 2, 0, 3) };
    const whole = await dynamicActivations({ bits: 2, per: "tensor", symmetric: false }).quantize(x);
    expect({ scale: [...whole.scale], zero: [...whole.zeroPoint] }).toEqual({ scale: [Math.fround(4 / 3)], zero: [1] });
    const rows = await dynamicActivations({ bits: 2, symmetric: false }).quantize(x);
    expect({ scale: [...rows.scale], zero: [...rows.zeroPoint] }).toEqual({ scale: [1, 1], zero: [1, 0] });
    expect([...rows.dequantize()]).toEqual([-1, 2, 0, 3]);
  });

  it("an outlier costs its own token only", async () => {
    const data = Float32Array.from(normal.data.slice(0, 4000));
    data[5] = 1000;
    const x = { shape: [40, 100], data };
    const token = (await dynamicActivations().quantize(x)).dequantize();
    const clean = (await dynamicActivations().quantize({ shape: [39, 100], data: data.slice(100) })).dequantize();
    expect(token.slice(100)).toEqual(clean);
    const tensor = await dynamicActivations({ per: "tensor" }).quantize(x);
    expect(tensor.error.mse).toBeGreaterThan(10 * (await dynamicActivations().quantize(x)).error.mse);
  });
});

describe("formulas with a fixed grid, by hand", () => {
  const values = async (quantizer: ActivationQuantizer, ...x: number[]) => [
    ...(await quantizer.quantize(row(...x))).dequantize(),
  ];

  it("PACT: round(clip(x, 0, α) (2^k - 1) / α) α / (2^k - 1)", async () => {
    expect(await values(pact({ bits: 2, alpha: 6 }), -1, 0, 0.9, 1.1, 2.9, 5.1, 6, 60)).toEqual([
      0, 0, 0, 2, 2, 6, 6, 6,
    ]);
    expect(pact({ bits: 2, alpha: 6 }).quantization).toEqual({ scale: 2, zeroPoint: 0 });
  });

  it("DoReFa and WRPN: round((2^k - 1) clip(x, 0, 1)) / (2^k - 1)", async () => {
    for (const quantizer of [dorefaActivations({ bits: 2 }), wrpnActivations({ bits: 2 })]) {
      const third = Math.fround(1 / 3);
      expect(await values(quantizer, -1, 0.16, 0.17, 0.6, 0.9, 5)).toEqual([0, 0, third, Math.fround(2 * third), 1, 1]);
    }
  });

  it("WAGE: clip(σ round(x / σ), -1 + σ, 1 - σ), of x / α", async () => {
    expect(await values(wageActivations({ bits: 3 }), -9, -0.75, -0.1, 0.13, 0.6, 1)).toEqual([
      -0.75, -0.75, 0, 0.25, 0.5, 0.75,
    ]);
    expect(await values(wageActivations({ bits: 3, shift: 2 }), 1, 2.4, 9)).toEqual([1, 2, 3]);
  });

  it("sign: +1 from 0 on; drawn, +1 with probability (x + 1) / 2", async () => {
    expect(await values(signActivations(), -2, -0.1, 0, 3)).toEqual([-1, -1, 1, 1]);
    const x = Float32Array.of(-2, -0.5, 0, 0.5, 2);
    const sums = new Float64Array(5);
    for (let seed = 0; seed < 2000; seed++) {
      const q = await signActivations({ stochastic: true }).quantize({ shape: [5], data: x }, { seed });
      q.dequantize().forEach((value, i) => {
        sums[i]! += value / 2000;
      });
    }
    [-1, -0.5, 0, 0.5, 1].forEach((mean, i) => {
      expect(Math.abs(sums[i]! - mean)).toBeLessThan(0.1);
    });
    expect([sums[0], sums[4]]).toEqual([-1, 1].map((end) => expect.closeTo(end, 10)));
  });

  it("LSQ: starts from 2 E|v| / √Q_P, saturates at both ends", async () => {
    const ready = await lsq({ bits: 2 }).calibrate([row(0, 1, 2), row(3, 4)]);
    expect(ready.quantization!.scale).toBe(Math.fround(4 / Math.sqrt(3)));
    expect(await values(lsqStep({ bits: 2, step: 1 }), -1, 0.4, 1.6, 9)).toEqual([0, 0, 2, 3]);
    expect(await values(lsqStep({ bits: 2, signed: true, step: 1 }), -9, -1.2, 0.4, 9)).toEqual([-2, -1, 0, 1]);
    const signed = await lsq({ bits: 3, signed: true }).calibrate(row(-1, 1));
    expect(signed.quantization).toEqual({ scale: Math.fround(2 / Math.sqrt(3)), zeroPoint: 4 });
  });
});

describe("HWGQ", () => {
  const phi = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  /** ∫ f φ over [a, b] by Simpson's rule. */
  const integral = (f: (x: number) => number, a: number, b: number): number => {
    const steps = 2000;
    const h = (b - a) / steps;
    let sum = 0;
    for (let i = 0; i <= steps; i++)
      sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * f(a + i * h) * phi(a + i * h);
    return (sum * h) / 3;
  };
  const END = 9;
  const bounds = (levels: readonly number[]): number[] => [
    0,
    ...levels.slice(1).map((q, i) => (q + levels[i]!) / 2),
    END,
  ];
  /** E(Q - x)² over x > 0, relative to E x² there, 1/2. */
  const error = (levels: readonly number[]): number => {
    const t = bounds(levels);
    return 2 * levels.reduce((sum, q, i) => sum + integral((x) => (x - q) * (x - q), t[i]!, t[i + 1]!), 0);
  };

  it.each([1, 2, 3, 4] as const)("%d bits: every level is the mean of its interval", (bits) => {
    const levels = hwgqLevels(bits);
    expect(levels.length).toBe(2 ** bits - 1);
    const t = bounds(levels);
    levels.forEach((q, i) => {
      const mean = integral((x) => x, t[i]!, t[i + 1]!) / integral(() => 1, t[i]!, t[i + 1]!);
      expect(Math.abs(q - mean)).toBeLessThan(2e-6);
    });
  });

  it.each([1, 2, 3, 4] as const)("%d bits: no other step has less error", (bits) => {
    const levels = hwgqLevels(bits, true);
    const least = error(levels);
    for (const factor of [0.98, 0.995, 1.005, 1.02])
      expect(error(levels.map((q) => q * factor))).toBeGreaterThan(least);
  });

  it("has the levels of its authors' networks: 0.538, 1.076, 1.614 and, of Lloyd-Max's, half", () => {
    hwgqLevels(2, true).forEach((q, i) => {
      expect(q).toBeCloseTo([0.538, 1.076, 1.614][i]!, 2);
    });
    expect(hwgqLevels(1)[0]).toBeCloseTo(Math.sqrt(2 / Math.PI), 6);
  });

  it.each([
    [1, false, 0.3634],
    [2, false, 0.058],
    [3, false, 0.01223],
    [4, false, 0.00284],
    [2, true, 0.0864],
    [3, true, 0.0204],
    [4, true, 0.00502],
  ] as const)("%d bits, uniform %s, on max(N(0,1), 0): %f", async (bits, uniform, expected) => {
    const q = await hwgq({ bits, uniform }).quantize(rectified);
    expect(q.error.relativeMse / expected).toBeGreaterThan(0.99);
    expect(q.error.relativeMse / expected).toBeLessThan(1.01);
    expect(error(hwgqLevels(bits, uniform)) / expected).toBeCloseTo(1, 2);
  });

  it("gives every positive activation a positive level, whatever the deviation", async () => {
    for (const uniform of [false, true]) {
      const q = await hwgq({ bits: 2, uniform, deviation: 2 }).quantize(row(-3, 0, 1e-6, 100));
      const values = q.dequantize();
      const levels = hwgqLevels(2, uniform);
      expect([...q.codes]).toEqual([0, 0, 1, 3]);
      expect(values[2]).toBeCloseTo(2 * levels[0]!, 6);
      expect(values[3]).toBeCloseTo(2 * levels[2]!, 6);
    }
  });
});

describe("gradients", () => {
  const x = Float32Array.of(-3, -0.4, 0, 0.3, 1.1, 2.6, 7);
  const g = Float32Array.of(1, 2, 3, 4, 5, 6, 7);

  it("straight through inside", async () => {
    expect([...(await clippedGradients(x, g, 0, 2.6))]).toEqual([0, 0, 0, 4, 5, 0, 0]);
  });

  it("PACT: x inside, α for what is at or above it; that of α is the difference of the clipped function", async () => {
    const got = await pactGradients(x, g, 2);
    expect([...got.x]).toEqual([0, 0, 0, 4, 5, 0, 0]);
    expect(got.alpha).toBe(13);
    const loss = (alpha: number): number =>
      x.reduce((sum, v, i) => sum + g[i]! * 0.5 * (Math.abs(v) - Math.abs(v - alpha) + alpha), 0);
    expect((loss(2.001) - loss(1.999)) / 0.002).toBeCloseTo(13, 6);
  });

  it("LSQ: the formula, element by element", async () => {
    for (const signed of [false, true]) {
      const [below, above] = signed ? [4, 3] : [0, 7];
      const step = 0.5;
      const got = await lsqGradients(x, g, { bits: 3, signed, step });
      let total = 0;
      const inside = [...x].map((v, i) => {
        const u = v / step;
        const isInside = u > -below && u < above;
        const rounded = Math.abs(u % 1) === 0.5 ? 2 * Math.round(u / 2) : Math.round(u);
        total += g[i]! * (isInside ? rounded - u : u <= -below ? -below : above);
        return isInside ? g[i]! : 0;
      });
      expect([...got.v]).toEqual(inside);
      expect(got.step).toBeCloseTo(total / Math.sqrt(7 * above), 5);
    }
  });

  it("refuse gradients of another length", async () => {
    await expect(clippedGradients(x, g.slice(1), 0, 1)).rejects.toThrow(ShapeError);
    await expect(pactGradients(x, g.slice(1), 1)).rejects.toThrow(ShapeError);
    await expect(lsqGradients(x, g.slice(1), { bits: 2, step: 1 })).rejects.toThrow(ShapeError);
  });
});

describe("bad input", () => {
  const all: ActivationQuantizer[] = [
    dynamicActivations(),
    dynamicActivations({ per: "tensor", symmetric: false }),
    pact({ bits: 4, alpha: 1 }),
    hwgq({ bits: 2 }),
    dorefaActivations({ bits: 4 }),
    signActivations(),
    signActivations({ stochastic: true }),
  ];

  it.each(all.map((quantizer) => [quantizer.scheme, quantizer] as const))(
    "%s refuses it by name",
    async (scheme, q) => {
      await expect(q.quantize(row(1, Number.NaN), { name: "relu1" })).rejects.toThrow(
        `quantize ${scheme} of relu1: activations, expected finite numbers, got a NaN or an infinity at element 1`,
      );
      await expect(q.quantize({ shape: [3], data: new Float32Array(2) })).rejects.toThrow(ShapeError);
      await expect(q.quantize({ shape: [], data: new Float32Array(1) })).rejects.toThrow(ShapeError);
      await expect(q.quantize({ shape: [0, 3], data: new Float32Array() })).rejects.toThrow(ShapeError);
      const tiny = await q.quantize(row(2 ** -149, -(2 ** -149), 0));
      expect(tiny.dequantize().every(Number.isFinite)).toBe(true);
      const huge = await q.quantize(row(3e38, -1, 0));
      expect(huge.dequantize().every(Number.isFinite)).toBe(true);
    },
  );

  it("levels beyond f32 are refused", async () => {
    const ends = row(3e38, -3e38);
    await expect(dynamicActivations({ bits: 2, symmetric: false }).quantize(ends)).rejects.toThrow(OutOfRangeError);
  });

  it("calibration needs batches, all finite", async () => {
    await expect(staticActivations().calibrate([])).rejects.toThrow(InputError);
    expect(() => lsq({ bits: 4 }).watch().freeze()).toThrow("calibrate lsq4: batches, expected 1 or more, got 0");
    await expect(staticActivations().calibrate(row(1, Number.POSITIVE_INFINITY))).rejects.toThrow(NotFiniteError);
    await expect(staticActivations().calibrate({ shape: [2], data: new Float32Array(3) })).rejects.toThrow(ShapeError);
  });

  it("parameters are checked", () => {
    expect(() => pact({ bits: 4, alpha: 0 })).toThrow(OutOfRangeError);
    expect(() => pact({ bits: 4, alpha: Number.NaN })).toThrow(OutOfRangeError);
    // @ts-expect-error nine bits do not fit a code
    expect(() => pact({ bits: 9, alpha: 1 })).toThrow(OutOfRangeError);
    // @ts-expect-error levels are known for up to four bits
    expect(() => hwgq({ bits: 5 })).toThrow(OutOfRangeError);
    expect(() => hwgq({ bits: 2, deviation: -1 })).toThrow(OutOfRangeError);
    expect(() => wageActivations({ bits: 1 })).toThrow(OutOfRangeError);
    expect(() => wageActivations({ bits: 8, shift: 0.5 })).toThrow(OutOfRangeError);
    expect(() => lsqStep({ bits: 4, step: 0 })).toThrow(OutOfRangeError);
    expect(() => staticActivations({ range: { percentile: 50 } })).toThrow(OutOfRangeError);
    expect(() => staticActivations({ bits: 1, symmetric: true })).toThrow(OutOfRangeError);
    expect(() => dynamicActivations({ bits: 1 })).toThrow(OutOfRangeError);
  });
});

describe("the kernels behind them equal plain TypeScript", () => {
  it("tally and clipped gradients", async () => {
    using kernels = await loadKernels({ part: "quantize", wasm: bundledWasm });
    const loops = kernelLoops(kernels);
    const random = new Random(6);
    const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => 8 * random.uniform() - 4);
    for (const count of [1, 7, 300]) {
      const [x, g] = [draw(count), draw(count)];
      const counts = [loops, naiveLoops].map((of) => {
        const bins = new Uint32Array(64);
        of.tally(x, 16, bins);
        of.tally(g, 16, bins);
        return bins;
      });
      expect(counts[0]).toEqual(counts[1]);
      const clip = { low: -1, high: 2, step: Math.fround(0.3) };
      expect(loops.clipGradients(x, g, clip)).toEqual(naiveLoops.clipGradients(x, g, clip));
    }
  });
});
