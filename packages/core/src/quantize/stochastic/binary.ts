/** Signs that are drawn: BinaryConnect's stochastic binarization. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { BINARY_CONNECT } from "../papers.ts";
import { MOST_FLOAT } from "../powers.ts";
import { perSuffix } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

export interface StochasticLevels {
  /** What shares a scale max|w|. Absent: no scale, as in the paper, whose weights are kept within -1..1 in training. */
  readonly per?: Per | undefined;
}

/**
 * BinaryConnect, stochastic (Courbariaux et al., eq. 2): with the hard sigmoid σ(x) = clip((x + 1) / 2, 0, 1)
 *
 *   w_b = +1 with probability σ(w), else -1.
 *
 * Range: {-1, +1}; with `per`, ±s with s = max|w| of the group and w / s in the place of w. So E[w_b] = w for |w| <= 1 (all w where scaled), and weights beyond saturate;
 * the variance of one is 1 - w². Relative MSE on N(0,1), unscaled: 0.6346. Gradient in training: straight through to the float weights, which are clipped to -1..1.
 *
 * Zeros are ±1 with equal odds. A group of one magnitude is exact where scaled, an all-zero one has s = 0; s is at most half the largest f32.
 */
export function stochasticBinary({ per }: StochasticLevels = {}): Quantizer<"sign", true, "weights"> {
  return defineQuantizer({
    scheme: `stochastic:binary${scaledSuffix(per)}`,
    decoding: "sign",
    bits: 1,
    codebook: "fixed",
    per: per ?? "tensor",
    seeded: true,
    stochastic: true,
    ...(per === undefined ? { range: [-1, 1] as const } : {}),
    laws: ["idempotent", ...(per === undefined ? [] : (["scaleEquivariant"] as const)), "unbiased", "adjacent"],
    paper: BINARY_CONNECT,
    encode(w, { random }) {
      const scale = per === undefined ? Float32Array.of(1) : w.absMax().map((max) => Math.min(max, MOST_FLOAT / 2));
      // Counted downwards from +s in steps of 2s: code 1, which stands for -s, with probability (s - w) / 2s.
      const steps = { scale: scale.map((s) => -2 * s), offset: scale, zero: 0, minCode: 0, maxCode: 1 };
      return { codes: w.stochasticCodes(steps, random), decoding: { kind: "sign" }, scale };
    },
  });
}

/** The canonical spelling of an optional granularity. */
export const scaledSuffix = (per: Per | undefined): string => (per === undefined ? "" : perSuffix(per, { group: 0 }));

export const stochasticBinaryMethod: Method = {
  method: "BinaryConnect, stochastic",
  section: "stochastic: random rounding",
  file: "stochastic/binary.ts",
  paper: BINARY_CONNECT,
  scheme: "stochastic:binary",
  published: "0.6346 on N(0,1), by integration; MNIST 1.18 % error in the paper",
};
