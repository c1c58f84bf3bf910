/** Calibrated quantizers against brute force and hand counts; equalization, rotation and bias correction against what they promise. */
import { describe, expect, it } from "vitest";
import { bundledWasm } from "../../src/bundled.ts";
import { OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { loadKernels } from "../../src/kernels/load.ts";
import {
  aq,
  aqlm,
  awqScales,
  correctBias,
  divideOutputs,
  equalizeLayers,
  gptq,
  hadamardRotation,
  outputError,
  parseScheme,
  quantize,
  Random,
  rotateRows,
  smoothQuant,
  twoStep,
  uniform,
} from "../../src/quantize.ts";

const random = new Random(1);
const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => 2 * random.uniform() - 1);

/** Inputs of which neighbours are alike. */
function inputsOf(samples: number, columns: number): Float32Array {
  let last = 0;
  return Float32Array.from({ length: samples * columns }, () => {
    last = 0.8 * last + random.uniform() - 0.4;
    return last;
  });
}

/** y[s][n] = Σ w[n][k] x[s][k] */
function outputs(w: Float32Array, x: Float32Array, columns: number): number[] {
  const rows = w.length / columns;
  return Array.from({ length: (x.length / columns) * rows }, (_, at) => {
    const [s, n] = [Math.floor(at / rows), at % rows];
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += w[n * columns + k]! * x[s * columns + k]!;
    return sum;
  });
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);

describe("roundings by inputs", () => {
  it.each(["gptq:2:sym", "gptq:2:sym:order", "adaround:2:sym"])(
    "%s lies between the best of all codes and rounding, on rows of six",
    async (scheme) => {
      let [best, rounded, got] = [0, 0, 0];
      for (let trial = 0; trial < 12; trial++) {
        const [data, x] = [draw(6), inputsOf(40, 6)];
        const tensor = { shape: [1, 6], data };
        const y = outputs(data, x, 6);
        const error = (w: Float32Array): number => distance(y, outputs(w, x, 6));
        const plain = await quantize(tensor, uniform({ bits: 2 }));
        const scale = plain.scales![0]!;
        let least = Number.POSITIVE_INFINITY;
        for (let code = 0; code < 3 ** 6; code++) {
          const w = Float32Array.from({ length: 6 }, (_, k) => ((Math.floor(code / 3 ** k) % 3) - 1) * scale);
          least = Math.min(least, error(w));
        }
        const q = await quantize(tensor, parseScheme(scheme), { calibration: { samples: 40, inputs: x } } as never);
        const mine = error(q.dequantize());
        expect(mine).toBeGreaterThanOrEqual(least * (1 - 1e-6));
        expect(mine).toBeLessThanOrEqual(error(plain.dequantize()) * (1 + 1e-6));
        best += least;
        rounded += error(plain.dequantize());
        got += mine;
      }
      // They close a good part of the gap.
      expect(got - best).toBeLessThan(0.7 * (rounded - best));
    },
  );

  it("tsq:ternary leaves a row that no single weight and no scale betters, most of the way from ternary:mse to the best of all codes", async () => {
    const own = new Random(11);
    let [best, nearest, got] = [0, 0, 0];
    for (let trial = 0; trial < 12; trial++) {
      const data = Float32Array.from({ length: 6 }, () => 2 * own.uniform() - 1);
      let last = 0;
      const x = Float32Array.from({ length: 40 * 6 }, () => {
        last = 0.8 * last + own.uniform() - 0.4;
        return last;
      });
      const tensor = { shape: [1, 6], data };
      const y = outputs(data, x, 6);
      /** With the best scale for these. */
      const errorOf = (t: readonly number[]): number => {
        const z = outputs(Float32Array.from(t), x, 6);
        const [yz, zz] = [y.reduce((sum, y, i) => sum + y * z[i]!, 0), z.reduce((sum, z) => sum + z * z, 0)];
        return y.reduce((sum, y) => sum + y * y, 0) - (zz > 0 && yz > 0 ? (yz * yz) / zz : 0);
      };
      const q = await quantize(tensor, twoStep({ damping: 1e-9 }), { calibration: { samples: 40, inputs: x } });
      const mine = distance(y, outputs(q.dequantize(), x, 6));
      const t = [...q.dequantize()].map((w) => Math.sign(w));
      expect(mine).toBeLessThanOrEqual(errorOf(t) * (1 + 1e-5));
      const scale = q.scales![0]!;
      for (let k = 0; k < 6; k++)
        for (const level of [-1, 0, 1]) {
          const w = Float32Array.from(t, (t, j) => (j === k ? level : t) * scale);
          expect(distance(y, outputs(w, x, 6))).toBeGreaterThanOrEqual(mine * (1 - 1e-5));
        }
      let least = Number.POSITIVE_INFINITY;
      for (let code = 0; code < 3 ** 6; code++)
        least = Math.min(least, errorOf(Array.from({ length: 6 }, (_, k) => (Math.floor(code / 3 ** k) % 3) - 1)));
      const plain = await quantize(tensor, parseScheme("ternary:mse"));
      best += least;
      nearest += distance(y, outputs(plain.dequantize(), x, 6));
      got += mine;
      expect(mine).toBeGreaterThanOrEqual(least * (1 - 1e-5));
    }
    expect(got - best).toBeLessThan(0.5 * (nearest - best));
  });

  it("aqlm takes much of the output's error off aq, whose weights are nearer", async () => {
    const [data, inputs] = [draw(24 * 32), inputsOf(200, 32)];
    const tensor = { shape: [24, 32], data };
    const calibration = { samples: 200, inputs };
    const size = { dimension: 4, centroids: 16, codebooks: 2 };
    const plain = await quantize(tensor, aq(size));
    const found = await quantize(tensor, aqlm(size), { calibration });
    expect(found.bytes).toBe(plain.bytes);
    expect(found.error.mse).toBeGreaterThan(plain.error.mse);
    const error = (w: Float32Array): Promise<number> => outputError(tensor, w, calibration);
    const [before, after] = [await error(plain.dequantize()), await error(found.dequantize())];
    expect(after).toBeLessThan(0.5 * before);
  });

  it.each([0, -0.1, 1.5, Number.NaN])("gptq and aqlm refuse a damping of %f", (damping) => {
    const message = `damping, expected above 0, at most 1, got ${damping}`;
    expect(() => gptq({ bits: 4, damping })).toThrow(message);
    expect(() => aqlm({ dimension: 2, centroids: 4, codebooks: 1, damping })).toThrow(message);
  });

  it("little damping makes GPTQ and AQLM trust few inputs more than much of it does", async () => {
    const own = new Random(5);
    const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * own.uniform() - 1);
    const calibration = { samples: 3, inputs: numbers(3 * 16) };
    const tensor = { shape: [8, 16], data: numbers(8 * 16) };
    const left = async (quantizer: ReturnType<typeof gptq> | ReturnType<typeof aqlm>) =>
      outputError(
        tensor,
        (await quantize(tensor, quantizer as ReturnType<typeof gptq>, { calibration })).dequantize(),
        calibration,
      );
    expect(await left(gptq({ bits: 3, damping: 1e-4 }))).toBeLessThan(await left(gptq({ bits: 3, damping: 1 })));
    const size = { dimension: 2, centroids: 4, codebooks: 2 };
    expect(await left(aqlm({ ...size, damping: 1e-4 }))).toBeLessThan(await left(aqlm({ ...size, damping: 1 })));
  });

  it("aqlm leaves nothing of a row that its codebooks have numbers enough for", async () => {
    const [data, inputs] = [draw(4), inputsOf(50, 4)];
    const tensor = { shape: [1, 4], data };
    const calibration = { samples: 50, inputs };
    const found = await quantize(tensor, aqlm({ dimension: 2, centroids: 2, codebooks: 2 }), { calibration });
    // Four entries of two numbers for four weights: least squares leaves nothing.
    expect(await outputError(tensor, found.dequantize(), calibration)).toBeLessThan(1e-9);
  });

  it("inputs that do not depend on each other, or are all 0, leave the nearest levels", async () => {
    const tensor = { shape: [4, 8], data: draw(32) };
    const unit = Float32Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 3 : 0));
    for (const inputs of [unit, new Float32Array(64)]) {
      for (const [scheme, plain] of [
        ["gptq:3", "int3:asym"],
        ["gptq:4:g4:sym", "int4:g4"],
        ["adaround:3", "int3:asym"],
      ] as const) {
        const q = await quantize(tensor, parseScheme(scheme), { calibration: { samples: 8, inputs } } as never);
        expect(q.codes, scheme).toEqual((await quantize(tensor, parseScheme(plain))).codes);
      }
    }
  });

  it("gptq by hand: the second weight makes up for the first", async () => {
    // x₁ = x₂, so that only the sum of the weights counts: 1.4 + 1.4 + 3 is 5.8, rounded 1 + 1 + 3, fed forward 1 + 2 + 3 (levels -3..3).
    const inputs = Float32Array.from({ length: 12 }, (_, i) => [1, 1, 1, -2, -2, -2, 3, 3, 3, 1, 1, 1][i]!);
    const q = await quantize(
      { shape: [1, 3], data: Float32Array.of(1.4, 1.4, 3) },
      gptq({ bits: 3, symmetric: true }),
      {
        calibration: { samples: 4, inputs },
      },
    );
    expect([...q.dequantize()]).toEqual([1, 2, 3]);
  });

  it("gptq takes three tensors, one Hessian and one block of inputs in WASM memory", async () => {
    using own = await loadKernels({ wasm: bundledWasm, part: "quantize" });
    const [rows, columns, samples] = [256, 512, 4096];
    const before = own.memoryBytes;
    const calibration = { samples, inputs: draw(samples * columns) };
    await quantize({ shape: [rows, columns], data: draw(rows * columns) }, gptq({ bits: 4 }), {
      calibration,
      kernels: own,
    });
    const block = 4 * 2 ** 18;
    expect(own.memoryBytes - before - 8 * columns ** 2 - block).toBeLessThan(3 * 4 * rows * columns);
  });

  it("hqq leaves no more mean |w - ŵ| than the grid from min to max, and less where there are outliers", async () => {
    const data = draw(1024).map((x, i) => (i % 64 === 0 ? 4 * x : x * x * x));
    const tensor = { shape: [16, 64], data };
    const mean = async (w: Float32Array) => w.reduce((sum, v, i) => sum + Math.abs(v - data[i]!), 0);
    const q = await quantize(tensor, parseScheme("hqq:3"));
    const plain = data.map((x, i) => {
      const row = data.subarray(i - (i % 64), i - (i % 64) + 64);
      const [min, max] = [Math.min(...row), Math.max(...row)];
      return min + Math.round((x - min) / ((max - min) / 7)) * ((max - min) / 7);
    });
    expect(await mean(q.dequantize())).toBeLessThan(await mean(plain));
  });
});

describe("equalization", () => {
  const [first, second, bias] = [
    { shape: [4, 6], data: draw(24).map((w, i) => w * 4 ** Math.floor(i / 6)) },
    { shape: [3, 8], data: draw(24) },
    draw(4),
  ];
  /** Two layers with ReLU between; the second reads each channel twice. */
  const run = (a: Float32Array, b: Float32Array, c: Float32Array, x: Float32Array): number[] => {
    const hidden = outputs(a, x, 6).map((y, i) => Math.max(0, y + b[i % 4]!));
    const twice = Float32Array.from({ length: hidden.length * 2 }, (_, i) => hidden[Math.floor(i / 8) * 4 + (i % 4)]!);
    return outputs(c, twice, 8);
  };

  it("across layers keeps the function and makes the ranges equal", async () => {
    const x = inputsOf(20, 6);
    const e = await equalizeLayers(first, second, { bias });
    const [before, after] = [run(first.data, bias, second.data, x), run(e.first, e.bias!, e.second, x)];
    for (const [i, y] of before.entries()) expect(after[i]).toBeCloseTo(y, 3);
    for (let c = 0; c < 4; c++) {
      const r1 = Math.max(...e.first.subarray(6 * c, 6 * c + 6).map(Math.abs));
      const r2 = Math.max(...e.second.filter((_, i) => i % 4 === c).map(Math.abs));
      expect(r1 / r2).toBeCloseTo(1, 5);
    }
    const again = await equalizeLayers({ ...first, data: e.first }, { ...second, data: e.second });
    for (const s of again.factors) expect(s).toBeCloseTo(1, 6);
  });

  it("SmoothQuant divides by max|X|^α / max|W|^(1-α), and the product stays", async () => {
    const weights = { shape: [2, 2], data: Float32Array.of(1, -4, 0.5, 2) };
    const { factors, weights: scaled } = await smoothQuant(weights, [9, 16]);
    expect([...factors]).toEqual([3, 2]);
    expect([...scaled]).toEqual([3, -8, 1.5, 4]);
    expect([...(await smoothQuant(weights, [9, 0], { alpha: 1 })).factors]).toEqual([9, 1]);
    await expect(smoothQuant(weights, [1, 2], { alpha: 2 })).rejects.toThrow(OutOfRangeError);
    await expect(smoothQuant(weights, [1, 2, 3])).rejects.toThrow(ShapeError);
    await expect(divideOutputs(weights, undefined, Float64Array.of(1))).rejects.toThrow(ShapeError);
  });

  it("AWQ's scales never leave more output error than none", async () => {
    const inputs = inputsOf(200, 24).map((x, i) => (i % 24 < 3 ? 20 * x : x));
    const [weights, calibration] = [
      { shape: [12, 24], data: draw(288) },
      { samples: 200, inputs },
    ];
    const by = uniform({ bits: 3, per: { group: 8 } });
    const { alpha, factors, weights: scaled } = await awqScales(weights, calibration, by);
    const back = (await quantize({ shape: [12, 24], data: scaled }, by))
      .dequantize()
      .map((w, i) => w / factors[i % 24]!);
    const plain = await outputError(weights, (await quantize(weights, by)).dequantize(), calibration);
    expect(alpha).toBeGreaterThan(0);
    expect(await outputError(weights, back, calibration)).toBeLessThan(0.8 * plain);
  });

  it("bias correction takes out the mean error and so lessens the squared one", async () => {
    const [data, x] = [draw(40), inputsOf(64, 8).map((v) => v + 1)];
    const quantized = (await quantize({ shape: [5, 8], data }, uniform({ bits: 2 }))).dequantize();
    const inputMean = Float64Array.from(
      { length: 8 },
      (_, k) => x.filter((_v, i) => i % 8 === k).reduce((a, b) => a + b, 0) / 64,
    );
    const corrected = await correctBias({ weights: { shape: [5, 8], data }, quantized, inputMean });
    const errors = (b: Float32Array) => outputs(quantized, x, 8).map((y, i) => y + b[i % 5]! - outputs(data, x, 8)[i]!);
    for (let n = 0; n < 5; n++) {
      const mean =
        errors(corrected)
          .filter((_, i) => i % 5 === n)
          .reduce((a, b) => a + b, 0) / 64;
      expect(Math.abs(mean)).toBeLessThan(1e-6);
    }
    const zero = errors(corrected).map(() => 0);
    expect(distance(errors(corrected), zero)).toBeLessThan(distance(errors(new Float32Array(5)), zero));
    await expect(correctBias({ weights: { shape: [5, 8], data }, quantized, inputMean: [1] })).rejects.toThrow(
      ShapeError,
    );
  });
});

describe("Hadamard rotation", () => {
  it("is orthogonal, is undone by its inverse, keeps products and spreads an outlier", async () => {
    const rotation = hadamardRotation(24, 5);
    expect(rotation.size).toBe(8);
    const unit = Float32Array.from({ length: 576 }, (_, i) => (i % 25 === 0 ? 1 : 0));
    const q = await rotateRows({ shape: [24, 24], data: unit }, rotation);
    const products = outputs(q, q, 24);
    for (const [i, p] of products.entries()) expect(p).toBeCloseTo(i % 25 === 0 ? 1 : 0, 6);
    const [w, x] = [draw(72), draw(48)];
    const [turned, inputs] = [
      await rotateRows({ shape: [3, 24], data: w }, rotation),
      await rotateRows({ shape: [2, 24], data: x }, rotation),
    ];
    const [kept, expected] = [outputs(turned, inputs, 24), outputs(w, x, 24)];
    for (const [i, y] of expected.entries()) expect(kept[i]).toBeCloseTo(y, 5);
    const back = await rotateRows({ shape: [3, 24], data: turned }, rotation, { inverse: true });
    for (const [i, v] of w.entries()) expect(back[i]).toBeCloseTo(v, 6);
    const spike = Float32Array.from({ length: 64 }, (_, i) => (i === 9 ? 8 : 0));
    const spread = await rotateRows({ shape: [1, 64], data: spike }, hadamardRotation(64));
    expect(spread.every((v) => Math.abs(v) === 1)).toBe(true);
    await expect(rotateRows({ shape: [1, 64], data: spike }, rotation)).rejects.toThrow(ShapeError);
  });
});
