/** Uniform quantization with linear scaling, a bucket of weights at a time. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { POLINO } from "../papers.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { BitsOf, Per, Quantizer } from "../types.ts";

/** The paper's bucket. */
const BUCKET: Per = { group: 256 };

/**
 * Polino, Pascanu and Alistarh: Q(v) = sc⁻¹(Q̂(sc(v))) with linear scaling into 0..1 and s + 1 levels there, s = 2^b - 1,
 *
 *   sc(v) = (v - β) / α,   β = min v,   α = max v - min v;     Q̂(v) = round(s v) / s
 *
 * over buckets of 256 weights (`per` for others), which bounds what an outlier costs. A row ends its last bucket; the paper's run on over the rows.
 *
 * Range: 2^b levels from a bucket's minimum to its maximum; 0 need not be one, unlike `int<b>:asym`. Stored as an f32 step α/s and an f32 offset β per bucket.
 * Gradient in training: straight through (∂L/∂v = ∂L/∂Q(v)), or of the levels themselves. A bucket of one value is exact.
 * A bucket wider than the largest f32 is refused by `quantize` (OutOfRangeError).
 */
export function bucket({
  bits,
  per = BUCKET,
}: {
  readonly bits: BitsOf<"offset">;
  readonly per?: Per;
}): Quantizer<"offset", false, "weights"> {
  checkInteger("bucket:<b>", "bits", bits, 1, 8);
  return defineQuantizer({
    scheme: `bucket:${bits}${suffix(per)}`,
    decoding: "offset",
    bits,
    codebook: "fixed",
    per,
    laws: ["scaleEquivariant", "nearest", "ordered", "monotoneInBits"],
    coarser: bits > 1 ? () => bucket({ bits: (bits - 1) as BitsOf<"offset">, per }) : undefined,
    paper: POLINO,
    encode(w) {
      const { min: offset, max } = w.minMax();
      const steps = 2 ** bits - 1;
      const scale = max.map((top, group) => (top - offset[group]!) / steps);
      const codes = w.gridCodes({ scale, zeroPoint: 0, offset, minCode: 0, maxCode: steps });
      return { codes, decoding: { kind: "offset", offset }, scale };
    },
  });
}

const suffix = (per: Per): string => (typeof per === "object" && per.group === 256 ? "" : perSuffix(per, BUCKET));

export const bucketFamily: SchemeFamily = {
  syntax: "bucket:<1..8>[:tensor|:channel|:g<n>]",
  summary: "uniform from min to max of every 256 weights of a row (Polino et al.)",
  examples: ["bucket:2", "bucket:4", "bucket:4:g32"],
  owns: (head) => head === "bucket",
  parse(scheme, _head, [bits, ...args]) {
    return bucket({
      bits: integerArgument(scheme, "bits of bucket:<bits>", bits, 1, 8) as BitsOf<"offset">,
      per: modifiers(scheme, args, { per: BUCKET }).per,
    });
  },
};

export const bucketMethod: Method = {
  method: "Uniform with bucketed linear scaling",
  section: "deterministic: rounding",
  file: "rounding/bucket.ts",
  paper: POLINO,
  scheme: "bucket:4",
  published: "noise of at most α / (2 (2^b - 1)) a weight; α²/(12 · 15²) in the mean of 4 bits",
};
