/** Half-quadratic quantization: the offset of each group by a robust norm, without data. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { HQQ } from "../papers.ts";
import type { UniformBits } from "../rounding/uniform.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

export interface HqqOptions {
  readonly bits: UniformBits;
  /** Default: per output channel; the paper has groups of 64. */
  readonly per?: Per;
}

/** The numbers of the authors' program. */
const SEARCH = { norm: 0.7, beta: 10, growth: 1.01, rounds: 20 } as const;

/**
 * HQQ: min over z of φ(W - s(W_q - z)) with the lₚ norm φ, p = 0.7, scale s = (max - min) / (2^b - 1) per group and real z. A second variable e for the
 * residual splits it into two steps that have closed forms, repeated at most 20 times with β = 10, growing by 1 % each time:
 *
 *   e ← sign(r) max(|r| - |r|^(p-1) / β, 0),   r = W/s - (W_q - z),   W_q = clip(round(W/s + z), 0, 2^b - 1)
 *   z ← mean(W_q - (W/s - e))
 *
 * until the mean |r| no longer falls; of all z passed the one with the least is kept. Residuals are in steps of the group here, where the authors' program takes them in the
 * weights' own unit: that way a scaled group has the same codes. ŵ = code · s + o with o = -z s (decoding `offset`); 0 is in general no level.
 *
 * Range: 2^b levels s apart. Gradient in training: none. A constant group is exact (code 0), an all-zero one too; s is at least 2^-149. Weights near f32's maximum may put a
 * level beyond it, which `quantize` refuses (OutOfRangeError). Published: Llama-2-70B quantized in under 5 minutes, without data.
 */
export function hqq({ bits, per = "channel" }: HqqOptions): Quantizer<"offset", false, "weights"> {
  checkInteger("hqq:<b>", "bits", bits, 2, 8);
  return defineQuantizer({
    scheme: `hqq:${bits}${perSuffix(per, "channel")}`,
    decoding: "offset",
    bits,
    codebook: "fixed",
    per,
    laws: ["scaleEquivariant", "nearest", "monotoneInBits"],
    coarser: bits > 2 ? () => hqq({ bits: (bits - 1) as UniformBits, per }) : undefined,
    paper: HQQ,
    encode(w) {
      const search = { ...SEARCH, maxCode: 2 ** bits - 1 };
      const { scale, offset, codes } = w.solver.hqq(w.values(), w.grouping, search);
      return { codes, decoding: { kind: "offset", offset }, scale };
    },
  });
}

export const hqqFamily: SchemeFamily = {
  syntax: "hqq:<2..8>[:tensor|:g<n>]",
  summary: "uniform levels from min to max, their offset by half-quadratic search in the l0.7 norm (HQQ)",
  examples: ["hqq:2:g32", "hqq:4:g32"],
  owns: (head) => head === "hqq",
  parse: (scheme, _head, [bits, ...rest]) =>
    hqq({
      bits: integerArgument(scheme, "bits", bits, 2, 8) as UniformBits,
      per: modifiers(scheme, rest, { per: "channel" }).per,
    }),
};

export const hqqMethod: Method = {
  method: "Half-quadratic quantization (HQQ)",
  section: "since 2018",
  file: "calibrated/hqq.ts",
  paper: HQQ,
  scheme: "hqq:4:g32",
  published: "mean |w - ŵ| at most that of the same grid from min to max",
};
