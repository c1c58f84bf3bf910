/** NF4: quantiles of the normal distribution as levels. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { QLORA } from "../papers.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

/** QLoRA's appendix E. */
export const NF4_LEVELS: readonly number[] = [
  -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
];

const DEFAULT_PER: Per = { group: 64 };

export interface Nf4Options {
  /** Default: groups of 64, the paper's. */
  readonly per?: Per;
}

/**
 * 4-bit NormalFloat (Dettmers et al., section 3 and appendix E), per group of 64 weights:
 *
 *   c = max|w|;   ŵ = c · (the nearest of 16 levels to w / c)
 *
 * The levels are quantiles of N(0,1) divided by the largest: with δ = ½ (1/32 + 1/30), eight positive ones Φ⁻¹ of equal steps from ½ to 1 - δ, seven negative
 * ones Φ⁻¹ of equal steps from δ to ½, and 0. They are asymmetric.
 *
 * Range: ±c, both ends levels. Gradient in training: straight through, ∂L/∂w = ∂L/∂ŵ. A group of zeros has c = 1. The quotient is one f32 division, a tie goes
 * to the lower level. QLoRA's second quantization of the scales is not part of it; the scale is an f32 (4.5 bits a weight).
 */
export function nf4({ per = DEFAULT_PER }: Nf4Options = {}): Quantizer<"table", false, "weights"> {
  const suffix = typeof per === "object" && per.group === 64 ? "" : perSuffix(per, DEFAULT_PER);
  return defineQuantizer({
    scheme: `nf4${suffix}`,
    decoding: "table",
    bits: 4,
    codebook: "fixed",
    per,
    laws: ["idempotent", "scaleEquivariant", "nearest", "keepsZero"],
    paper: QLORA,
    encode(w) {
      const codebook = Float32Array.from(NF4_LEVELS);
      const scale = w.absMax().map((max) => (max === 0 ? 1 : max));
      return { codes: w.nearest(codebook, scale), decoding: { kind: "table", codebook }, scale };
    },
  });
}

export const nf4Family: SchemeFamily = {
  syntax: "nf4[:tensor|:channel|:g<n>]",
  summary: "quantiles of the normal distribution times max |w| per group of 64 (QLoRA)",
  examples: ["nf4"],
  owns: (head) => head === "nf4",
  parse: (scheme, _head, args) => nf4({ per: modifiers(scheme, args, { per: DEFAULT_PER }).per }),
};

export const nf4Method: Method = {
  method: "NF4",
  section: "since 2018",
  file: "blocks/nf4.ts",
  paper: QLORA,
  scheme: "nf4",
  published: "0.00846 on N(0,1) in groups of 64, by integration",
};
