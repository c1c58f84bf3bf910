/** LSQ: a learned step. */
import type { KernelInstance } from "../../kernels/instance.ts";
import type { Method } from "../method.ts";
import { LSQ } from "../papers.ts";
import { LEAST_FLOAT } from "../powers.ts";
import { checkActivationBits, checkPositive, fixedGrid } from "./codes.ts";
import { clip } from "./gradients.ts";
import { activationRow } from "./methods.ts";
import { activationCalibrator } from "./observer.ts";
import type { ActivationBits, ActivationCalibrator, ActivationQuantizer } from "./types.ts";

export interface LsqOptions {
  /** b, from 2 where signed. */
  readonly bits: ActivationBits;
  /** Levels on both sides of 0. Default false: activations behind a ReLU. */
  readonly signed?: boolean;
}

/** Q_N and Q_P: unsigned 0 and 2^b - 1, signed 2^(b-1) and 2^(b-1) - 1. */
const limits = (bits: number, signed: boolean): { below: number; above: number } =>
  signed ? { below: 2 ** (bits - 1), above: 2 ** (bits - 1) - 1 } : { below: 0, above: 2 ** bits - 1 };

/**
 * Learned step size quantization (Esser et al., eq. 1 and 2):
 *
 *   v̄ = round(clip(v / s, -Q_N, Q_P)),   v̂ = v̄ · s,
 *
 * with the step as it is to start from, s₀ = 2 E|v| / √Q_P over what calibration sees; training then moves it (`lsqGradients`, `lsqStep`). Range: -Q_N·s..Q_P·s, ties to even. 0 stays;
 * activations that were all 0 get the least step f32 has.
 */
export function lsq({ bits, signed = false }: LsqOptions): ActivationCalibrator {
  const traits = { scheme: `lsq${bits}${signed ? ":signed" : ""}`, bits, paper: LSQ };
  checkActivationBits(traits.scheme, bits, signed ? 2 : 1);
  return activationCalibrator(traits, ({ meanAbs }) => {
    const step = Math.fround((2 * meanAbs) / Math.sqrt(limits(bits, signed).above));
    return lsqStep({ bits, signed, step: Math.max(step, LEAST_FLOAT) });
  });
}

/** LSQ with a step that training found. */
export function lsqStep({ bits, signed = false, step }: LsqOptions & { readonly step: number }): ActivationQuantizer {
  const scheme = `lsq${bits}${signed ? ":signed" : ""}`;
  checkActivationBits(scheme, bits, signed ? 2 : 1);
  checkPositive(scheme, "step", step);
  const { below } = limits(bits, signed);
  return fixedGrid(
    { scheme, bits, paper: LSQ },
    { scale: Math.fround(step), zeroPoint: below, minCode: 0, maxCode: 2 ** bits - 1 },
  );
}

/**
 * LSQ's gradients (eq. 3 and 5, section 2.2):
 *
 *   ∂v̂/∂s = round(v/s) - v/s for -Q_N < v/s < Q_P, -Q_N below, Q_P above;   ∂v̂/∂v = 1 inside, else 0;
 *
 * that of s is multiplied by g = 1 / √(N·Q_P), N the activations of the tensor.
 *
 * @param v what was quantized
 * @param gradient ∂L/∂v̂, as many
 * @returns ∂L/∂v and g·∂L/∂s, summed over all elements
 * @throws ShapeError, OutOfRangeError
 */
export async function lsqGradients(
  v: Float32Array,
  gradient: Float32Array,
  { bits, signed = false, step }: LsqOptions & { readonly step: number },
  kernels?: KernelInstance,
): Promise<{ v: Float32Array; step: number }> {
  checkActivationBits("lsq", bits, signed ? 2 : 1);
  checkPositive("lsq", "step", step);
  const { below, above } = limits(bits, signed);
  const s = Math.fround(step);
  const ends = { low: Math.fround(-below * s), high: Math.fround(above * s), step: s };
  const sums = await clip("lsqGradients", v, gradient, ends, kernels);
  const total = sums.inside - below * sums.below + above * sums.above;
  return { v: sums.dx, step: total / Math.sqrt(Math.max(1, v.length) * above) };
}

export const lsqMethod: Method = activationRow({
  method: "LSQ, the step that training starts from",
  file: "activations/lsq.ts",
  paper: LSQ,
  published: "s₀ = 2 E|v| / √Q_P; ResNet-18 W2/A2 67.6 % once learned",
  kernel: "affine_gemm (int8 activations)",
  quantizer: lsq({ bits: 4 }),
  laws: ["gradients equal differences along straight-through paths"],
});
