/** ±1 weights by bits or trits; see crates/kernels/src/xnor_gemm. */
import { binaryCounting } from "./binary.ts";
import type { BinaryCounting, KernelInstance } from "./instance.ts";
import { KernelObject, macCost, Parameters } from "./kernel-object.ts";
import { type Output, writeOutput } from "./output.ts";

export interface XnorGemmOptions {
  /** Output channels. */
  readonly n: number;
  /** k = taps * channels, at most 2^20. */
  readonly channels: number;
  /**
   * Runs of a row of x that each start a new 32-bit word: kernel height * width of a convolution, height * width of a flattened image of bits; absent: 1.
   */
  readonly taps?: number | undefined;
  /** [n, ceil(k / 8)], least significant bit first; 1 stands for -1. */
  readonly codes: Uint8Array;
  /** `bit` is -1 or +1, `trit` is -1, 0 or +1; absent: bit. */
  readonly x?: "bit" | "trit" | undefined;
  readonly output: Output;
  /** Absent: as the instance counts. */
  readonly counting?: BinaryCounting | undefined;
}

/** 32-bit words of a row of x: per tap ceil(channels / 32) sign words, and for trits as many non-zero words behind them. */
export function bitRowWords(channels: number, taps = 1, x: "bit" | "trit" = "bit"): number {
  return taps * Math.ceil(channels / 32) * (x === "trit" ? 2 : 1);
}

/** y[rows, n] = output(sum over k of x * w), exact in int32. */
export class XnorGemm extends KernelObject {
  /** @throws OutOfRangeError where n, taps, channels or k is 0 or too large; ShapeError where an array does not have its length */
  constructor(instance: KernelInstance, options: XnorGemmOptions | SharedWeights) {
    if ("of" in options) {
      super(instance, instance.check(instance.exports.xnor_gemm_of_bits(options.of.handle)), options.of.cost);
    } else {
      const { n, channels, taps = 1 } = options;
      super(instance, packWeights(instance, options), macCost.bits * n * taps * channels);
    }
  }

  /** This product for rows of bits, by the same weights, which both share: what a product of trits counts faster by where no trit is 0. */
  ofBits(): XnorGemm {
    return new XnorGemm(this.instance, { of: this });
  }

  /** @param x u32 [rows, bitRowWords] @param y int32, f32, bytes or u32 words of bits [rows, n] */
  run(x: number, rows: number, y: number): void {
    this.call(this.instance.exports.xnor_gemm_run, x, y, rows);
  }
}

/** A product of trits whose weights are shared. */
interface SharedWeights {
  readonly of: XnorGemm;
}

function packWeights(instance: KernelInstance, options: XnorGemmOptions): number {
  const { n, channels, taps = 1, codes, x = "bit", output } = options;
  const counting = options.counting ?? binaryCounting(instance, n * taps * channels);
  const parameters = new Parameters(instance).i32(
    n,
    taps,
    channels,
    x === "trit" ? 1 : 0,
    counting === "popcount" ? 1 : 0,
  );
  return writeOutput(parameters.array(codes), output).call(instance.exports.xnor_gemm_new);
}
