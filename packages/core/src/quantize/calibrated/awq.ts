/** AWQ: ranges, and scales of input channels, that keep the output of a layer. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Grid } from "../inner.ts";
import type { Method } from "../method.ts";
import { AWQ } from "../papers.ts";
import { LEAST_FLOAT } from "../powers.ts";
import { type UniformBits, uniformGrid } from "../rounding/uniform.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Gram } from "../solve.ts";
import type { Per, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";

export interface AwqOptions {
  readonly bits: UniformBits;
  /** Default: per output channel. */
  readonly per?: Per;
}

/** Ratios 1, 0.95 ... 0.55 of the range, as in the authors' program. */
const RATIOS = Array.from({ length: 10 }, (_, i) => (20 - i) / 20);

/**
 * The clipping half of AWQ: each group's asymmetric range is cut to the ratio r in {1, 0.95 ... 0.55} of least
 *
 *   ‖(W_g - Q_r(W_g)) X_g‖²,
 *
 * X_g being the calibration inputs of the group's columns; the larger r on a tie. Every weight goes to its nearest level.
 *
 * The other half, scales s of the input channels, Q(W diag(s)) (diag(s)⁻¹ x), is no property of a tensor: codes of one scale per group cannot hold a scale per column, so 1/s
 * must go into the layer before. `awqScales` (`equalization.ts`) finds s, and the caller multiplies the layer's columns and divides the outputs of the one before.
 *
 * Range: the levels of `int<b>:asym`, 0 among them. Gradient in training: none. All-zero inputs leave r = 1. Published (both halves): Llama-2-7B, 4 bits, groups of 128: perplexity
 * 5.60, float 5.47.
 */
export function awq({ bits, per = "channel" }: AwqOptions): Quantizer<"affine", false, "inputs"> {
  checkInteger("awq:<b>", "bits", bits, 2, 8);
  return defineQuantizer({
    scheme: `awq:${bits}${perSuffix(per, "channel")}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    needs: "inputs",
    laws: ["scaleEquivariant", "nearest", "keepsZero", "monotoneInBits"],
    coarser: bits > 2 ? () => awq({ bits: (bits - 1) as UniformBits, per }) : undefined,
    paper: AWQ,
    encode(w, { calibration }) {
      const widest = uniformGrid(w, { bits, asymmetric: true, range: "absmax" });
      using gram = w.solver.gram(calibration, w.columns);
      const grid = clipped(w, gram, widest);
      return { codes: w.gridCodes(grid), decoding: { kind: "affine", zeroPoint: grid.zeroPoint }, scale: grid.scale };
    },
  });
}

/** Shrinks each group's range to the ratio of least error in the output. */
function clipped(w: Weights, gram: Gram, widest: Grid): Grid {
  const least = new Float64Array(w.groups).fill(Number.POSITIVE_INFINITY);
  const scale = widest.scale.slice();
  for (const ratio of RATIOS) {
    const grid = { ...widest, scale: widest.scale.map((s) => Math.max(s * ratio, LEAST_FLOAT)) };
    const errors = gram.gridErrors({ w: w.values(), grouping: w.grouping, grid });
    for (const [group, error] of errors.entries()) {
      if (error < least[group]!) {
        least[group] = error;
        scale[group] = grid.scale[group]!;
      }
    }
  }
  return { ...widest, scale };
}

export const awqFamily: SchemeFamily = {
  syntax: "awq:<2..8>[:tensor|:g<n>]",
  summary: "the grid of int<b>:asym, each range cut where the calibration inputs ask for it (AWQ's clipping)",
  examples: ["awq:3", "awq:4:g32"],
  owns: (head) => head === "awq",
  parse: (scheme, _head, [bits, ...rest]) =>
    awq({
      bits: integerArgument(scheme, "bits", bits, 2, 8) as UniformBits,
      per: modifiers(scheme, rest, { per: "channel" }).per,
    }),
};

export const awqMethod: Method = {
  method: "AWQ, clipped ranges",
  section: "since 2018",
  file: "calibrated/awq.ts",
  paper: AWQ,
  scheme: "awq:4:g32",
  published: "Llama-2-7B, 4 bits, groups of 128, with scales: perplexity 5.60, float 5.47",
};
