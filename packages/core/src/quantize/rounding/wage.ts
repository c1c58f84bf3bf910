/** WAGE's weights: fixed point whose place of the point follows the weights. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { WAGE } from "../papers.ts";
import { floorLog2, LEAST_FLOAT, powerOfTwo } from "../powers.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

export type WageBits = 2 | 3 | 4 | 5 | 6 | 7 | 8;

/**
 * Wu et al. quantize all of a network in training to multiples of σ(k) = 2^(1-k):
 *
 *   Q(x, k) = Clip{ σ(k) · round(x / σ(k)), -1 + σ(k), 1 - σ(k) },   Shift(x) = 2^round(log₂ x)
 *
 * Weights that were trained so lie in -1..1. For others this takes the scale that the paper gives errors, ŵ = S · Q(w / S, k) with S = Shift(max|w|) per group
 * (default: per tensor): a shift, no multiplication. Range: 2^k - 1 levels, ±S(1 - σ); up to √2 S there may be, which saturates.
 *
 * Gradient in training: straight through. A group of zeros has S = 1; S is at most 2^127 and its step σS at least 2^-149.
 */
export function wage({
  bits,
  per = "tensor",
}: {
  readonly bits: WageBits;
  readonly per?: Per;
}): Quantizer<"affine", false, "weights"> {
  checkInteger("wage:<b>", "bits", bits, 2, 8);
  return defineQuantizer({
    scheme: `wage:${bits}${perSuffix(per, "tensor")}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    laws: ["scaleEquivariant", "signSymmetric", "nearest", "keepsZero", "ordered", "monotoneInBits"],
    coarser: bits > 2 ? () => wage({ bits: (bits - 1) as WageBits, per }) : undefined,
    paper: WAGE,
    encode(w) {
      const step = powerOfTwo(1 - bits);
      const scale = w.absMax().map((max) => Math.max(step * (max === 0 ? 1 : shift(max)), LEAST_FLOAT));
      const zeroPoint = 2 ** (bits - 1);
      const codes = w.gridCodes({ scale, zeroPoint, minCode: 1, maxCode: 2 ** bits - 1 });
      return { codes, decoding: { kind: "affine", zeroPoint }, scale };
    },
  });
}

/** 2^round(log₂ x): round(l) = floor(l + 1/2), and no f32 is √2 times a power of two. */
const shift = (x: number): number => powerOfTwo(Math.min(127, floorLog2(x * Math.SQRT2)));

export const wageFamily: SchemeFamily = {
  syntax: "wage:<2..8>[:channel|:g<n>]",
  summary: "multiples of 2^(1-k) below 1, times the power of two nearest max |w| of the tensor (WAGE)",
  examples: ["wage:2", "wage:4"],
  owns: (head) => head === "wage",
  parse(scheme, _head, [bits, ...args]) {
    return wage({
      bits: integerArgument(scheme, "bits of wage:<bits>", bits, 2, 8) as WageBits,
      per: modifiers(scheme, args, { per: "tensor" }).per,
    });
  },
};

export const wageMethod: Method = {
  method: "WAGE's weights",
  section: "deterministic: rounding",
  file: "rounding/wage.ts",
  paper: WAGE,
  scheme: "wage:4",
  published: "6.02 dB more for each bit, its grids being nested",
};
