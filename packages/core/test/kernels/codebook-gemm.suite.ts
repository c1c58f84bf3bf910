import { expect, it } from "vitest";
import { codesPerRow } from "../../src/graph/constants.ts";
import { decodeWeights } from "../../src/graph/decode.ts";
import type { Decoding } from "../../src/graph/types.ts";
import { CodebookGemm } from "../../src/kernels/codebook-gemm.ts";
import { GemmF32 } from "../../src/kernels/gemm-f32.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { integers, packCodes, rowCounts, sizes } from "./random.ts";

const floats = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * i * 7) % 40) / 9 - 2);

/** Bits, and a decoding for so many scales. */
const cases: Readonly<Record<Decoding["kind"], readonly [bits: number, decoding: (scales: number) => Decoding]>> = {
  sign: [1, () => ({ kind: "sign" })],
  affine: [4, () => ({ kind: "affine", zeroPoint: 7 })],
  table: [3, () => ({ kind: "table", codebook: floats(8) })],
  product: [4, () => ({ kind: "product", codebook: floats(16), dimension: 1 })],
  offset: [5, (scales) => ({ kind: "offset", offset: floats(scales) })],
  bases: [3, (scales) => ({ kind: "bases", coefficients: floats(3 * scales) })],
  additive: [2, () => ({ kind: "additive", codebook: floats(3 * 4), dimension: 1, count: 3 })],
  hashed: [0, () => ({ kind: "hashed", values: floats(11), seed: 5 })],
};

export function codebookGemm(kernels: () => KernelInstance): void {
  it.each(Object.entries(cases))("%s codes: the bits of GemmF32 on the decoded weights", (_, [bits, decodingFor]) => {
    const instance = kernels();
    for (const [i, k] of sizes.entries()) {
      // Fewer columns than centroids: a product decoding is not looked up.
      const few = decodingFor(1).kind === "product";
      const n = few ? 1 + (i % 15) : sizes[(5 * i + 3) % sizes.length]!;
      const rows = rowCounts[i % rowCounts.length]!;
      const next = integers(i);
      const decoding = decodingFor(n);
      const perRow = codesPerRow(decoding, k);
      const codes = Array.from({ length: n * perRow }, () => next(0, 2 ** bits - 1));
      const scale = Float32Array.from({ length: n }, () => next(1, 999) / 499);
      const packed = packCodes(codes, perRow, bits);
      const scales = { scale, scaleShape: [n, 1] as const, groupSize: k };
      const weights = decodeWeights({
        kind: "quantized",
        scheme: "",
        shape: [n, k],
        bits,
        codes: packed,
        decoding,
        ...scales,
      });
      const x = Float32Array.from({ length: rows * k }, () => next(-5000, 5000) / 999);
      using coded = new CodebookGemm(instance, { n, k, bits, codes: packed, decoding, ...scales });
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
