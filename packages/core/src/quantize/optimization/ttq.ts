/** Trained ternary quantization's levels: one scale for each sign. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { TTQ } from "../papers.ts";
import { floatBelow } from "../powers.ts";
import type { Quantizer } from "../types.ts";

/** The paper's t, the same for every layer. */
const THRESHOLD = 0.05;

/** Codes 0, 1, 2 stand for -W_n, 0, +W_p. */
const ZERO_CODE = 1;

/**
 * Trained ternary quantization (Zhu et al.):
 *
 *   Δ = t · max|w|, t = 0.05;   q = +W_p where w > Δ, -W_n where w < -Δ, else 0.
 *
 * W_p and W_n are learned in training; of given weights they are their least-squares values, from which training starts:
 *
 *   W_p = E[w : w > Δ],   W_n = E[-w : w < -Δ].
 *
 * Range: {-W_n, 0, W_p} per tensor (the paper's layer), stored as a table. Gradient in training: ∂L/∂W_p = Σ_{w > Δ} ∂L/∂q (W_n likewise, with the sign of q);
 * ∂L/∂w = ∂L/∂q times W_p, 1 or W_n. Δ follows the largest weight, so theory has a figure only beside it: on N(0,1) the relative MSE is 1 - 2 φ(Δ)² / (1 - Φ(Δ)).
 * A sign that no weight above Δ has gets the level 0; a group of one magnitude for each sign is exact.
 */
export function ttq(): Quantizer<"table", false, "weights"> {
  return defineQuantizer({
    scheme: "ternary:ttq",
    decoding: "table",
    bits: 2,
    codebook: "adaptive",
    per: "tensor",
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "optimalScale", "keepsZero"],
    paper: TTQ,
    encode(w) {
      const max = w.absMax()[0]!;
      // As in `ternary`: rounded down, f32 weights compare with it as with the real Δ, and steps of 2Δ send |w| <= Δ to 0.
      const delta = max === 0 ? 0 : floatBelow(THRESHOLD * max);
      const scale = Float32Array.of(2 * delta);
      const codes = w.gridCodes({ scale, zeroPoint: ZERO_CODE, minCode: 0, maxCode: 2 });
      const { sums, counts } = w.clusterSums(codes, 3);
      const codebook = Float32Array.from(sums, (sum, code) =>
        code === ZERO_CODE || counts[code] === 0 ? 0 : sum / counts[code]!,
      );
      return { codes, decoding: { kind: "table", codebook } };
    },
  });
}

export const ttqMethod: Method = {
  method: "Trained ternary quantization's levels",
  section: "deterministic: quantization as optimization",
  file: "optimization/ttq.ts",
  paper: TTQ,
  scheme: "ternary:ttq",
  published: "1 - 2φ(Δ)²/(1 - Φ(Δ)) on N(0,1); 0.2690 at Δ = 0.05 · 4.21 σ (40,000 weights)",
};
