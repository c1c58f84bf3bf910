import { expect, it } from "vitest";
import { AffineGemm, GroupedAffineGemm } from "../../src/kernels/affine-gemm.ts";
import { Convolution } from "../../src/kernels/convolution.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { activations, expectSums, inputs, runBytes } from "./products.ts";
import { integers, packCodes, rowCounts, sizes } from "./random.ts";

export function affineGemm(kernels: () => KernelInstance): void {
  it.each([2, 4, 8])("int32 sums of %i-bit weights equal naive on the grid of sizes", (bits) => {
    for (const [i, k] of sizes.entries())
      for (const [j, n] of sizes.entries()) {
        const rows = rowCounts[(i + 3 * j) % rowCounts.length]!;
        const input = inputs[(i + j) % inputs.length]!;
        const next = integers(i * 100 + j);
        const codes = Array.from({ length: n * k }, () => next(0, 2 ** bits - 1));
        const zeroPoint = Int32Array.from({ length: n }, () => (bits === 8 ? 128 : next(0, 2 ** bits - 1)));
        const w = codes.map((code, at) => code - zeroPoint[Math.floor(at / k)]!);
        const options = { n, k, bits, codes: packCodes(codes, k, bits), zeroPoint, x: input } as const;
        using gemm = new AffineGemm(kernels(), { ...options, output: { kind: "int32" } });
        expectSums(kernels(), gemm, { x: activations(input, rows * k, i + j), w, k, input });
      }
  });

  it("the longest sum of the largest products is exact, and one more position is refused by name", () => {
    // -255 * -128 = 32640 a product: 65793 of them fit int32.
    const input = { dtype: "uint8", zeroPoint: 255 } as const;
    const longest = Math.floor((2 ** 31 - 1) / 32640);
    const options = { n: 1, bits: 8, zeroPoint: 128, x: input, output: { kind: "int32" } } as const;
    const make = (k: number) => new AffineGemm(kernels(), { ...options, k, codes: new Uint8Array(k) });
    using gemm = make(longest);
    for (const rows of [1, 4]) {
      const sums = runBytes(kernels(), gemm, new Array(rows * longest).fill(0), rows, rows);
      expect([...sums]).toEqual(new Array(rows).fill(32640 * longest));
    }
    expect(() => make(longest + 1)).toThrow(
      /affine_gemm: largest sum, expected a sum that its accumulator holds, got a larger one/,
    );
  });

  // Sizes around tiles of 2 x 2 that go by fours; 24 channels, and images of few pixels, are left to gathered rows.
  it.each([
    [9, 11, 32, 18],
    [8, 8, 64, 16],
    [7, 5, 40, 33],
    [6, 6, 24, 16],
    [2, 2, 32, 16],
  ])("windows of 3 x 3 over %i x %i x %i to %i channels equal naive", (height, width, channels, n) => {
    const instance = kernels();
    for (const input of inputs) {
      const next = integers(n);
      const k = 9 * channels;
      const codes = Array.from({ length: n * k }, () => next(0, 255));
      const options = { n, k, bits: 8, codes: Uint8Array.from(codes), zeroPoint: 128, x: input } as const;
      const window = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] } as const;
      const gemm = new AffineGemm(instance, { ...options, output: { kind: "int32" } });
      using conv = new Convolution(instance, [gemm], { input: [height, width], window, padding: input.zeroPoint });
      const batch = 2;
      const x = activations(input, batch * height * width * channels, n);
      const inside = (at: number, size: number): boolean => at >= 0 && at < size;
      const expected = Array.from({ length: batch * height * width * n }, (_, at) => {
        const [pixel, column] = [Math.floor(at / n), at % n];
        const [image, line, place] = [
          Math.floor(pixel / (height * width)),
          Math.floor(pixel / width) % height,
          pixel % width,
        ];
        let sum = 0;
        for (let tap = 0; tap < 9; tap++) {
          const [i, j] = [line + Math.floor(tap / 3) - 1, place + (tap % 3) - 1];
          if (!inside(i, height) || !inside(j, width)) continue;
          const start = ((image * height + i) * width + j) * channels;
          for (let c = 0; c < channels; c++)
            sum += (x[start + c]! - input.zeroPoint) * (codes[column * k + tap * channels + c]! - 128);
        }
        return sum;
      });
      expect([...runBytes(instance, conv, x, batch, expected.length)]).toEqual(expected);
    }
  });

  it("groups: scaled sums added in ascending order, each addition rounded", () => {
    const [n, k, rows, groupSize, bits, input] = [18, 100, 3, 32, 4, inputs[1]!];
    const next = integers(6);
    const groups = Math.ceil(k / groupSize);
    const codes = Array.from({ length: n * k }, () => next(0, 15));
    const scale = Float32Array.from({ length: n * groups }, () => next(1, 999) / 7919);
    const zeroPoint = Int32Array.from({ length: n * groups }, () => next(0, 15));
    const options = { n, k, bits, codes: packCodes(codes, k, bits), zeroPoint, x: input, groupSize, scale } as const;
    using gemm = new GroupedAffineGemm(kernels(), { ...options, output: { kind: "f32" } });
    const x = activations(input, rows * k, 7);
    const expected = Array.from({ length: rows * n }, (_, at) => {
      const [m, column] = [Math.floor(at / n), at % n];
      let y = 0;
      for (let g = 0; g < groups; g++) {
        let sum = 0;
        for (let i = g * groupSize; i < Math.min(k, (g + 1) * groupSize); i++)
          sum += (x[m * k + i]! - input.zeroPoint) * (codes[column * k + i]! - zeroPoint[column * groups + g]!);
        y = Math.fround(y + Math.fround(sum * scale[column * groups + g]!));
      }
      return y;
    });
    expect([...new Float32Array(runBytes(kernels(), gemm, x, rows, rows * n).buffer)]).toEqual(expected);
  });
}
