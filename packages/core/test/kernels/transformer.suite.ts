/** Attention and normalization of rows against plain TypeScript; the bits of all tiers are the same natively (crates/kernels/tests). */
import { expect, it } from "vitest";
import { DynamicAffineGemm } from "../../src/kernels/affine-gemm.ts";
import { Attention, Rotary } from "../../src/kernels/attention.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { RowNorm } from "../../src/kernels/normalize.ts";
import { roundTiesToEven } from "../../src/runtime/lower/requantize.ts";
import { integers, packCodes } from "./random.ts";

const { fround } = Math;

/** Runs `use` with memory for the inputs and for an output of `length` floats, which it returns. */
function withMemory(
  instance: KernelInstance,
  inputs: readonly (Float32Array | Int32Array)[],
  length: number,
  use: (pointers: number[], y: number) => void,
): Float32Array {
  const pointers = inputs.map((data) => instance.upload(data));
  const y = instance.alloc(4 * length);
  use(pointers, y);
  const result = instance.f32(y, length).slice();
  for (const [i, data] of inputs.entries()) instance.free(pointers[i]!, data.byteLength);
  instance.free(y, 4 * length);
  return result;
}

const floatsOf = (seed: number) => {
  const next = integers(seed);
  return (length: number) => Float32Array.from({ length }, () => next(-(1 << 20), 1 << 20) / 777777);
};

export function attention(kernels: () => KernelInstance): void {
  it.each([
    [1, 1, 1, 1, 1, false],
    [5, 5, 2, 1, 4, true],
    [70, 19, 4, 2, 9, false],
  ] as const)(
    "%i queries and %i keys by %i heads (%i of keys) of %i, causal: %s",
    (queries, keys, heads, kvHeads, depth, causal) => {
      const instance = kernels();
      const floats = floatsOf(queries);
      const [q, k, v] = [
        floats(queries * heads * depth),
        floats(keys * kvHeads * depth),
        floats(keys * kvHeads * depth),
      ];
      const keep = Int32Array.from({ length: keys }, (_, t) => (t % 3 === 1 ? 0 : 1));
      const sizes = { batch: 1, queries, keys, heads, kvHeads, depth, scale: 0.25, causal, mask: "int32" } as const;
      using object = new Attention(instance, sizes);
      const y = withMemory(instance, [q, k, v, keep], q.length, ([qs, ks, vs, mask], to) =>
        object.run(qs!, ks!, vs!, mask!, keys, to),
      );
      for (let s = 0; s < queries; s++)
        for (let h = 0; h < heads; h++) {
          const kv = Math.floor(h / (heads / kvHeads));
          const at = (t: number, i: number) => (t * kvHeads + kv) * depth + i;
          const seen = (t: number) => keep[t] !== 0 && !(causal && t > s + keys - queries);
          const exps = Array.from({ length: keys }, (_, t) => {
            let dot = 0;
            for (let i = 0; i < depth; i++) dot += q[(s * heads + h) * depth + i]! * k[at(t, i)]!;
            return seen(t) ? Math.exp(dot * 0.25) : 0;
          });
          const total = exps.reduce((sum, e) => sum + e, 0) || 1;
          for (let i = 0; i < depth; i++) {
            const exact = exps.reduce((sum, e, t) => sum + e * v[at(t, i)]!, 0) / total;
            expect(y[(s * heads + h) * depth + i]).toBeCloseTo(exact, 5);
          }
        }
    },
  );

  it("positions turn pairs of elements", () => {
    const instance = kernels();
    const [positions, heads, depth] = [6, 2, 4];
    const x = floatsOf(3)(positions * heads * depth);
    using rotary = new Rotary(instance, positions, depth, 10_000);
    const y = withMemory(instance, [x], x.length, ([from], to) => rotary.run(from!, to, 1, positions, heads));
    for (const [i, value] of y.entries()) {
      const [place, s] = [i % depth, Math.floor(i / (heads * depth))];
      const angle = s * 10_000 ** (-(place % 2) / 2);
      const other = place < 2 ? -x[i + 2]! : x[i - 2]!;
      expect(value).toBeCloseTo(x[i]! * Math.cos(angle) + other * Math.sin(angle), 5);
    }
    expect(() => rotary.run(0, 0, 1, positions + 1, heads)).toThrow(/attention/);
  });

  it("rows of floats are quantized by their largest magnitude, bit for bit", () => {
    const instance = kernels();
    for (const [n, k, groupSize, bits] of [
      [3, 5, 5, 8],
      [19, 70, 32, 4],
      [33, 64, 64, 2],
    ] as const) {
      const next = integers(n);
      const groups = Math.ceil(k / groupSize);
      const rows = 5;
      const codes = Array.from({ length: n * k }, () => next(0, 2 ** bits - 1));
      const zeroPoint = 1 << (bits - 1);
      const floats = floatsOf(k);
      const [x, scale, bias] = [floats(rows * k), floats(n * groups), floats(n)];
      const options = { n, k, bits, codes: packCodes(codes, k, bits), zeroPoint, groupSize, scale, bias };
      using gemm = new DynamicAffineGemm(instance, options);
      const y = withMemory(instance, [x], rows * n, ([from], to) => gemm.run(from!, rows, to));
      for (let row = 0; row < rows; row++) {
        const values = x.subarray(row * k, (row + 1) * k);
        const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        const q = Array.from(values, (v) => roundTiesToEven(fround(v * fround(127 / largest))));
        for (let column = 0; column < n; column++) {
          let total = 0;
          for (let g = 0; g < groups; g++) {
            let sum = 0;
            for (let i = g * groupSize; i < Math.min(k, (g + 1) * groupSize); i++)
              sum += q[i]! * (codes[column * k + i]! - zeroPoint);
            total = fround(total + fround(sum * scale[column * groups + g]!));
          }
          const expected = fround(fround(total * fround(largest / 127)) + bias[column]!);
          expect(y[row * n + column]).toBe(expected);
        }
      }
    }
  });
}

export function normalize(kernels: () => KernelInstance): void {
  it.each([true, false])("rows by their own statistics, mean taken out: %s", (centered) => {
    const instance = kernels();
    for (const channels of [1, 3, 4, 33, 384]) {
      const floats = floatsOf(channels);
      const [x, scale, bias] = [floats(3 * channels), floats(channels), floats(channels)];
      using norm = new RowNorm(instance, { scale, bias, epsilon: 1e-5, centered });
      const y = withMemory(instance, [x], x.length, ([from], to) => norm.run(from!, 3, to));
      for (let row = 0; row < 3; row++) {
        const values = Array.from(x.subarray(row * channels, (row + 1) * channels));
        const mean = centered ? values.reduce((sum, v) => sum + v, 0) / channels : 0;
        const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / channels;
        for (const [c, v] of values.entries()) {
          const exact = ((v - mean) / Math.sqrt(variance + 1e-5)) * scale[c]! + bias[c]!;
          expect(y[row * channels + c]).toBeCloseTo(exact, 4);
        }
      }
    }
  });
}
