/** BitNet b1.58: ternary weights by the mean magnitude. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { BITNET } from "../papers.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

/**
 * Ma et al.: W̃ = RoundClip(W / (γ + ε), -1, 1) with γ = E|w| over the matrix and RoundClip(x, a, b) = max(a, min(b, round(x))); it stands for γW̃. Here ε is 0,
 * and a group of zeros becomes zeros.
 *
 * Range: {-γ, 0, +γ} per group (default: per tensor, as in the paper); |w| <= γ/2 becomes 0. TWN puts its threshold at 0.7γ instead, and its level at the mean
 * above it. Relative MSE on N(0,1): 1 - 2γ E[|w|; |w| > γ/2] + γ² P(|w| > γ/2) = 0.2634. Gradient in training: straight through. γ of the result is smaller,
 * so a second pass gives another.
 */
export function absmean({ per = "tensor" }: { readonly per?: Per } = {}): Quantizer<"affine", false, "weights"> {
  return defineQuantizer({
    scheme: `absmean${perSuffix(per, "tensor")}`,
    decoding: "affine",
    bits: 2,
    codebook: "fixed",
    per,
    laws: ["scaleEquivariant", "signSymmetric", "nearest", "keepsZero", "ordered"],
    paper: BITNET,
    encode(w) {
      const scale = w.meanAbs();
      const codes = w.gridCodes({ scale, zeroPoint: 1, minCode: 0, maxCode: 2 });
      return { codes, decoding: { kind: "affine", zeroPoint: 1 }, scale };
    },
  });
}

export const absmeanFamily: SchemeFamily = {
  syntax: "absmean[:channel|:g<n>]",
  summary: "-γ, 0, +γ with γ = mean |w| of the tensor (BitNet b1.58)",
  examples: ["absmean", "absmean:channel"],
  owns: (head) => head === "absmean",
  parse: (scheme, _head, args) => absmean({ per: modifiers(scheme, args, { per: "tensor" }).per }),
};

export const absmeanMethod: Method = {
  method: "BitNet b1.58's weights (absmean)",
  section: "since 2018",
  file: "rounding/absmean.ts",
  paper: BITNET,
  scheme: "absmean",
  published: "0.2634 on N(0,1), by the formula",
};
