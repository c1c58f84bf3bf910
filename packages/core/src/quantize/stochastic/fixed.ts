/** Fixed point with stochastic rounding. */
import { checkInteger, defineQuantizer } from "../define.ts";
import { QuantizerError } from "../errors.ts";
import type { Method } from "../method.ts";
import { GUPTA } from "../papers.ts";
import { powerOfTwo } from "../powers.ts";
import type { BitsOf, Quantizer } from "../types.ts";

export interface FixedPointOptions {
  /** IL, integer bits, the sign among them: 1..8. */
  readonly integer: number;
  /** FL, fractional bits: 0..7, at most 8 bits together and at least 2. */
  readonly fraction: number;
}

/**
 * Stochastic rounding to fixed point ⟨IL, FL⟩ (Gupta et al., section 3.1): with ε = 2^-FL and ⌊x⌋ the largest multiple of ε that is not above x
 *
 *   Round(x) = ⌊x⌋ with probability 1 - (x - ⌊x⌋)/ε,  ⌊x⌋ + ε with probability (x - ⌊x⌋)/ε,
 *
 * saturated to [-2^(IL-1), 2^(IL-1) - ε]. Inside, E[Round(x)] = x, and the variance is (x - ⌊x⌋)(⌊x⌋ + ε - x) <= ε²/4: ε²/6 on average over a step, twice that of rounding to
 * nearest. Gradient in training: none of its own, results of every operation are rounded.
 *
 * Levels do not follow the weights: multiples of ε are exact, zeros stay, what is far below ε becomes 0 nearly always.
 */
export function stochasticFixed({ integer, fraction }: FixedPointOptions): Quantizer<"affine", true, "weights"> {
  const scheme = `stochastic:fixed:${integer}.${fraction}`;
  checkInteger(scheme, "integer bits", integer, 1, 8);
  checkInteger(scheme, "fractional bits", fraction, 0, 7);
  const bits = integer + fraction;
  if (bits < 2 || bits > 8) throw new QuantizerError(scheme, "integer and fractional bits together", "2..8", bits);
  const step = powerOfTwo(-fraction);
  const zeroPoint = powerOfTwo(bits - 1);
  return defineQuantizer({
    scheme,
    decoding: "affine",
    bits: bits as BitsOf<"affine">,
    codebook: "fixed",
    per: "tensor",
    seeded: true,
    stochastic: true,
    range: [-zeroPoint * step, (zeroPoint - 1) * step],
    laws: ["idempotent", "keepsZero", "unbiased", "adjacent", "monotoneInBits"],
    coarser: fraction > 0 && bits > 2 ? () => stochasticFixed({ integer, fraction: fraction - 1 }) : undefined,
    paper: GUPTA,
    encode(w, { random }) {
      const scale = Float32Array.of(step);
      const grid = { scale, zero: zeroPoint, minCode: 0, maxCode: powerOfTwo(bits) - 1 };
      return { codes: w.stochasticCodes(grid, random), decoding: { kind: "affine", zeroPoint }, scale };
    },
  });
}

export const stochasticFixedMethod: Method = {
  method: "Fixed point, stochastic rounding",
  section: "stochastic: random rounding",
  file: "stochastic/fixed.ts",
  paper: GUPTA,
  scheme: "stochastic:fixed:4.4",
  published: "0.000651 on N(0,1), ε²/6",
};
