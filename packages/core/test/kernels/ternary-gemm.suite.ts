import { expect, it } from "vitest";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { TernaryGemm } from "../../src/kernels/ternary-gemm.ts";
import { activations, expectSums, inputs, runBytes } from "./products.ts";
import { integers, naiveProduct, packCodes, rowCounts, sizes } from "./random.ts";

export function ternaryGemm(kernels: () => KernelInstance): void {
  const kinds = [
    ["ternary", undefined],
    ["sign", undefined],
    ["ternary", 16],
    ["ternary", 32],
  ] as const;
  it.each(kinds)("int32 sums of %s weights equal naive on the grid of sizes, dots of %s bits", (kind, dot) => {
    for (const [i, k] of sizes.entries())
      for (const [j, n] of sizes.entries()) {
        const rows = rowCounts[(i + 3 * j) % rowCounts.length]!;
        const input = inputs[(i + j) % inputs.length]!;
        const next = integers(i * 100 + j);
        const w = Array.from({ length: n * k }, () => (kind === "sign" ? 1 - 2 * next(0, 1) : next(-1, 1)));
        const [bits, zeroPoint] = kind === "sign" ? ([1, "sign"] as const) : ([2, 1] as const);
        const codes = packCodes(
          w.map((value) => (kind === "sign" ? Number(value < 0) : value + 1)),
          k,
          bits,
        );
        const output = { kind: "int32" } as const;
        using gemm = new TernaryGemm(kernels(), {
          n,
          k,
          bits,
          codes,
          zeroPoint,
          x: input,
          output,
          ...(dot && { dot }),
        });
        expectSums(kernels(), gemm, { x: activations(input, rows * k, i + j), w, k, input });
      }
  });

  it.each([16, 32] as const)(
    "rows of the largest products, which fill the lanes of %s-bit dots and of lookups",
    (dot) => {
      for (const [n, k, rows] of [
        [8, 4096, 1],
        [8, 4096, 4],
        [128, 3000, 2],
      ] as const)
        for (const [value, weight] of [
          [-128, 1],
          [127, 1],
          [-128, -1],
        ] as const) {
          const codes = packCodes(new Array(n * k).fill(weight + 1), k, 2);
          const x = { dtype: "int8", zeroPoint: 0 } as const;
          using gemm = new TernaryGemm(kernels(), {
            n,
            k,
            bits: 2,
            codes,
            zeroPoint: 1,
            x,
            dot,
            output: { kind: "int32" },
          });
          const got = runBytes(kernels(), gemm, new Array(rows * k).fill(value), rows, rows * n);
          expect(new Set(got)).toEqual(new Set([value * weight * k]));
        }
    },
  );

  it.each(inputs)("K = 2^20 of the largest products: $dtype, zero point $zeroPoint", (input) => {
    const k = 1 << 20;
    const codes = new Uint8Array(k / 8).fill(255);
    const options = { n: 1, k, bits: 1, codes, zeroPoint: "sign", x: input, output: { kind: "int32" } } as const;
    using gemm = new TernaryGemm(kernels(), options);
    for (const value of input.dtype === "int8" ? [-128, 127] : [0, 255]) {
      const x = Array.from({ length: k }, () => value);
      expect([...runBytes(kernels(), gemm, x, 1, 1)]).toEqual([(input.zeroPoint - value) * k]);
    }
  });

  it("scales, adds and clamps, each step rounded to f32", () => {
    const [n, k, rows, input] = [21, 70, 5, inputs[3]!];
    const next = integers(2);
    const w = Array.from({ length: n * k }, () => next(-1, 1));
    const [scale, bias] = [1, 2].map(() => Float32Array.from({ length: n }, () => next(-99, 99) / 1000)) as [
      Float32Array,
      Float32Array,
    ];
    const codes = packCodes(
      w.map((value) => value + 1),
      k,
      2,
    );
    const output = { kind: "f32", scale, bias, clamp: [0, Number.POSITIVE_INFINITY] } as const;
    using gemm = new TernaryGemm(kernels(), { n, k, bits: 2, codes, zeroPoint: 1, x: input, output });
    const x = activations(input, rows * k, 5);
    const sums = naiveProduct(
      x.map((value) => value - input.zeroPoint),
      w,
      k,
    );
    const got = new Float32Array(runBytes(kernels(), gemm, x, rows, rows * n).buffer);
    const expected = [...sums].map((sum, i) =>
      Math.max(Math.fround(Math.fround(sum * scale[i % n]!) + bias[i % n]!), 0),
    );
    expect([...got].map(Math.abs)).toEqual(expected.map(Math.abs));
  });

  it("refuses a weight outside of -1, 0, +1 by name", () => {
    const make = (zeroPoint: number) => () =>
      new TernaryGemm(kernels(), {
        n: 1,
        k: 4,
        bits: 2,
        codes: Uint8Array.of(0b11_00_00_00),
        zeroPoint,
        x: inputs[0]!,
        output: { kind: "int32" },
      });
    expect(make(1)).toThrow(/ternary_gemm: code, expected 1, got 2/);
    expect(make(2)).toThrow(/ternary_gemm: code, expected -1, got -2/);
  });
}
