/** PACT: activations clipped at a learned end. */
import type { KernelInstance } from "../../kernels/instance.ts";
import type { Method } from "../method.ts";
import { PACT } from "../papers.ts";
import { scaleFor } from "../rounding/ranges.ts";
import { checkActivationBits, checkPositive, fixedGrid } from "./codes.ts";
import { clip } from "./gradients.ts";
import { activationRow } from "./methods.ts";
import type { ActivationBits, ActivationQuantizer } from "./types.ts";

export interface PactOptions {
  /** k. */
  readonly bits: ActivationBits;
  /** α, above 0. */
  readonly alpha: number;
}

/**
 * PACT (Choi et al., eq. 1 and 2):
 *
 *   y = 0.5 (|x| - |x - α| + α), that is x clipped to [0, α];   y_q = round(y (2^k - 1) / α) α / (2^k - 1).
 *
 * α is a parameter of the network, learned with weight decay on it (`pactGradients`). Range: 0..α, ties to even. Negative activations and 0 become 0.
 */
export function pact({ bits, alpha }: PactOptions): ActivationQuantizer {
  const scheme = `pact${bits}`;
  checkActivationBits(scheme, bits, 1);
  checkPositive(scheme, "α", alpha);
  const maxCode = 2 ** bits - 1;
  return fixedGrid(
    { scheme, bits, paper: PACT },
    { scale: scaleFor(alpha, maxCode), zeroPoint: 0, minCode: 0, maxCode },
  );
}

/**
 * PACT's gradients (eq. 3), straight through the rounding:
 *
 *   ∂y_q/∂x = 1 for 0 < x < α, else 0;   ∂y_q/∂α = 1 for x >= α, else 0.
 *
 * @param x what was quantized
 * @param gradient ∂L/∂y_q, as many
 * @returns ∂L/∂x and ∂L/∂α, summed over all elements
 * @throws ShapeError
 */
export async function pactGradients(
  x: Float32Array,
  gradient: Float32Array,
  alpha: number,
  kernels?: KernelInstance,
): Promise<{ x: Float32Array; alpha: number }> {
  const { dx, above } = await clip("pactGradients", x, gradient, { low: 0, high: alpha, step: 1 }, kernels);
  return { x: dx, alpha: above };
}

export const pactMethod: Method = activationRow({
  method: "PACT",
  file: "activations/pact.ts",
  paper: PACT,
  published: "ResNet-18 W2/A2 64.4 % with α learned; α = 1 here",
  kernel: "affine_gemm (int8 activations)",
  quantizer: pact({ bits: 4, alpha: 1 }),
  laws: ["gradients equal differences of the clipped function"],
});
