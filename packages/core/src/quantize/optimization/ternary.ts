/** Ternary weights: -α, 0, +α. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { TWN } from "../papers.ts";
import { floatBelow, MOST_FLOAT } from "../powers.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { ttq } from "./ttq.ts";

/** Codes 0, 1, 2 stand for -1, 0, +1. */
const ZERO_CODE = 1;

/** Passes of the search for the best threshold; N(0,1) settles in about 30. */
const MAX_PASSES = 100;

export interface TernaryOptions {
  /** Default: per output channel; the paper has one α per layer (`tensor`). */
  readonly per?: Per;
  /** `twn`: the paper's rule. `mse`: the threshold of least squared error next to it. Default `twn`. */
  readonly threshold?: "twn" | "mse";
}

/**
 * Ternary weight networks: min ‖W - αT‖² over T in {-1, 0, +1}ⁿ, approximately
 *
 *   Δ = 0.7 · E|w|;   t = sign(w) where |w| > Δ, else 0;   α = E[ |w| : |w| > Δ ].
 *
 * `mse` goes on from there: Δ ← α/2 (each weight to its nearest level) and α anew, until nothing changes. The error never rises, and at
 * the end both conditions of an optimum hold; for a unimodal log-concave density (Gauss, Laplace) it is the only one.
 *
 * Range: {-α, 0, +α} per group. Gradient in training: straight through, ∂L/∂w = ∂L/∂ŵ (times α where |w| > Δ).
 * Relative MSE on N(0,1): 0.1916, `mse` 0.1902. Groups of one magnitude are exact; an all-zero group has α = 0. Δ is at most half the largest f32.
 */
export function ternary({
  per = "channel",
  threshold = "twn",
}: TernaryOptions = {}): Quantizer<"affine", false, "weights"> {
  return defineQuantizer({
    scheme: `ternary${perSuffix(per, "channel")}${threshold === "mse" ? ":mse" : ""}`,
    decoding: "affine",
    bits: 2,
    codebook: "fixed",
    per,
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "optimalScale", "keepsZero"],
    paper: TWN,
    encode(w) {
      // Rounded down, an f32 |w| is above the f32 Δ exactly where it is above the real one. 2Δ must stay an f32.
      let delta: Float32Array = w.meanAbs().map((mean) => Math.min(floatBelow(0.7 * mean), MOST_FLOAT / 2));
      let alpha = w.meanAbsAbove(delta);
      if (threshold === "mse") ({ delta, alpha } = settle(w, delta, alpha));
      // Steps of 2Δ: w rounds to 0 exactly where |w| <= Δ, the tie going to the even 0.
      const step = delta.map((d) => 2 * d);
      const codes = w.gridCodes({ scale: step, zeroPoint: ZERO_CODE, minCode: 0, maxCode: 2 });
      return { codes, decoding: { kind: "affine", zeroPoint: ZERO_CODE }, scale: alpha };
    },
  });
}

/** Alternates the two conditions of a least-squares optimum until both hold. */
function settle(w: Weights, delta: Float32Array, alpha: Float32Array): { delta: Float32Array; alpha: Float32Array } {
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const next = alpha.map((a) => a / 2);
    if (next.every((d, group) => d === delta[group])) break;
    delta = next;
    const moved = w.meanAbsAbove(delta);
    if (moved.every((a, group) => a === alpha[group])) break;
    alpha = moved;
  }
  return { delta, alpha };
}

export const ternaryFamily: SchemeFamily = {
  syntax: "ternary[:tensor|:g<n>][:mse] or ternary:ttq",
  summary:
    "-α, 0, +α per channel (TWN: Δ = 0.7 mean |w|); :mse for the best threshold; :ttq for a level of each sign (TTQ)",
  examples: ["ternary", "ternary:tensor", "ternary:g32", "ternary:mse", "ternary:ttq"],
  owns: (head) => head === "ternary",
  parse(scheme, _head, args) {
    if (args.length === 1 && args[0] === "ttq") return ttq();
    const { per, flags } = modifiers(scheme, args, { per: "channel", flags: ["mse"] });
    return ternary({ per, threshold: flags.has("mse") ? "mse" : "twn" });
  },
};

export const ternaryMethods: readonly Method[] = [
  {
    method: "Ternary weight networks",
    section: "deterministic: quantization as optimization",
    file: "optimization/ternary.ts",
    paper: TWN,
    scheme: "ternary",
    published: "0.1916 on N(0,1), rule Δ = 0.7 E|w|",
  },
  {
    method: "Ternary weights of least error",
    section: "deterministic: quantization as optimization",
    file: "optimization/ternary.ts",
    paper: TWN,
    scheme: "ternary:mse",
    published: "0.1902 on N(0,1), Δ = 0.612 σ",
  },
];
