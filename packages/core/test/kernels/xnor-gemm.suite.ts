import { expect, it } from "vitest";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import type { Output } from "../../src/kernels/output.ts";
import { bitRowWords, XnorGemm } from "../../src/kernels/xnor-gemm.ts";
import { integers, naiveProduct, packCodes, packSigns, rowCounts, sizes } from "./random.ts";

interface Case {
  readonly n: number;
  readonly taps: number;
  readonly channels: number;
  readonly rows: number;
  readonly x: "bit" | "trit";
}

/** Seeded values of a case, unpacked. */
function values({ n, taps, channels, rows, x }: Case): { x: number[]; w: number[] } {
  const next = integers(n * 31 + taps * 7 + channels * 3 + rows);
  const k = taps * channels;
  const activation = x === "bit" ? () => 1 - 2 * next(0, 1) : () => next(-1, 1);
  return {
    x: Array.from({ length: rows * k }, activation),
    w: Array.from({ length: n * k }, () => 1 - 2 * next(0, 1)),
  };
}

/** The kernel's output as 32-bit words (bytes: one to an element). */
function run(
  kernels: KernelInstance,
  problem: Case,
  data: { x: number[]; w: number[] },
  output: Output,
): ArrayLike<number> {
  const { n, taps, channels, rows } = problem;
  const codes = packCodes(
    data.w.map((w) => (w < 0 ? 1 : 0)),
    taps * channels,
    1,
  );
  const elements = rows * (output.kind === "bits" ? Math.ceil(n / 32) : n);
  const packed = packSigns(data.x, channels, problem.x === "trit");
  expect(packed.length).toBe(rows * bitRowWords(channels, taps, problem.x));
  using gemm = new XnorGemm(kernels, { n, channels, taps, codes, x: problem.x, output });
  const [x, y] = [kernels.upload(packed), kernels.alloc(elements * 4)];
  try {
    gemm.run(x, rows, y);
    return output.kind === "int8" ? kernels.i8(y, elements).slice() : kernels.u32(y, elements).slice();
  } finally {
    kernels.free(x, packed.byteLength);
    kernels.free(y, elements * 4);
  }
}

function expectExact(kernels: KernelInstance, problem: Case): void {
  const data = values(problem);
  const expected = naiveProduct(data.x, data.w, problem.taps * problem.channels);
  const got = run(kernels, problem, data, { kind: "int32" }) as Uint32Array;
  expect(new Int32Array(got.buffer), JSON.stringify(problem)).toEqual(expected);
}

export function xnorGemm(kernels: () => KernelInstance): void {
  it.each(["bit", "trit"] as const)("int32 sums of %s rows equal naive on the grid of sizes", (x) => {
    for (const [i, channels] of sizes.entries())
      for (const [j, n] of sizes.entries()) {
        const rows = rowCounts[(i + 3 * j) % rowCounts.length]!;
        expectExact(kernels(), { n, taps: 1, channels, rows, x });
      }
    for (const rows of rowCounts) expectExact(kernels(), { n: 70, taps: 9, channels: 20, rows, x });
  });

  it.each(["bit", "trit"] as const)("K = 2^20 of equal signs by %s: sums of ±2^20", (x) => {
    const problem: Case = { n: 2, taps: 1, channels: 1 << 20, rows: 2, x };
    const plus = Array.from({ length: 2 << 20 }, () => 1);
    const minus = plus.map(() => -1);
    for (const [a, w, sum] of [
      [plus, plus, 1],
      [plus, minus, -1],
      [minus, minus, 1],
    ] as const) {
      const got = run(kernels(), problem, { x: a, w }, { kind: "int32" }) as Uint32Array;
      expect([...new Int32Array(got.buffer)]).toEqual([sum, sum, sum, sum].map((s) => s * (1 << 20)));
    }
  });

  it("thresholds give bits, 32 to a word, spare bits 0", () => {
    const problem: Case = { n: 45, taps: 1, channels: 50, rows: 5, x: "bit" };
    const data = values(problem);
    const next = integers(9);
    const thresholds = Int32Array.from({ length: 45 }, () => next(-12, 12));
    const sums = naiveProduct(data.x, data.w, 50);
    const signs = [...sums].map((sum, i) => (sum < thresholds[i % 45]! ? -1 : 1));
    expect(run(kernels(), problem, data, { kind: "bits", thresholds })).toEqual(packSigns(signs, 45, false));
  });

  it("scale, bias and clamp round each step to f32", () => {
    const problem: Case = { n: 19, taps: 1, channels: 130, rows: 3, x: "trit" };
    const data = values(problem);
    const next = integers(10);
    const [scale, bias] = [0, 1].map(() => Float32Array.from({ length: 19 }, () => next(-1000, 1000) / 777));
    const expected = [...naiveProduct(data.x, data.w, 130)].map((sum, i) => {
      const y = Math.fround(Math.fround(Math.fround(sum) * scale![i % 19]!) + bias![i % 19]!);
      return Math.min(Math.max(y, -1.5), 6);
    });
    const got = run(kernels(), problem, data, {
      kind: "f32",
      scale: scale!,
      bias: bias!,
      clamp: [-1.5, 6],
    }) as Uint32Array;
    expect([...new Float32Array(got.buffer)]).toEqual(expected.map(Math.fround));
  });

  it("refuses sizes of 0, K above 2^20, and codes of another length, by name", () => {
    const make = (n: number, channels: number, taps: number, bytes: number) => () =>
      new XnorGemm(kernels(), { n, channels, taps, codes: new Uint8Array(bytes), output: { kind: "int32" } });
    expect(make(0, 8, 1, 0)).toThrow(/xnor_gemm: columns \(N\), expected 1, got 0/);
    expect(make(1, 0, 1, 0)).toThrow(/xnor_gemm: channels, expected 1, got 0/);
    expect(make(1, 1 << 20, 2, 0)).toThrow(/xnor_gemm: depth \(K\), expected 1048576, got 2097152/);
    expect(make(2, 9, 1, 3)).toThrow(/xnor_gemm: bytes of codes, expected 4, got 3/);
  });

  it("refuses pointers outside of the instance's blocks, and keeps working", () => {
    const instance = kernels();
    using gemm = new XnorGemm(instance, { n: 1, channels: 8, codes: Uint8Array.of(0), output: { kind: "int32" } });
    const block = instance.alloc(64);
    expect(() => gemm.run(16, 1, block)).toThrow(/xnor_gemm: pointer/);
    expect(() => gemm.run(block + 2, 1, block + 32)).toThrow(/alignment/);
    expect(() => gemm.run(block, 1, block)).toThrow(/memory in use/);
    expect(() => gemm.run(block, 17, block + 4)).toThrow(/length in elements/);
    gemm.run(block, 1, block + 4);
    expect(instance.i32(block + 4, 1)[0]).toBe(8);
    instance.free(block, 64);
  });
}
