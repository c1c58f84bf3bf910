/** WRPN's weights: a fixed grid over -1..1. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { WRPN } from "../papers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";

export type WrpnBits = 2 | 3 | 4 | 5 | 6 | 7 | 8;

/**
 * Mishra et al. clip weights to -1..1 and keep k - 1 bits of their magnitude:
 *
 *   w_k = round((2^(k-1) - 1) w) / (2^(k-1) - 1)
 *
 * (their wider layers make up for the bits; Apprentice teaches such a net by a full-precision one). Range: 2^k - 1 levels within -1..1 for any weights, no scale
 * is taken from them: weights below 1/(2^k - 2) become 0, of 2 bits those below 1/2, so that a net has to be trained for it.
 * Gradient in training: straight through where |w| <= 1, else 0.
 */
export function wrpn({ bits }: { readonly bits: WrpnBits }): Quantizer<"affine", false, "weights"> {
  checkInteger("wrpn:<b>", "bits", bits, 2, 8);
  return defineQuantizer({
    scheme: `wrpn:${bits}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per: "tensor",
    laws: ["idempotent", "signSymmetric", "nearest", "keepsZero", "ordered"],
    range: [-1, 1],
    paper: WRPN,
    encode(w) {
      const zeroPoint = 2 ** (bits - 1);
      const scale = Float32Array.of(1 / (zeroPoint - 1));
      const codes = w.gridCodes({ scale, zeroPoint, minCode: 1, maxCode: 2 ** bits - 1 });
      return { codes, decoding: { kind: "affine", zeroPoint }, scale };
    },
  });
}

export const wrpnFamily: SchemeFamily = {
  syntax: "wrpn:<2..8>",
  summary: "-1..1 in steps of 1 / (2^(k-1) - 1) (WRPN)",
  examples: ["wrpn:4"],
  owns: (head) => head === "wrpn",
  parse(scheme, _head, [bits, ...rest]) {
    noMore(scheme, rest);
    return wrpn({ bits: integerArgument(scheme, "bits of wrpn:<bits>", bits, 2, 8) as WrpnBits });
  },
};

export const wrpnMethod: Method = {
  method: "WRPN's weights",
  section: "deterministic: rounding",
  file: "rounding/wrpn.ts",
  paper: WRPN,
  scheme: "wrpn:8",
  published: "noise of at most 1 / (2^k - 2) a weight within -1..1",
};
