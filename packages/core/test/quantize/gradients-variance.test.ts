/** Gradient quantizers on many draws: variance bounds, error feedback, double sampling. */
import { describe, expect, it } from "vitest";
import { NotFiniteError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { dynamicTreeLevels } from "../../src/quantize/gradients/dynamic-tree.ts";
import {
  dequantize,
  dorefaGradient,
  doubleSampledGradient,
  doubleSampling,
  dynamicTree,
  efSignSgd,
  type GradientQuantizer,
  gradientCodec,
  oneBitSgd,
  qsgd,
  stromThreshold,
  ternGrad,
} from "../../src/quantize.ts";
import { bell, squares, sum } from "./gradient-cases.ts";

describe("variance", () => {
  const vector = bell(200, 16);
  /** E‖Q(v) - v‖² over many draws. */
  async function variance(quantizer: GradientQuantizer, draws = 3000): Promise<number> {
    const codec = await gradientCodec(quantizer, { seed: 17 });
    let total = 0;
    for (let draw = 0; draw < draws; draw++)
      total += sum(codec.decode(codec.encode(vector)), (v, i) => (v - vector[i]!) ** 2);
    return total / draws;
  }

  it.each([1, 2, 8, 14, 100])(
    "QSGD with s = %d: at most min(n/s², √n/s) ‖v‖², and what places between levels give",
    async (levels) => {
      const n = vector.length;
      const measured = await variance(qsgd({ levels }));
      expect(measured).toBeLessThanOrEqual(Math.min(n / levels ** 2, Math.sqrt(n) / levels) * squares(vector) * 1.01);
      const norm = Math.sqrt(squares(vector));
      const exact = sum(vector, (v) => {
        const place = (Math.abs(v) / norm) * levels;
        const p = place - Math.floor(place);
        return (norm / levels) ** 2 * p * (1 - p);
      });
      expect(measured / exact).toBeGreaterThan(0.97);
      expect(measured / exact).toBeLessThan(1.03);
    },
  );

  it("QSGD in buckets: the bound with n of a bucket", async () => {
    const measured = await variance(qsgd({ levels: 4, bucket: 25 }));
    expect(measured).toBeLessThanOrEqual(Math.min(25 / 16, 5 / 4) * squares(vector));
  });

  it("TernGrad: max|g| ‖g‖₁ - ‖g‖²", async () => {
    const most = vector.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
    const exact = most * sum(vector, Math.abs) - squares(vector);
    expect((await variance(ternGrad())) / exact).toBeCloseTo(1, 1.5);
  });

  it("DoReFa: places between levels, at most step²/4 a number", async () => {
    const step = (2 * vector.reduce((max, g) => Math.max(max, Math.abs(g)), 0)) / 15;
    const exact = sum(vector, (g) => {
      const place = g / step + 7.5;
      const p = place - Math.floor(place);
      return step * step * p * (1 - p);
    });
    const measured = await variance(dorefaGradient({ bits: 4 }));
    expect(measured / exact).toBeCloseTo(1, 1.5);
    expect(measured).toBeLessThanOrEqual((vector.length * step * step) / 4);
  });

  it("signs with their mean: 1 - ‖p‖₁² / (n ‖p‖²) of the power; on a bell 1 - 2/π; so do 1-bit means", async () => {
    const many = bell(40_000, 18);
    for (const quantizer of [efSignSgd(), oneBitSgd()]) {
      const codec = await gradientCodec(quantizer);
      const decoded = codec.decode(codec.encode(many));
      const error = sum(decoded, (v, i) => (v - many[i]!) ** 2) / squares(many);
      const closed = 1 - sum(many, Math.abs) ** 2 / (many.length * squares(many));
      expect(error).toBeCloseTo(closed, 3);
      expect(error).toBeCloseTo(1 - 2 / Math.PI, 1.8);
    }
  });

  it("dynamic tree: the nearest level of every number", async () => {
    const codec = await gradientCodec(dynamicTree());
    const most = vector.reduce((max, g) => Math.max(max, Math.abs(g)), 0);
    const levels = [...dynamicTreeLevels()];
    codec.decode(codec.encode(vector)).forEach((v, i) => {
      const least = Math.min(...levels.map((l) => Math.abs(l * most - vector[i]!)));
      expect(Math.abs(v - vector[i]!)).toBeLessThanOrEqual(least + 1e-6 * most);
    });
  });

  it("TernGrad's clipping: s is c σ, numbers beyond become ±s", async () => {
    const wide = bell(5000, 19);
    wide[0] = 100;
    const codec = await gradientCodec(ternGrad({ clip: 2.5 }));
    const decoded = codec.decode(codec.encode(wide));
    const mean = sum(wide, (g) => g) / 5000;
    const sigma = Math.sqrt(squares(wide) / 5000 - mean * mean);
    expect(decoded[0]).toBeCloseTo(2.5 * sigma, 4);
  });
});

describe("feedback", () => {
  it("bounds the residual: a stream of gradients arrives whole", async () => {
    for (const quantizer of [oneBitSgd(), efSignSgd(), stromThreshold({ threshold: 0.7 })]) {
      const codec = await gradientCodec(quantizer);
      const [given, sent] = [new Float64Array(64), new Float64Array(64)];
      for (let step = 0; step < 400; step++) {
        // Within ±0.6, below Strom's threshold.
        const gradient = bell(64, 100 + step).map((g) => Math.max(-0.6, Math.min(0.6, 0.2 * g)));
        gradient.forEach((g, i) => {
          given[i]! += g;
        });
        codec.decode(codec.encode(gradient)).forEach((v, i) => {
          sent[i]! += v;
        });
      }
      const lost = given.map((g, i) => g - sent[i]!);
      for (const [i, l] of lost.entries()) expect(l).toBeCloseTo(codec.residual![i]!, 3);
      const largest = lost.reduce((most, l) => Math.max(most, Math.abs(l)), 0);
      expect(largest, quantizer.scheme).toBeLessThan(quantizer.scheme.startsWith("threshold") ? 0.7001 : 3);
    }
  });

  it("keeps the residual it had where a sum leaves f32", async () => {
    const codec = await gradientCodec(stromThreshold({ threshold: 1 }));
    codec.encode(Float32Array.of(3e38, 1));
    const kept = codec.residual!.slice();
    expect(() => codec.encode(Float32Array.of(3e38, 1))).toThrow(OutOfRangeError);
    expect(codec.residual).toEqual(kept);
  });
});

describe("ZipML's double sampling", () => {
  const [samples, columns] = [8, 5];
  const inputs = bell(samples * columns, 20);
  const draws = 3000;

  it("E Q₁ = a, E Q₁ Q₂ᵀ = a aᵀ within six standard errors, where one sample twice is off by its variance", async () => {
    const row = inputs.subarray(0, columns);
    const [products, squared, own] = [new Float64Array(25), new Float64Array(25), new Float64Array(columns)];
    const mean = new Float64Array(columns);
    for (let seed = 0; seed < draws; seed++) {
      const pair = await doubleSampling({ samples: 1, inputs: row }, { levels: 2, seed });
      const [q1, q2] = [await dequantize(pair.first), await dequantize(pair.second)];
      for (let i = 0; i < columns; i++) {
        mean[i]! += q1[i]! / draws;
        own[i]! += (q1[i]! * q1[i]!) / draws;
        for (let j = 0; j < columns; j++) {
          products[5 * i + j]! += (q1[i]! * q2[j]!) / draws;
          squared[5 * i + j]! += (q1[i]! * q2[j]!) ** 2 / draws;
        }
      }
    }
    const step = row.reduce((max, a) => Math.max(max, Math.abs(a)), 0) / 2;
    row.forEach((a, i) => {
      expect(Math.abs(mean[i]! - a)).toBeLessThan((6 * step) / 2 / Math.sqrt(draws) + 1e-6);
      row.forEach((other, j) => {
        const error = Math.sqrt(Math.max(0, squared[5 * i + j]! - products[5 * i + j]! ** 2) / draws);
        expect(Math.abs(products[5 * i + j]! - a * other)).toBeLessThan(6 * error + 1e-6);
      });
      const place = Math.abs(a) / step;
      const p = place - Math.floor(place);
      expect(own[i]! - a * a).toBeCloseTo(step * step * p * (1 - p), 1);
    });
  });

  it("gradients of least squares are unbiased, with one sample twice they are not", async () => {
    const x = Float32Array.of(1, -2, 0.5, 3, -1);
    const b = bell(samples, 21);
    const exact = Array.from({ length: columns }, (_, k) =>
      sum(b, (target, i) => {
        const product = sum(x, (value, j) => value * inputs[i * columns + j]!);
        return (inputs[i * columns + k]! * (product - target)) / samples;
      }),
    );
    const worst = async (twice: boolean): Promise<number> => {
      const [mean, square] = [new Float64Array(columns), new Float64Array(columns)];
      for (let seed = 0; seed < draws; seed++) {
        const pair = await doubleSampling({ samples, inputs }, { levels: 1, seed });
        const used = twice ? { first: pair.first, second: pair.first } : pair;
        (await doubleSampledGradient(used, x, b)).forEach((g, k) => {
          mean[k]! += g / draws;
          square[k]! += (g * g) / draws;
        });
      }
      return Math.max(...exact.map((g, k) => Math.abs(mean[k]! - g) / Math.sqrt((square[k]! - mean[k]! ** 2) / draws)));
    };
    expect(await worst(false)).toBeLessThan(6);
    expect(await worst(true)).toBeGreaterThan(12);
  });

  it("keeps multiples of a step, zeros and the ends", async () => {
    const data = Float32Array.of(4, -4, 2, 0, 0, 0, 0, 0);
    const { first, second } = await doubleSampling({ samples: 2, inputs: data }, { levels: 2 });
    expect((await dequantize(first)).map((v) => v + 0)).toEqual(data);
    expect((await dequantize(second)).map((v) => v + 0)).toEqual(data);
    expect(first.bits).toBe(3);
  });

  it("refuses bad input by name", async () => {
    const run = (of: { samples: number; inputs: Float32Array }, levels = 2) => doubleSampling(of, { levels });
    await expect(run({ samples: 3, inputs })).rejects.toThrow(ShapeError);
    await expect(run({ samples: 0, inputs })).rejects.toThrow(ShapeError);
    await expect(run({ samples: 1, inputs: new Float32Array() })).rejects.toThrow(ShapeError);
    await expect(run({ samples: 1, inputs: Float32Array.of(1, Number.NaN) })).rejects.toThrow(NotFiniteError);
    await expect(run({ samples, inputs }, 128)).rejects.toThrow(OutOfRangeError);
    const pair = await run({ samples, inputs });
    await expect(doubleSampledGradient(pair, new Float32Array(4), new Float32Array(8))).rejects.toThrow(ShapeError);
    await expect(doubleSampledGradient(pair, new Float32Array(5), new Float32Array(7))).rejects.toThrow(ShapeError);
    const strong = await run({ samples, inputs: inputs.map((a) => 100 * a) });
    await expect(doubleSampledGradient(strong, new Float32Array(5).fill(3e38), new Float32Array(8))).rejects.toThrow(
      OutOfRangeError,
    );
  });
});
