/** ADMM: training under the constraint that weights are low-bit. */
import { ShapeError } from "../../errors.ts";
import { checkInteger, defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Method } from "../method.ts";
import { ADMM } from "../papers.ts";
import { quantize } from "../quantize.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { DecodingKind, FloatTensor, Per, QuantizeOptions, Quantizer } from "../types.ts";
import { bitsFor } from "../vector/kmeans.ts";
import { integerLevels, powerLevels, projectOnLevels } from "./scaled-levels.ts";

/**
 * The projection of extremely low bit networks by ADMM (Leng et al.): min ‖V - α Q‖² over α >= 0 and Q in {-1, 0, +1}ⁿ, in alternation
 *
 *   Q = Π(V / α), the nearest level;   α = VᵀQ / QᵀQ
 *
 * until α stays as it is. In training V = W + λ ({@link admmStep}).
 *
 * Range: {-α, 0, +α} per group (default: per output channel; the paper has one α per layer, `tensor`). Gradient in training: none through Q; the constraint pulls W by
 * ρ (W - G + λ). Relative MSE on N(0,1): 0.1902, the ternary optimum, as `ternary:mse` finds it by the same two conditions.
 */
export function admmTernary({ per = "channel" }: { readonly per?: Per } = {}): Quantizer<"affine", false, "weights"> {
  const levels = integerLevels(1);
  return defineQuantizer({
    scheme: `admm:ternary${perSuffix(per, "channel")}`,
    decoding: "affine",
    bits: 2,
    codebook: "fixed",
    per,
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "nearest", "optimalScale", "keepsZero"],
    paper: ADMM,
    encode(w) {
      const { codes, scale } = projectOnLevels(w, levels);
      return { codes, decoding: { kind: "affine", zeroPoint: 1 }, scale };
    },
  });
}

export interface AdmmShiftOptions {
  /** The largest shift, 1..6: levels 0, ±1, ±2 ... ±2^shift. */
  readonly shift: number;
  readonly per?: Per;
}

/**
 * {@link admmTernary} with levels whose products are shifts: α {0, ±1, ±2} (`shift` 1), α {0, ±1, ±2, ±4} (2) and so on, the paper's {-2, +2} and {-4, +4}.
 * Stored as a table times α. Equally near levels: the larger.
 */
export function admmShift({ shift, per = "channel" }: AdmmShiftOptions): Quantizer<"table", false, "weights"> {
  checkInteger("admm:shift<n>", "shift", shift, 1, 6);
  const levels = powerLevels(shift + 1);
  return defineQuantizer({
    scheme: `admm:shift${shift}${perSuffix(per, "channel")}`,
    decoding: "table",
    bits: bitsFor(levels.values.length),
    codebook: "fixed",
    per,
    laws: ["scaleEquivariant", "signSymmetric", "nearest", "optimalScale", "keepsZero"],
    paper: ADMM,
    encode(w) {
      const { codes, scale } = projectOnLevels(w, levels);
      return { codes, decoding: { kind: "table", codebook: levels.values }, scale };
    },
  });
}

/** What a step of ADMM leaves beside the weights: both shaped as they are. */
export interface AdmmState {
  /** G: the low-bit copy of the weights. */
  readonly copy: Float32Array;
  /** λ: the scaled multiplier, the sum of what W and G differed by; zeros at the start. */
  readonly multiplier: Float32Array;
}

/**
 * One step of ADMM for min f(W) subject to W = G, G low-bit, after the weights have moved along {@link admmGradient}:
 *
 *   G ← Π(W + λ);   λ ← λ + W - G.
 *
 * @param weights W
 * @param multiplier λ, as many numbers
 * @param quantizer Π, any quantizer of weights alone: `admmTernary()`, `binary()` ...
 * @throws ShapeError where λ has another length; what {@link quantize} throws
 */
export async function admmStep<D extends DecodingKind>(
  weights: FloatTensor,
  multiplier: Float32Array,
  quantizer: Quantizer<D, false, "weights">,
  options: QuantizeOptions<false, "weights"> = {},
): Promise<AdmmState> {
  const { shape, data } = weights;
  if (multiplier.length !== data.length) throw new ShapeError("admmStep", "multiplier", data.length, multiplier.length);
  const moved = multiplier.map((l, i) => data[i]! + l);
  const copy = (await quantize({ shape, data: moved }, quantizer, options)).dequantize();
  return { copy, multiplier: moved.map((v, i) => v - copy[i]!) };
}

/**
 * ∂/∂W of the augmented Lagrangian f(W) + ρ/2 ‖W - G + λ‖²: ∇f + ρ (W - G + λ).
 * @throws ShapeError where the lengths differ
 */
export function admmGradient(
  gradient: Float32Array,
  weights: Float32Array,
  { copy, multiplier }: AdmmState,
  rho: number,
): Float32Array {
  for (const [what, { length }] of Object.entries({ weights, copy, multiplier })) {
    if (length !== gradient.length) throw new ShapeError("admmGradient", what, gradient.length, length);
  }
  return gradient.map((g, i) => g + rho * (weights[i]! - copy[i]! + multiplier[i]!));
}

export const admmFamily: SchemeFamily = {
  syntax: "admm:ternary|shift<1..6>[:tensor|:g<n>]",
  summary: "α times 0, ±1 (to ±2^shift) of least squared error per channel (ADMM's projection)",
  examples: ["admm:ternary", "admm:shift1", "admm:shift2:g32"],
  owns: (head) => head === "admm",
  parse(scheme, _head, [kind, ...args]) {
    const { per } = modifiers(scheme, args, { per: "channel" });
    if (kind === "ternary") return admmTernary({ per });
    const shift = /^shift([1-6])$/.exec(kind ?? "")?.[1];
    if (shift === undefined) throw new SchemeError(scheme, "levels of admm:<levels>", "ternary, shift1 .. shift6");
    return admmShift({ shift: Number(shift), per });
  },
};

export const admmMethods: readonly Method[] = [
  {
    method: "ADMM, ternary",
    section: "deterministic: quantization as optimization",
    file: "optimization/admm.ts",
    paper: ADMM,
    scheme: "admm:ternary",
    published: "0.1902 on N(0,1), the ternary optimum",
  },
  {
    method: "ADMM, shifts",
    section: "deterministic: quantization as optimization",
    file: "optimization/admm.ts",
    paper: ADMM,
    scheme: "admm:shift2",
    published: "0.0475 on N(0,1), the best scale of {0, ±1, ±2, ±4}",
  },
];
