/** BinaryRelax: weights between their floats and their quantization, drawn closer as training goes on. */
import { OutOfRangeError } from "../../errors.ts";
import { innerLoops } from "../engine.ts";
import type { Method } from "../method.ts";
import { ternary } from "../optimization/ternary.ts";
import { BINARY_RELAX } from "../papers.ts";
import { exp, ln } from "../powers.ts";
import { compareFloats, quantize } from "../quantize.ts";
import type { Quantized } from "../quantized.ts";
import type { DecodingKind, FloatTensor, QuantizeOptions, Quantizer } from "../types.ts";

export interface Relaxed<D extends DecodingKind> {
  /** The relaxed weights, which the net runs on in this step. */
  readonly values: Float32Array;
  /** The projection, which it runs on in the end. */
  readonly quantized: Quantized<D>;
}

/**
 * The relaxed quantization of Yin et al., the proximal map of λ/2 · dist(·, Q)² for a set Q of quantized weights (the Moreau envelope of its indicator):
 *
 *   y = (λ proj_Q(w) + w) / (λ + 1)
 *
 * with any quantizer as proj_Q. λ = 0 leaves w, infinity gives proj_Q(w); in between the error shrinks by exactly λ/(λ + 1) for each weight against that of proj_Q.
 * Training steps on the floats, w ← w - γ ∇f(y), straight through.
 *
 * @throws as {@link quantize}; OutOfRangeError for λ below 0 or NaN.
 */
export async function relax<D extends DecodingKind, Seeded extends boolean>(
  weights: FloatTensor,
  quantizer: Quantizer<D, Seeded, "weights">,
  lambda: number,
  options?: QuantizeOptions<Seeded, "weights">,
): Promise<Relaxed<D>> {
  if (!(lambda >= 0)) throw new OutOfRangeError("relax", "λ", "0 or more", lambda);
  const quantized = await quantize(weights, quantizer, options as QuantizeOptions<Seeded, "weights">);
  const projected = quantized.dequantize();
  if (lambda === Number.POSITIVE_INFINITY) return { values: projected, quantized };
  return { values: (await innerLoops(options?.kernels)).mix(weights.data, projected, lambda), quantized };
}

export interface RelaxSchedule {
  /** λ of step 0. */
  readonly start: number;
  /** What each step multiplies it by, above 1. */
  readonly factor: number;
  /** The step from which weights are quantized exactly: the paper's second phase. */
  readonly exactFrom: number;
}

/**
 * λ of a step (epoch or batch): start · factor^step, and infinity from `exactFrom` on.
 * @throws OutOfRangeError for a start that is not above 0 or a factor not above 1.
 */
export function relaxation({ start, factor, exactFrom }: RelaxSchedule, step: number): number {
  if (!(start > 0)) throw new OutOfRangeError("relaxation", "start", "above 0", start);
  if (!(factor > 1)) throw new OutOfRangeError("relaxation", "factor", "above 1", factor);
  return step >= exactFrom ? Number.POSITIVE_INFINITY : start * exp(step * ln(factor));
}

export const binaryRelaxMethod: Method = {
  method: "BinaryRelax",
  section: "deterministic: quantization as optimization",
  file: "rounding/binary-relax.ts",
  paper: BINARY_RELAX,
  published: "(λ/(λ + 1))² of the projection's squared error: a quarter at λ = 1",
  laws: ["λ = 0 is the identity", "λ = ∞ is the projection", "the error is λ/(λ + 1) of the projection's"],
  kernel: "that of its final quantizer",
  measure: async ({ weights }) => {
    const { values, quantized } = await relax(weights, ternary(), 1);
    const { mse } = await compareFloats(weights.data, values);
    const share = mse / quantized.error.mse;
    return `${share.toFixed(4)} of ternary's squared error at λ = 1`;
  },
};
