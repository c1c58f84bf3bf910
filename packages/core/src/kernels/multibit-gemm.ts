/** Weights and activations as sums of ±1 planes; see crates/kernels/src/multibit_gemm. */
import type { Clamp } from "../graph/types.ts";
import { binaryCounting } from "./binary.ts";
import type { BinaryCounting, KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";
import { unclamped } from "./output.ts";

export interface MultibitGemmOptions {
  /** Output channels. */
  readonly n: number;
  /** At most 2^20. */
  readonly k: number;
  /** Of the weights, 1..8. */
  readonly weightPlanes: number;
  /** Of the activations, 1..8. */
  readonly planes: number;
  /** [weightPlanes, n, ceil(k / 8)], least significant bit first; 1 stands for -1. */
  readonly codes: Uint8Array;
  /** Coefficients of the planes of the weights: [weightPlanes, n], or [weightPlanes] for all channels. Finite. */
  readonly alpha: Float32Array;
  /** [n]; absent: zeros. */
  readonly bias?: Float32Array | undefined;
  readonly clamp?: Clamp | undefined;
  /** Absent: as the instance counts. */
  readonly counting?: BinaryCounting | undefined;
}

/**
 * W ≈ sum of alpha_i B_i by A ≈ sum of beta_j A_j + gamma, B_i and A_j of ±1 (ABC-Net, arXiv:1711.11294; LQ-Nets, arXiv:1807.10029). With d_ij = A_j · B_i and
 * w_i = the sum of B_i, which are exact, and every step rounded to f32:
 *
 *     s_i  = (((0 + beta_0 d_i0) + beta_1 d_i1) + ...) + gamma w_i
 *     y[n] = clamp((((0 + alpha_0 s_0) + alpha_1 s_1) + ...) + bias)
 *
 * A run is not shared out among threads.
 */
export class MultibitGemm extends KernelObject {
  /** @throws OutOfRangeError where n, k or a number of planes is out of range, or a coefficient not finite; ShapeError where an array does not have its length */
  constructor(instance: KernelInstance, options: MultibitGemmOptions) {
    const { n, k, weightPlanes, planes, codes, alpha, bias, clamp = unclamped } = options;
    const counting = options.counting ?? binaryCounting(instance, weightPlanes * n * k);
    const parameters = new Parameters(instance)
      .i32(n, k, weightPlanes, planes, counting === "popcount" ? 1 : 0)
      .array(codes)
      .array(alpha)
      .array(bias)
      .f32(...clamp);
    super(instance, parameters.call(instance.exports.multibit_gemm_new));
  }

  /**
   * @param x u32 [rows, planes, ceil(k / 32)]: a row is its planes one after the other, as `packSigns` and `packPlanes` write them
   * @param beta f32 [planes + 1], the last being gamma; `perRow`: [rows, planes + 1]. Finite
   * @param y f32 [rows, n]
   */
  run(x: number, rows: number, y: number, beta: number, { perRow = false }: { readonly perRow?: boolean } = {}): void {
    this.instance.check(this.instance.exports.multibit_gemm_run(this.handle, x, beta, y, rows, perRow ? 1 : 0));
  }
}

/**
 * The coefficients of unsigned codes that `packPlanes` took apart, real = (code - zeroPoint) * scale: scale * 2^(j - 1) for plane j, and
 * scale * ((2^bits - 1) / 2 - zeroPoint) as gamma.
 * @param bits 1..8
 * @returns [bits + 1], the `beta` of {@link MultibitGemm.run}
 */
export function codeCoefficients(bits: number, scale: number, zeroPoint = 0): Float32Array {
  const beta = Float32Array.from({ length: bits + 1 }, (_, j) => scale * 2 ** (j - 1));
  beta[bits] = scale * ((2 ** bits - 1) / 2 - zeroPoint);
  return beta;
}
