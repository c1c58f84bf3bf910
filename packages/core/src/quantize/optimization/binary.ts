/** Binary weights: a sign and one scale per group. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { XNOR_NET } from "../papers.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

/**
 * XNOR-Net / BWN weights: min ‖W - αB‖² over B in {-1, +1}ⁿ, α >= 0 has the solution
 *
 *   B = sign(W), sign(0) = +1;   α = ‖W‖₁ / n.
 *
 * Range: {-α, +α}, one α per group (default: per output channel, as in the paper). Gradient in training: straight
 * through, ∂L/∂w = ∂L/∂ŵ · (1/n + α · 1{|w| <= 1}). Relative MSE on N(0,1): 1 - 2/π = 0.3634.
 *
 * One-element groups and groups of one magnitude are exact; an all-zero group has α = 0.
 */
export function binary({ per = "channel" }: { readonly per?: Per } = {}): Quantizer<"sign", false, "weights"> {
  return defineQuantizer({
    scheme: `binary${perSuffix(per, "channel")}`,
    decoding: "sign",
    bits: 1,
    codebook: "fixed",
    per,
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "nearest", "optimalScale"],
    paper: XNOR_NET,
    encode: (w) => ({ codes: w.signCodes(), decoding: { kind: "sign" }, scale: w.meanAbs() }),
  });
}

export const binaryFamily: SchemeFamily = {
  syntax: "binary[:tensor|:g<n>]",
  summary: "sign and mean |w| per channel (XNOR-Net)",
  examples: ["binary", "binary:tensor", "binary:g32"],
  owns: (head) => head === "binary",
  parse: (scheme, _head, args) => binary({ per: modifiers(scheme, args, { per: "channel" }).per }),
};

export const binaryMethod: Method = {
  method: "Binary weight networks (XNOR-Net's weights)",
  section: "deterministic: quantization as optimization",
  file: "optimization/binary.ts",
  paper: XNOR_NET,
  scheme: "binary",
  published: "0.3634 on N(0,1), 1 - 2/π",
};
