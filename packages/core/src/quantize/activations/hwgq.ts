/** HWGQ: the best levels for what a ReLU lets through of a Gaussian. */
import type { Method } from "../method.ts";
import { HWGQ } from "../papers.ts";
import { activationQuantizer, checkActivationBits, checkPositive, wholeOf } from "./codes.ts";
import { activationRow } from "./methods.ts";
import type { ActivationQuantizer } from "./types.ts";

export interface HwgqOptions {
  /** 2^b - 1 positive levels beside 0: 1..4. */
  readonly bits: 1 | 2 | 3 | 4;
  /** Levels a step apart, for integer kernels. Default false. */
  readonly uniform?: boolean;
  /** Standard deviation of what comes into the ReLU: 1 behind a batch normalization. Default 1. */
  readonly deviation?: number;
}

/**
 * Positive levels of N(0,1) with the least E(Q(x) - max(x, 0))², each the mean of its interval, boundaries midway (Lloyd): those above 0 of the Lloyd-Max
 * quantizer of N(0,1) with 2 (2^b - 1) levels. By fixed-point iteration of the exact conditional means, to seven digits.
 */
const LEVELS: Readonly<Record<HwgqOptions["bits"], readonly number[]>> = {
  1: [0.7978846],
  2: [0.3177164, 1.000106, 1.8935948],
  3: [0.1457062, 0.4413209, 0.7504426, 1.0856353, 1.4675283, 1.9386124, 2.6250625],
  4: [
    0.0701552, 0.2109281, 0.3531096, 0.4977137, 0.6458763, 0.798927, 0.9584904, 1.1266399, 1.3061468, 1.5009123,
    1.7167789, 1.9632238, 2.2574403, 2.6366142, 3.2135622,
  ],
};

/** The step of least error where the levels are Δ, 2Δ ... (2^b - 1) Δ. */
const STEPS: Readonly<Record<HwgqOptions["bits"], number>> = { 1: 0.7978846, 2: 0.5388119, 3: 0.3217289, 4: 0.1842433 };

/**
 * Half-wave Gaussian quantization (Cai et al., eq. 7 to 9): with pre-activations taken for N(0, σ²)
 *
 *   Q(x) = q_i for x in (t_i, t_{i+1}], 0 for x <= 0,   Q* = argmin E(Q(x) - max(x, 0))²,
 *
 * t_1 = 0 and t_i midway between levels; `uniform` keeps q_{i+1} - q_i = q_1 = Δ. So every positive x, however small, is at least q_1. Relative error of max(x, 0) for N(0,1) at 1..4 bits: 0.3634,
 * 0.0580, 0.01223, 0.00284 (uniform 0.3634, 0.0864, 0.0204, 0.0050). Range: 0..q_max·σ.
 *
 * Gradient in training: ∂Q/∂x = 1 for 0 < x <= q_max, else 0, the clipped ReLU's (`clippedGradients`).
 */
export function hwgq({ bits, uniform = false, deviation = 1 }: HwgqOptions): ActivationQuantizer {
  const scheme = `hwgq${bits}${uniform ? ":uniform" : ""}`;
  checkActivationBits(scheme, bits, 1, 4);
  checkPositive(scheme, "standard deviation", deviation);
  const levels = hwgqLevels(bits, uniform);
  const scale = Float32Array.of(uniform ? STEPS[bits] * deviation : deviation);
  // In the place of 0 the mirror of the first level: the boundary between the two is 0, which goes to the lower one.
  const codebook = Float32Array.of(-levels[0]!, ...levels);
  const scaling = Float32Array.of(deviation);
  const quantization = uniform ? { scale: scale[0]!, zeroPoint: 0 } : undefined;
  return activationQuantizer({ scheme, bits, paper: HWGQ }, quantization, (x, tokens) => ({
    codes: x.nearest(codebook, 1, { grouping: wholeOf(tokens), scale: scaling }),
    scale,
    levels: uniform ? undefined : Float32Array.of(0, ...levels),
  }));
}

/** The positive levels for N(0,1), ascending. */
export function hwgqLevels(bits: HwgqOptions["bits"], uniform = false): readonly number[] {
  return uniform ? LEVELS[bits].map((_, i) => (i + 1) * STEPS[bits]) : LEVELS[bits];
}

const row = {
  file: "activations/hwgq.ts",
  paper: HWGQ,
  laws: ["levels satisfy Lloyd's conditions by integration"],
} as const;

export const hwgqMethods: readonly Method[] = [
  activationRow({
    ...row,
    method: "Half-wave Gaussian quantization",
    published: "0.0580 on max(N(0,1), 0), 2 bits; ResNet-18 W1/A2 59.6 %",
    kernel: "codebook_gemm on dequantized activations",
    quantizer: hwgq({ bits: 2 }),
  }),
  activationRow({
    ...row,
    method: "Half-wave Gaussian quantization, uniform",
    published: "0.0864 on max(N(0,1), 0), 2 bits, Δ = 0.538",
    kernel: "affine_gemm (int8 activations)",
    quantizer: hwgq({ bits: 2, uniform: true }),
  }),
];
