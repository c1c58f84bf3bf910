/** Signs of activations, as they are or drawn. */
import type { Method } from "../method.ts";
import { BNN } from "../papers.ts";
import { Random } from "../random.ts";
import { activationQuantizer, wholeOf } from "./codes.ts";
import { activationRow } from "./methods.ts";
import type { ActivationQuantizer } from "./types.ts";

/** Code 1 stands for -1, as in packed bits. */
const LEVELS = Float32Array.of(1, -1);

/**
 * Binarized activations (Courbariaux et al., eq. 1 and 2):
 *
 *   deterministic: x_b = +1 for x >= 0, else -1;
 *   stochastic:    x_b = +1 with probability σ(x) = clip((x + 1) / 2, 0, 1), else -1, so that E x_b = x on [-1, 1].
 *
 * Gradient in training: straight through where |x| <= 1 (`clippedGradients`). 0 is +1; drawn, ±1 with equal odds.
 */
export function signActivations({ stochastic = false }: { readonly stochastic?: boolean } = {}): ActivationQuantizer {
  const traits = { scheme: stochastic ? "sign:stochastic" : "sign", bits: 1, paper: BNN } as const;
  return activationQuantizer(traits, undefined, (x, tokens, { seed = 0 }) => {
    // Counted downwards from +1 in one step of 2.
    const steps = { scale: Float32Array.of(-2), offset: Float32Array.of(1), zero: 0, minCode: 0, maxCode: 1 };
    const codes = stochastic ? x.stochasticCodes(wholeOf(tokens), steps, new Random(seed)) : x.signCodes();
    return { codes, levels: LEVELS };
  });
}

const row = { file: "activations/sign.ts", paper: BNN, kernel: "xnor_gemm" } as const;

export const signActivationMethods: readonly Method[] = [
  activationRow({
    ...row,
    method: "BNN activations, sign",
    published: "MNIST 0.96 % error, weights and activations binary",
    quantizer: signActivations(),
  }),
  activationRow({
    ...row,
    method: "BNN activations, hard sigmoid, drawn",
    published: "E x_b = x on [-1, 1], variance 1 - x²",
    quantizer: signActivations({ stochastic: true }),
    laws: ["unbiased on [-1, 1]", "variance 1 - x²"],
  }),
];
