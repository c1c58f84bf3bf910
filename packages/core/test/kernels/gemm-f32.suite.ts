import { expect, it } from "vitest";
import { GemmF32 } from "../../src/kernels/gemm-f32.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { integers, rowCounts, sizes } from "./random.ts";

/** One chain over ascending k, every step rounded. */
function chain(x: Float32Array, w: Float32Array, bias: number): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum = Math.fround(sum + Math.fround(x[k]! * w[k]!));
  return Math.fround(sum + bias);
}

export function gemmF32(kernels: () => KernelInstance): void {
  it("equals the chain over ascending k, bit for bit, on the grid of sizes", () => {
    const instance = kernels();
    const next = integers(4);
    const floats = (length: number) => Float32Array.from({ length }, () => next(-(1 << 20), 1 << 20) / 77777);
    for (const [i, k] of sizes.entries())
      for (const [j, n] of sizes.entries()) {
        const rows = rowCounts[(i + 3 * j) % rowCounts.length]!;
        const [x, weights, bias] = [floats(rows * k), floats(n * k), floats(n)];
        using gemm = new GemmF32(instance, { n, k, weights, bias, clamp: [-9, 9] });
        const [from, to] = [instance.upload(x), instance.alloc(rows * n * 4)];
        gemm.run(from, rows, to);
        const expected = Float32Array.from({ length: rows * n }, (_, at) => {
          const [r, c] = [Math.floor(at / n), at % n];
          const y = chain(x.subarray(r * k, (r + 1) * k), weights.subarray(c * k, (c + 1) * k), bias[c]!);
          return Math.min(Math.max(y, -9), 9);
        });
        expect(instance.f32(to, rows * n), `${rows} x ${k} x ${n}`).toEqual(expected);
        instance.free(from, x.byteLength);
        instance.free(to, rows * n * 4);
      }
  });
}
