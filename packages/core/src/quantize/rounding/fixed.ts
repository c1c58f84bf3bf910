/** Fixed-point numbers. */
import { checkInteger, defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Method } from "../method.ts";
import { GUPTA } from "../papers.ts";
import { powerOfTwo } from "../powers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { BitsOf, Quantizer } from "../types.ts";

export interface FixedOptions {
  /** IL: bits before the point, the sign among them; 1 to 8. */
  readonly integerBits: number;
  /** FL: bits behind the point; 0 to 7. IL + FL is 2 to 8. */
  readonly fractionBits: number;
}

/**
 * Fixed point ⟨IL, FL⟩ (Gupta et al.): with ε = 2^-FL,
 *
 *   Convert(x) = -2^(IL-1) where x <= -2^(IL-1);   2^(IL-1) - ε where x >= 2^(IL-1) - ε;   else Round(x) to a multiple of ε
 *
 * with rounding to nearest. The paper takes the lower multiple on a tie, this library the even one, as everywhere.
 *
 * Range: 2^(IL+FL) levels from -2^(IL-1) to 2^(IL-1) - ε, whatever the weights are; ⟨1, 7⟩ is -1 to 0.992. Relative MSE on N(0,1): 8.80e-5 of ⟨3, 5⟩, of which
 * ε²/12 = 8.14e-5 is rounding and the rest is saturation. Gradient in training: straight through. Weights below ε/2 become 0, so that a tensor much smaller than
 * ε is lost: {@link wage} moves the point with the weights.
 */
export function fixed({ integerBits, fractionBits }: FixedOptions): Quantizer<"affine", false, "weights"> {
  checkInteger("fixed:<IL>.<FL>", "IL", integerBits, 1, 8);
  checkInteger("fixed:<IL>.<FL>", "FL", fractionBits, 0, 7);
  checkInteger("fixed:<IL>.<FL>", "IL + FL", integerBits + fractionBits, 2, 8);
  const bits = (integerBits + fractionBits) as BitsOf<"affine">;
  return defineQuantizer({
    scheme: `fixed:${integerBits}.${fractionBits}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per: "tensor",
    laws: ["idempotent", "nearest", "keepsZero", "ordered", "monotoneInBits"],
    coarser: bits > 2 && fractionBits > 0 ? () => fixed({ integerBits, fractionBits: fractionBits - 1 }) : undefined,
    range: [-(2 ** (integerBits - 1)), 2 ** (integerBits - 1) - powerOfTwo(-fractionBits)],
    paper: GUPTA,
    encode(w) {
      const scale = Float32Array.of(powerOfTwo(-fractionBits));
      const zeroPoint = 2 ** (bits - 1);
      const codes = w.gridCodes({ scale, zeroPoint, minCode: 0, maxCode: 2 ** bits - 1 });
      return { codes, decoding: { kind: "affine", zeroPoint }, scale };
    },
  });
}

export const fixedFamily: SchemeFamily = {
  syntax: "fixed:<1..8>.<0..7>",
  summary: "fixed point of IL bits with the sign before the point and FL behind it, 8 in all at most (Gupta et al.)",
  examples: ["fixed:2.2", "fixed:1.7"],
  owns: (head) => head === "fixed",
  parse(scheme, _head, [format, ...rest]) {
    noMore(scheme, rest);
    const [before, behind, extra] = (format ?? "").split(".");
    if (extra !== undefined) throw new SchemeError(scheme, "format", "fixed:<IL>.<FL>");
    const integerBits = integerArgument(scheme, "IL of fixed:<IL>.<FL>", before, 1, 8);
    const most = 8 - integerBits;
    const least = integerBits === 1 ? 1 : 0;
    return fixed({ integerBits, fractionBits: integerArgument(scheme, "FL of fixed:<IL>.<FL>", behind, least, most) });
  },
};

export const fixedMethod: Method = {
  method: "Fixed point, to nearest",
  section: "deterministic: rounding",
  file: "rounding/fixed.ts",
  paper: GUPTA,
  scheme: "fixed:1.7",
  published: "noise of at most 2^-FL / 2 a weight within the range; 0.02241 on N(0,1) of ⟨2, 2⟩, by integration",
};
