import { expect, it } from "vitest";
import type { Decoding } from "../../src/graph/types.ts";
import { CodebookGemm } from "../../src/kernels/codebook-gemm.ts";
import { GemmF32 } from "../../src/kernels/gemm-f32.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { integers, packCodes, rowCounts, sizes } from "./random.ts";

const cases: readonly (readonly [name: string, bits: number, decoding: Decoding])[] = [
  ["sign", 1, { kind: "sign" }],
  ["affine", 4, { kind: "affine", zeroPoint: 7 }],
  ["table", 3, { kind: "table", codebook: Float32Array.from({ length: 8 }, (_, i) => (i * i - 20) / 7) }],
];

function level(decoding: Decoding, code: number): number {
  if (decoding.kind === "sign") return code ? -1 : 1;
  if (decoding.kind === "table") return decoding.codebook[code]!;
  return decoding.kind === "affine" ? code - (decoding.zeroPoint as number) : Number.NaN;
}

export function codebookGemm(kernels: () => KernelInstance): void {
  it.each(cases)("%s codes: the bits of GemmF32 on the decoded weights", (_, bits, decoding) => {
    const instance = kernels();
    for (const [i, k] of sizes.entries()) {
      const [n, rows] = [sizes[(5 * i + 3) % sizes.length]!, rowCounts[i % rowCounts.length]!];
      const next = integers(i);
      const codes = Array.from({ length: n * k }, () => next(0, 2 ** bits - 1));
      const scale = Float32Array.from({ length: n }, () => next(1, 999) / 499);
      const weights = Float32Array.from(codes, (code, at) => level(decoding, code) * scale[Math.floor(at / k)]!);
      const x = Float32Array.from({ length: rows * k }, () => next(-5000, 5000) / 999);
      const packed = packCodes(codes, k, bits);
      using coded = new CodebookGemm(instance, { n, k, bits, codes: packed, decoding, scale, scaleShape: [n, 1] });
      using plain = new GemmF32(instance, { n, k, weights });
      const [from, to, reference] = [instance.upload(x), instance.alloc(rows * n * 4), instance.alloc(rows * n * 4)];
      coded.run(from, rows, to);
      plain.run(from, rows, reference);
      expect(instance.u32(to, rows * n), `${rows} x ${k} x ${n}`).toEqual(instance.u32(reference, rows * n));
      for (const [pointer, bytes] of [
        [from, x.byteLength],
        [to, rows * n * 4],
        [reference, rows * n * 4],
      ] as const)
        instance.free(pointer, bytes);
    }
  });

  it("product codes: partial dots summed over ascending sub-vectors", () => {
    const instance = kernels();
    const [n, k, d, rows] = [40, 24, 4, 3];
    const next = integers(1);
    const codebook = Float32Array.from({ length: 16 * d }, () => next(-99, 99) / 70);
    const codes = Array.from({ length: (n * k) / d }, () => next(0, 15));
    const x = Float32Array.from({ length: rows * k }, () => next(-99, 99) / 30);
    const decoding = { kind: "product", codebook, dimension: d } as const;
    using gemm = new CodebookGemm(instance, { n, k, bits: 4, codes: packCodes(codes, k / d, 4), decoding });
    const [from, to] = [instance.upload(x), instance.alloc(rows * n * 4)];
    gemm.run(from, rows, to);
    const expected = Float32Array.from({ length: rows * n }, (_, at) => {
      const [m, column] = [Math.floor(at / n), at % n];
      let y = 0;
      for (let s = 0; s < k / d; s++) {
        let dot = 0;
        const centroid = codes[(column * k) / d + s]! * d;
        for (let i = 0; i < d; i++)
          dot = Math.fround(dot + Math.fround(x[m * k + s * d + i]! * codebook[centroid + i]!));
        y = Math.fround(y + dot);
      }
      return y;
    });
    expect(instance.f32(to, rows * n)).toEqual(expected);
    instance.free(from, x.byteLength);
    instance.free(to, rows * n * 4);
  });
}
