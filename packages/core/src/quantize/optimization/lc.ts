/** The learning-compression algorithm's C-step. */
import { OutOfRangeError, ShapeError } from "../../errors.ts";
import { defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Method } from "../method.ts";
import { LC } from "../papers.ts";
import { quantize } from "../quantize.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { DecodingKind, FloatTensor, Per, QuantizeOptions, Quantizer } from "../types.ts";

/**
 * Optimal ternarization with scale (Carreira-Perpiñán, Idelbayev): the global minimum of ‖w - a θ‖² over a >= 0 and θ in {-1, 0, +1}ⁿ. With |w| in descending order
 *
 *   k* = argmax_k (Σ_{i<=k} |w_i|) / √k;   a = (1/k*) Σ_{i<=k*} |w_i|;   θ = sign(w) for the k* largest, that is where |w| > a/2.
 *
 * `ternary:mse` and ADMM stop at a local optimum, this one cannot be beaten. (Their optimal binarization with scale, a = E|w|, is {@link binary}; their adaptive codebook
 * is k-means.)
 *
 * Range: {-a, 0, +a} per group (default: per output channel; the paper has one a per layer, `tensor`). Gradient in training: none; the penalty pulls w by
 * μ (w - Δ(Θ)) - λ. Relative MSE on N(0,1): 0.1902, Laplace 0.2641. Groups of one magnitude are exact; an all-zero group has a = 0.
 */
export function lcTernary({ per = "channel" }: { readonly per?: Per } = {}): Quantizer<"affine", false, "weights"> {
  return defineQuantizer({
    scheme: `lc:ternary${perSuffix(per, "channel")}`,
    decoding: "affine",
    bits: 2,
    codebook: "fixed",
    per,
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "nearest", "optimalScale", "keepsZero"],
    paper: LC,
    encode(w) {
      const scale = w.ternaryScale();
      const codes = w.gridCodes({ scale, zeroPoint: 1, minCode: 0, maxCode: 2 });
      return { codes, decoding: { kind: "affine", zeroPoint: 1 }, scale };
    },
  });
}

/**
 * The C-step of LC's augmented Lagrangian: the low-bit weights nearest to w - λ/μ, Δ(Θ) = Π(w - λ/μ).
 *
 * @param weights w
 * @param multipliers λ, as many numbers; zeros at the start and for the quadratic-penalty method
 * @param mu μ > 0, which grows from step to step
 * @param quantizer Π: a fixed codebook (`binary()`, `lcTernary()`), or an adaptive one (`lloydMax({ levels })`)
 * @returns Δ(Θ), shaped as w
 * @throws ShapeError, OutOfRangeError; what {@link quantize} throws
 */
export async function lcCompress<D extends DecodingKind>(
  weights: FloatTensor,
  multipliers: Float32Array,
  mu: number,
  quantizer: Quantizer<D, false, "weights">,
  options: QuantizeOptions<false, "weights"> = {},
): Promise<Float32Array> {
  const { shape, data } = weights;
  checkStep("lcCompress", data, { multipliers }, mu);
  const target = data.map((w, i) => w - multipliers[i]! / mu);
  return (await quantize({ shape, data: target }, quantizer, options)).dequantize();
}

/**
 * λ ← λ - μ (w - Δ(Θ)), after the C-step.
 * @throws ShapeError, OutOfRangeError
 */
export function lcMultipliers(
  weights: Float32Array,
  compressed: Float32Array,
  multipliers: Float32Array,
  mu: number,
): Float32Array {
  checkStep("lcMultipliers", weights, { compressed, multipliers }, mu);
  return multipliers.map((l, i) => l - mu * (weights[i]! - compressed[i]!));
}

/**
 * What the L-step adds to ∇L(w): the gradient of μ/2 ‖w - Δ(Θ) - λ/μ‖², that is μ (w - Δ(Θ)) - λ.
 * @throws ShapeError, OutOfRangeError
 */
export function lcPenaltyGradient(
  weights: Float32Array,
  compressed: Float32Array,
  multipliers: Float32Array,
  mu: number,
): Float32Array {
  checkStep("lcPenaltyGradient", weights, { compressed, multipliers }, mu);
  return weights.map((w, i) => mu * (w - compressed[i]!) - multipliers[i]!);
}

function checkStep(op: string, weights: Float32Array, others: Record<string, Float32Array>, mu: number): void {
  for (const [what, { length }] of Object.entries(others)) {
    if (length !== weights.length) throw new ShapeError(op, what, weights.length, length);
  }
  if (!(mu > 0 && Number.isFinite(mu))) throw new OutOfRangeError(op, "mu", "a finite number above 0", mu);
}

export const lcFamily: SchemeFamily = {
  syntax: "lc:ternary[:tensor|:g<n>]",
  summary: "-a, 0, +a of least squared error per channel, the global optimum (LC's ternarization with scale)",
  examples: ["lc:ternary", "lc:ternary:g32"],
  owns: (head) => head === "lc",
  parse(scheme, _head, [kind, ...args]) {
    if (kind !== "ternary") throw new SchemeError(scheme, "codebook of lc:<codebook>", "ternary");
    return lcTernary({ per: modifiers(scheme, args, { per: "channel" }).per });
  },
};

export const lcMethod: Method = {
  method: "LC's C-step, optimal ternarization with scale",
  section: "deterministic: quantization as optimization",
  file: "optimization/lc.ts",
  paper: LC,
  scheme: "lc:ternary",
  published: "0.1902 on N(0,1), the ternary optimum",
};
