/** Balanced quantization: every level is used equally often. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { BALANCED } from "../papers.ts";
import { integerArgument, modifiers, type SchemeFamily } from "../scheme-family.ts";
import type { BitsOf, Law, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { fittedLine } from "./fit.ts";

export interface BalancedOptions {
  readonly bits: BitsOf<"offset">;
  /** Where a bin is halved: at its median, or at its mean, the paper's cheaper approximation. Default `median`. */
  readonly by?: "median" | "mean";
  /** `fit`: the evenly spaced levels of least squared error, for weights as they come. `paper`: from -max|w| to max|w|. Default `fit`. */
  readonly scale?: "fit" | "paper";
}

/**
 * Zhou et al.: weights are equalized, then quantized uniformly:
 *
 *   1. halve the weights at their median (or mean), each half at its own, k times over: 2^k bins of equally many weights;
 *   2. map the i-th bin onto the i-th of 2^k equal parts of 0..1 and round, so that it becomes i / (2^k - 1);
 *   3. scale back: ŵ = max|w| (2i / (2^k - 1) - 1).
 *
 * Codes then carry k bits of entropy each. For weights as they come max|w| is far too much (the outer bins hold much more than the extremes), hence
 * {@link BalancedOptions.scale}: step and first level of the regression of w on i, the least Σ(w - ŵ)². A weight that equals a boundary belongs to the upper bin, and equal
 * weights never part, so that bins are as balanced as ties allow.
 *
 * Range: 2^k uniform levels per tensor. Relative MSE on N(0,1): 0.3634 of 1 bit, 0.1439 of 2, that is 1 - (Σ lᵢmᵢ)² / (2^k Σ lᵢ²) with lᵢ = 2i / (2^k - 1) - 1 and mᵢ the means
 * of the bins. Gradient in training: straight through. A constant tensor is exact;
 * where the last level leaves f32, `quantize` refuses (OutOfRangeError).
 */
export function balanced({
  bits,
  by = "median",
  scale: rule = "fit",
}: BalancedOptions): Quantizer<"offset", false, "weights"> {
  checkInteger("balanced:<b>", "bits", bits, 1, 8);
  const fitted: readonly Law[] = rule === "fit" ? ["optimalScale"] : [];
  return defineQuantizer({
    scheme: `balanced:${bits}${by === "mean" ? ":mean" : ""}${rule === "paper" ? ":paper" : ""}`,
    decoding: "offset",
    bits,
    codebook: "fixed",
    per: "tensor",
    laws: ["scaleEquivariant", ...fitted, "ordered"],
    paper: BALANCED,
    encode(w) {
      const codes = w.thresholdCodes(by === "median" ? medians(w, bits) : means(w, bits));
      const [max = 0] = w.absMax();
      const { scale, offset } =
        rule === "fit" ? fittedLine(w, codes, 2 ** bits) : { scale: (2 * max) / (2 ** bits - 1), offset: -max };
      return { codes, decoding: { kind: "offset", offset: Float32Array.of(offset) }, scale: Float32Array.of(scale) };
    },
  });
}

/** The weights at ranks ceil(i n / 2^k), i = 1 .. 2^k - 1: the medians of k halvings. */
function medians(w: Weights, bits: number): Float32Array {
  const bins = 2 ** bits;
  const ranks = Uint32Array.from({ length: bins - 1 }, (_, i) =>
    Math.min(w.length - 1, Math.ceil(((i + 1) * w.length) / bins)),
  );
  return w.orderStatistics("values", ranks);
}

/** The means of k halvings; an empty bin repeats the boundary below it. */
function means(w: Weights, bits: number): Float32Array {
  let boundaries = new Float32Array(0);
  for (let halving = 0; halving < bits; halving++) {
    const bins = boundaries.length + 1;
    const { sums, counts } = w.sumsByCode(w.thresholdCodes(boundaries), bins);
    const next: number[] = [];
    for (let bin = 0; bin < bins; bin++) {
      const [below, above] = [boundaries[bin - 1] ?? w.minMax().min[0]!, boundaries[bin] ?? Number.POSITIVE_INFINITY];
      // Rounding may not carry a mean out of its bin.
      next.push(counts[bin] === 0 ? below : Math.max(below, Math.min(above, Math.fround(sums[bin]! / counts[bin]!))));
      if (bin < bins - 1) next.push(above);
    }
    boundaries = Float32Array.from(next);
  }
  return boundaries;
}

export const balancedFamily: SchemeFamily = {
  syntax: "balanced:<1..8>[:mean][:paper]",
  summary:
    "equally many weights to each of 2^k uniform levels of a tensor (Zhou et al.); :mean to halve at means, :paper for levels to ±max |w|",
  examples: ["balanced:2", "balanced:3", "balanced:3:mean"],
  owns: (head) => head === "balanced",
  parse(scheme, _head, [text, ...args]) {
    const bits = integerArgument(scheme, "bits of balanced:<bits>", text, 1, 8) as BitsOf<"offset">;
    const { flags } = modifiers(scheme, args, { per: "tensor", groups: false, flags: ["mean", "paper"] });
    return balanced({ bits, by: flags.has("mean") ? "mean" : "median", scale: flags.has("paper") ? "paper" : "fit" });
  },
};

const row = { section: "deterministic: rounding", file: "rounding/balanced.ts", paper: BALANCED } as const;

export const balancedMethods: readonly Method[] = [
  {
    ...row,
    method: "Balanced quantization at medians",
    scheme: "balanced:2",
    published: "0.1439 on N(0,1), by the means of its quartiles",
  },
  {
    ...row,
    method: "Balanced quantization at means",
    scheme: "balanced:2:mean",
    published: "0.1280 on N(0,1), by integration",
  },
];
