/** Uniform grids that follow the weights, with stochastic rounding. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { GUPTA, POLINO } from "../papers.ts";
import { scaleFor } from "../rounding/ranges.ts";
import type { UniformBits } from "../rounding/uniform.ts";
import { perSuffix } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

export interface StochasticUniformOptions {
  readonly bits: UniformBits;
  /** Default: per output channel. */
  readonly per?: Per;
}

/**
 * Gupta's rounding on a symmetric grid over max|w|: S = max|w| / M with M = 2^(b-1) - 1, q = w / S,
 *
 *   code = ⌊q⌋ + 1 with probability q - ⌊q⌋, else ⌊q⌋;   ŵ = S·code.
 *
 * Every weight lies inside, so E[ŵ] = w for all of them; the variance is (q - ⌊q⌋)(⌊q⌋ + 1 - q) S² <= S²/4, on average over a step S²/6, twice that of rounding to nearest.
 * Gradient in training: straight through. Zeros stay; a group of zeros has S = 1; a group of one magnitude is exact to the rounding of S.
 */
export function stochasticUniform(options: StochasticUniformOptions): Quantizer<"affine", true, "weights"> {
  const { bits, per = "channel" } = options;
  checkInteger("stochastic:int<b>", "bits", bits, 2, 8);
  const zeroPoint = 2 ** (bits - 1);
  return defineQuantizer({
    scheme: `stochastic:int${bits}${perSuffix(per, "channel")}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    seeded: true,
    stochastic: true,
    laws: ["idempotent", "scaleEquivariant", "keepsZero", "unbiased", "adjacent", "monotoneInBits"],
    coarser: bits > 2 ? () => stochasticUniform({ ...options, bits: (bits - 1) as UniformBits }) : undefined,
    paper: GUPTA,
    encode(w, { random }) {
      const scale = w.absMax().map((max) => scaleFor(max, zeroPoint - 1));
      const codes = w.stochasticCodes({ scale, zero: zeroPoint, minCode: 1, maxCode: 2 ** bits - 1 }, random);
      return { codes, decoding: { kind: "affine", zeroPoint }, scale };
    },
  });
}

/**
 * The same over [min w, max w] (the stochastic form of Polino et al., section 2.1): S = (max w - min w) / (2^b - 1), q = (w - min w) / S, ŵ = S·code + min w.
 *
 * Zero is no level. A constant group is exact. Weights at both ends of f32 may reach beyond it, which `quantize` refuses (OutOfRangeError).
 */
export function stochasticAsymmetric(options: StochasticUniformOptions): Quantizer<"offset", true, "weights"> {
  const { bits, per = "channel" } = options;
  checkInteger("stochastic:int<b>:asym", "bits", bits, 2, 8);
  const maxCode = 2 ** bits - 1;
  return defineQuantizer({
    scheme: `stochastic:int${bits}${perSuffix(per, "channel")}:asym`,
    decoding: "offset",
    bits,
    codebook: "fixed",
    per,
    seeded: true,
    stochastic: true,
    laws: ["scaleEquivariant", "unbiased", "adjacent", "monotoneInBits"],
    coarser: bits > 2 ? () => stochasticAsymmetric({ ...options, bits: (bits - 1) as UniformBits }) : undefined,
    paper: POLINO,
    encode(w, { random }) {
      const { min, max } = w.minMax();
      const scale = max.map((high, group) => scaleFor(high - min[group]!, maxCode));
      const codes = w.stochasticCodes({ scale, offset: min, zero: 0, minCode: 0, maxCode }, random);
      return { codes, decoding: { kind: "offset", offset: min }, scale };
    },
  });
}

const row = { section: "stochastic: random rounding", file: "stochastic/uniform.ts" } as const;

export const stochasticUniformMethods: readonly Method[] = [
  {
    ...row,
    method: "Uniform grid, stochastic rounding",
    paper: GUPTA,
    scheme: "stochastic:int4",
    published: "S²/6, twice that of rounding to nearest",
  },
  {
    ...row,
    method: "Uniform over min..max per bucket, stochastic rounding",
    paper: POLINO,
    scheme: "stochastic:int4:g256:asym",
    published: "S²/6, twice that of rounding to nearest",
  },
];
