/** Weights -1, 0, +1 (or ±1) by int8 or uint8 activations; see crates/kernels/src/ternary_gemm. */
import type { ActivationCodes } from "./affine-gemm.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, macCost, Parameters } from "./kernel-object.ts";
import { type Output, writeOutput } from "./output.ts";

export interface TernaryGemmOptions {
  /** Output channels. */
  readonly n: number;
  /** At most 2^20. */
  readonly k: number;
  /** Per code, 1..8. */
  readonly bits: number;
  /** [n, ceil(k * bits / 8)], least significant bit first. */
  readonly codes: Uint8Array;
  /** A code stands for code - zeroPoint, which must be -1, 0 or +1; one for the tensor, or one per row. `"sign"`: 1 bit, 0 for +1 and 1 for -1. */
  readonly zeroPoint: number | Int32Array | "sign";
  readonly x: ActivationCodes;
  /** Bits of the lanes that the tier `relaxed` adds dots in, the same result; absent: whichever takes fewer instructions on this processor. */
  readonly dot?: 16 | 32;
  readonly output: Output;
}

/** y[rows, n] = output(sum over k of (x - x.zeroPoint) * w), exact in int32. */
export class TernaryGemm extends KernelObject {
  /** @throws OutOfRangeError where a weight is not -1, 0 or +1 or a size is 0 or too large; ShapeError where an array does not have its length */
  constructor(instance: KernelInstance, { n, k, bits, codes, zeroPoint, x, dot, output }: TernaryGemmOptions) {
    const zeroPoints = typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint;
    const parameters = new Parameters(instance)
      .i32(n, k, bits)
      .array(codes)
      .array(zeroPoints === "sign" ? undefined : zeroPoints)
      .i32(x.dtype === "uint8" ? 1 : 0, x.zeroPoint, dot ?? 0);
    const handle = writeOutput(parameters, output).call(instance.exports.ternary_gemm_new);
    super(instance, handle, macCost.bytes * n * k);
  }

  /** @param x int8 or uint8 [rows, k] @param y int32, f32, bytes or bits [rows, n] */
  run(x: number, rows: number, y: number): void {
    this.call(this.instance.exports.ternary_gemm_run, x, y, rows);
  }
}
