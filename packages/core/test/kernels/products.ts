/** Running a product over byte activations, for the suites of affine_gemm and ternary_gemm. */
import { expect } from "vitest";
import type { ActivationCodes } from "../../src/kernels/affine-gemm.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { integers, naiveProduct } from "./random.ts";

export const inputs: readonly ActivationCodes[] = [
  { dtype: "int8", zeroPoint: 0 },
  { dtype: "int8", zeroPoint: -128 },
  { dtype: "uint8", zeroPoint: 0 },
  { dtype: "uint8", zeroPoint: 131 },
];

interface Runnable {
  run(x: number, rows: number, y: number): void;
}

/** `count` seeded values of the dtype. */
export function activations({ dtype }: ActivationCodes, count: number, seed: number): number[] {
  const next = integers(seed);
  const low = dtype === "int8" ? -128 : 0;
  return Array.from({ length: count }, () => next(low, low + 255));
}

/** What `product` leaves in `count` int32. */
export function runBytes(
  kernels: KernelInstance,
  product: Runnable,
  x: readonly number[],
  rows: number,
  count: number,
) {
  const bytes = Uint8Array.from(x);
  const [from, to] = [kernels.upload(bytes), kernels.alloc(count * 4)];
  try {
    product.run(from, rows, to);
    return kernels.i32(to, count).slice();
  } finally {
    kernels.free(from, bytes.byteLength);
    kernels.free(to, count * 4);
  }
}

/** int32 sums equal sum over k of (x - zero point) * w. */
export function expectSums(
  kernels: KernelInstance,
  product: Runnable,
  { x, w, k, input }: { x: readonly number[]; w: readonly number[]; k: number; input: ActivationCodes },
): void {
  const [rows, n] = [x.length / k, w.length / k];
  const centred = x.map((value) => value - input.zeroPoint);
  const got = runBytes(kernels, product, x, rows, rows * n);
  expect(got, `${rows} x ${k} x ${n}, ${JSON.stringify(input)}`).toEqual(naiveProduct(centred, w, k));
}
