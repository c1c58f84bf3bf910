import { expect, it } from "vitest";
import { packPlanes } from "../../src/kernels/bitpack.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { codeCoefficients, MultibitGemm, type MultibitGemmOptions } from "../../src/kernels/multibit-gemm.ts";
import { integers, naiveProduct, packCodes, packSigns, rowCounts, sizes } from "./random.ts";

/** A product, unpacked. */
export interface MultibitCase {
  readonly n: number;
  readonly k: number;
  /** [weightPlanes][n, k], ±1 */
  readonly w: readonly (readonly number[])[];
  /** [planes][rows, k], ±1 */
  readonly x: readonly (readonly number[])[];
  /** [weightPlanes, n] */
  readonly alpha: Float32Array;
  /** [rows, planes + 1] */
  readonly beta: Float32Array;
  readonly bias: Float32Array;
  readonly clamp: readonly [low: number, high: number];
}

const { fround } = Math;

/** The documented order, every step rounded to f32. */
export function naiveMultibit({ n, k, w, x, alpha, beta, bias, clamp }: MultibitCase): Float32Array {
  const rows = x[0]!.length / k;
  const dots = w.map((b) => [...x.map((a) => naiveProduct(a, b, k)), naiveProduct(Array(rows * k).fill(1), b, k)]);
  return Float32Array.from({ length: rows * n }, (_, at) => {
    let total = 0;
    for (const [i, of] of dots.entries()) {
      let s = 0;
      for (const [j, dot] of of.entries()) {
        s = fround(s + fround(beta[Math.floor(at / n) * of.length + j]! * dot[at]!));
      }
      total = fround(total + fround(alpha[i * n + (at % n)]! * s));
    }
    return Math.min(clamp[1], Math.max(clamp[0], fround(total + bias[at % n]!)));
  });
}

/** Planes of a row one after the other. */
function packRows({ x, k }: Pick<MultibitCase, "x" | "k">): Uint32Array {
  const rows = x[0]!.length / k;
  const lines = Array.from({ length: rows }, (_, r) => x.flatMap((plane) => plane.slice(r * k, (r + 1) * k)));
  return packSigns(lines.flat(), k, false);
}

/** What the kernel gives. */
export function runMultibit(
  kernels: KernelInstance,
  problem: MultibitCase,
  options: Partial<MultibitGemmOptions> = {},
  beta = problem.beta,
): Float32Array {
  const { n, k, w, x, alpha, bias, clamp } = problem;
  const codes = packCodes(
    w.flat().map((v) => (v < 0 ? 1 : 0)),
    k,
    1,
  );
  const shape = { n, k, weightPlanes: w.length, planes: x.length };
  const rows = x[0]!.length / k;
  const packed = packRows(problem);
  using gemm = new MultibitGemm(kernels, { ...shape, codes, alpha, bias, clamp, ...options });
  const [from, coefficients, to] = [kernels.upload(packed), kernels.upload(beta), kernels.alloc(4 * rows * n)];
  try {
    gemm.run(from, rows, to, coefficients, { perRow: beta.length > x.length + 1 });
    return kernels.f32(to, rows * n).slice();
  } finally {
    kernels.free(from, packed.byteLength);
    kernels.free(coefficients, beta.byteLength);
    kernels.free(to, 4 * rows * n);
  }
}

/** Seeded values; `planes` of weights, then of activations. */
function drawn(n: number, k: number, rows: number, planes: readonly [number, number], seed: number): MultibitCase {
  const next = integers(seed);
  const signs = (count: number) => Array.from({ length: count }, () => 1 - 2 * next(0, 1));
  const floats = (count: number) => Float32Array.from({ length: count }, () => next(-1000, 1000) / 777);
  return {
    ...{ n, k, clamp: seed % 2 === 0 ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [-3, 5] },
    w: Array.from({ length: planes[0] }, () => signs(n * k)),
    x: Array.from({ length: planes[1] }, () => signs(rows * k)),
    ...{ alpha: floats(planes[0] * n), beta: floats(rows * (planes[1] + 1)), bias: floats(n) },
  };
}

export function multibitGemm(kernels: () => KernelInstance): void {
  it("f32 outputs equal the documented order bit for bit, on the grid of sizes and of planes", () => {
    for (const [i, k] of sizes.entries())
      for (const [j, n] of sizes.entries()) {
        const planes = [((i + j) % 3) + 1, ((i + 2 * j) % 3) + 1] as const;
        const problem = drawn(n, k, rowCounts[(i + 3 * j) % rowCounts.length]!, planes, i * 100 + j);
        for (const counting of ["lookup", "popcount"] as const)
          expect(runMultibit(kernels(), problem, { counting }), `${k} x ${n}, ${planes}`).toEqual(
            naiveMultibit(problem),
          );
      }
    for (let planes = 1; planes <= 8; planes++) {
      const problem = drawn(9, 40, 5, [planes, 9 - planes], planes);
      expect(runMultibit(kernels(), problem), `${planes} planes`).toEqual(naiveMultibit(problem));
    }
  });

  it("coefficients for all are those of each row and channel", () => {
    const [beta, alpha] = [Float32Array.of(0.3, -1.7, 0.9), Float32Array.of(1.1, -0.4, 0.2)];
    const problem = {
      ...drawn(37, 45, 6, [3, 2], 4),
      ...{ beta: new Float32Array(18), alpha: new Float32Array(111), bias: new Float32Array(37) },
    };
    for (let r = 0; r < 6; r++) problem.beta.set(beta, 3 * r);
    for (let i = 0; i < 3; i++) problem.alpha.fill(alpha[i]!, 37 * i, 37 * i + 37);
    expect(runMultibit(kernels(), problem, { alpha, bias: undefined }, beta)).toEqual(naiveMultibit(problem));
  });

  it("K = 2^20 of equal signs: sums of ±2^20", () => {
    const plus = Array<number>(2 << 20).fill(1);
    for (const sign of [1, -1]) {
      const problem: MultibitCase = {
        ...drawn(2, 1 << 20, 1, [1, 1], 2),
        ...{ w: [plus], x: [plus.slice(1 << 20).map((v) => sign * v)], bias: new Float32Array(2) },
        ...{ alpha: Float32Array.of(1, 0.5), beta: Float32Array.of(1, 2) },
      };
      expect([...runMultibit(kernels(), problem)]).toEqual([(sign + 2) * 2 ** 20, (sign + 2) * 2 ** 19]);
    }
  });

  it.each([1, 2, 4, 8])("codes of %d bits, taken apart, are the activations of an integer product", (bits) => {
    const [rows, k, n, zeroPoint] = [3, 70, 6, bits] as const;
    const next = integers(bits);
    const codes = Array.from({ length: rows * k }, () => next(0, 2 ** bits - 1));
    const w = Array.from({ length: n * k }, () => 1 - 2 * next(0, 1));
    const expected = naiveProduct(
      codes.map((code) => code - zeroPoint),
      w,
      k,
    );
    const instance = kernels();
    using gemm = new MultibitGemm(instance, {
      ...{ n, k, weightPlanes: 1, planes: bits, alpha: Float32Array.of(1) },
      codes: packCodes(
        w.map((v) => (v < 0 ? 1 : 0)),
        k,
        1,
      ),
    });
    const words = rows * bits * Math.ceil(k / 32);
    const [from, x, y] = [
      instance.upload(Uint8Array.from(codes)),
      instance.alloc(4 * words),
      instance.alloc(4 * rows * n),
    ];
    const beta = instance.upload(codeCoefficients(bits, 0.5, zeroPoint));
    packPlanes(instance, from, rows, k, bits, x);
    gemm.run(x, rows, y, beta);
    // Quarters of small integers: nothing is rounded.
    expect([...instance.f32(y, rows * n)]).toEqual([...expected].map((sum) => sum / 2));
    for (const [pointer, bytes] of [
      [from, rows * k],
      [x, 4 * words],
      [y, 4 * rows * n],
      [beta, 4 * (bits + 1)],
    ] as const)
      instance.free(pointer, bytes);
  });

  it("refuses sizes, planes, lengths and coefficients by name", () => {
    const good = { n: 2, k: 9, weightPlanes: 3, planes: 2, codes: new Uint8Array(12), alpha: new Float32Array(6) };
    const make = (wrong: Partial<MultibitGemmOptions>) => () => new MultibitGemm(kernels(), { ...good, ...wrong });
    expect(make({ n: 0 })).toThrow(/multibit_gemm: columns \(N\), expected 1, got 0/);
    expect(make({ k: 2 ** 20 + 1 })).toThrow(/multibit_gemm: depth \(K\), expected 1048576, got 1048577/);
    expect(make({ planes: 9 })).toThrow(/multibit_gemm: planes, expected 8, got 9/);
    expect(make({ codes: new Uint8Array(11) })).toThrow(/multibit_gemm: bytes of codes, expected 12, got 11/);
    expect(make({ alpha: new Float32Array(4) })).toThrow(/multibit_gemm: scales, expected 6, got 4/);
    expect(make({ bias: new Float32Array(3) })).toThrow(/multibit_gemm: biases, expected 2, got 3/);
    expect(make({ alpha: Float32Array.of(1, Number.NaN, 1) })).toThrow(/multibit_gemm: finite value at position/);
    expect(make({ clamp: [1, 0] })).toThrow(/multibit_gemm: clamp/);

    const instance = kernels();
    using gemm = make({})();
    const [x, y, beta] = [instance.alloc(16), instance.alloc(16), instance.alloc(12)];
    instance.f32(beta, 3).set([1, 1, Number.POSITIVE_INFINITY]);
    expect(() => gemm.run(x, 2, y, beta)).toThrow(/multibit_gemm: finite value at position, expected 0, got 2/);
    expect(() => gemm.run(x, 3, y, beta)).toThrow(/multibit_gemm: length in elements/);
    expect(() => gemm.run(x, 2, y, beta, { perRow: true })).toThrow(/multibit_gemm: length in elements/);
    expect(() => gemm.run(x, 1, x + 4, beta)).toThrow(/memory in use/);
    instance.free(x, 16);
    instance.free(y, 16);
    instance.free(beta, 12);
  });
}
