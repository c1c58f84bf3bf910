/** f32 matrix products in one fixed order of operations; see crates/kernels/src/gemm_f32. */
import type { Clamp } from "../graph/types.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, macCost, Parameters } from "./kernel-object.ts";
import { unclamped } from "./output.ts";

export interface GemmF32Options {
  /** Output channels. */
  readonly n: number;
  /** Elements of a row of x. */
  readonly k: number;
  /** [n, k] row-major. */
  readonly weights: Float32Array;
  /** [n]; absent: zeros. */
  readonly bias?: Float32Array | undefined;
  readonly clamp?: Clamp | undefined;
}

/** y[rows, n] = clamp(x[rows, k] · weights[n, k]ᵀ + bias[n]); every sum one chain over ascending k without fused multiply-add. */
export class GemmF32 extends KernelObject {
  /** @throws ShapeError where an array does not have its length, OutOfRangeError where n or k is 0 or the clamp is empty */
  constructor(instance: KernelInstance, { n, k, weights, bias, clamp = unclamped }: GemmF32Options) {
    const parameters = new Parameters(instance)
      .i32(n, k)
      .array(weights)
      .array(bias)
      .f32(...clamp);
    const handle = parameters.call(instance.exports.gemm_f32_new);
    super(instance, handle, macCost.floats * n * k);
  }

  /** @param x f32 [rows, k] @param y f32 [rows, n] */
  run(x: number, rows: number, y: number): void {
    this.call(this.instance.exports.gemm_f32_run, x, y, rows);
  }
}

/** y[m, n] = a[m, k] · b[k, n], both f32 activations, in the order of {@link GemmF32}. */
export class MatmulF32 extends KernelObject {
  constructor(instance: KernelInstance, { m, n, k }: { readonly m: number; readonly n: number; readonly k: number }) {
    super(instance, instance.check(instance.exports.matmul_f32_new(m, n, k)));
  }

  /**
   * @param a f32 [batch, m, k]; one matrix for all where `aStride` is 0
   * @param b f32 [batch, k, n]; one matrix for all where `bStride` is 0
   * @param y f32 [batch, m, n]
   * @param aStride elements from one matrix of a to the next: m * k or 0
   * @param bStride elements from one matrix of b to the next: k * n or 0
   */
  run(a: number, b: number, y: number, batch: number, aStride: number, bStride: number): void {
    this.instance.check(this.instance.exports.matmul_f32_run(this.handle, a, b, y, batch, aStride, bStride));
  }
}
