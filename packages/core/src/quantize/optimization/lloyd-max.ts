/** Lloyd-Max: the scalar quantizer of least squared error, from quantiles instead of random starts. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Resident } from "../inner.ts";
import type { Method } from "../method.ts";
import { LLOYD_MAX } from "../papers.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { bitsFor } from "../vector/kmeans.ts";

export interface LloydMaxOptions {
  /** 2..256; codes have ceil(log₂ levels) bits. */
  readonly levels: number;
  /** Default 10000; it ends once nothing changes. */
  readonly passes?: number;
}

/**
 * Lloyd-Max quantization: min Σ (w - c(w))² over L levels, both conditions of an optimum in alternation until they hold,
 *
 *   thresholds t_i = (c_{i-1} + c_i) / 2;   levels c_i = E[w : t_i < w <= t_{i+1}].
 *
 * Scalar k-means without a seed: the start is the weights' quantiles (i + 1/2) / L, and the passes run over sorted weights, where an interval is a stretch. An
 * empty interval takes the weight that is farthest from its level, so that up to L distinct values are kept exactly.
 *
 * Range: L levels, one table per tensor. Gradient in training: ∂L/∂c = Σ of its members' gradients. Relative MSE on N(0,1): 0.1175, 0.0345, 0.0095 for
 * L = 4, 8, 16 (Max 1960). The optimum is unique for a log-concave density (Fleischer 1964), a local one otherwise. Weights are first scaled by a power of two, exactly,
 * so that squares stay in range.
 */
export function lloydMax({ levels, passes = 10_000 }: LloydMaxOptions): Quantizer<"table", false, "weights"> {
  checkInteger("lloyd:<L>", "levels", levels, 2, 256);
  checkInteger("lloyd:<L>", "passes", passes, 1, 1_000_000);
  return defineQuantizer({
    scheme: `lloyd:${levels}`,
    decoding: "table",
    bits: bitsFor(levels),
    codebook: "adaptive",
    per: "tensor",
    laws: ["idempotent", "scaleEquivariant", "nearest", "optimalScale", "monotoneInBits"],
    coarser: levels > 2 ? () => lloydMax({ levels: Math.ceil(levels / 2), passes }) : undefined,
    paper: LLOYD_MAX,
    encode(w) {
      const max = w.absMax()[0]!;
      const unit = powerOfTwo(max === 0 ? 0 : floorLog2(max));
      w.release();
      const codebook = sortedLevels(w.resident(w.values(), 1 / unit), levels, passes);
      const codes = w.nearest(codebook, Float32Array.of(unit));
      return { codes, decoding: { kind: "table", codebook: codebook.map((c) => c * unit) } };
    },
  });
}

/** Levels of x, which it sorts and disposes of. */
function sortedLevels(x: Resident, count: number, passes: number): Float32Array {
  using sorted = x;
  sorted.sort();
  let levels = Float32Array.from({ length: count }, (_, i) =>
    sorted.at(Math.floor(((2 * i + 1) * sorted.length) / (2 * count))),
  );
  for (let pass = 0; pass < passes; pass++) {
    const thresholds = Float64Array.from(levels.subarray(1), (level, i) => (levels[i]! + level) / 2);
    const { ends, sums } = sorted.parts(thresholds);
    const moved = levels.map((level, i) => {
      const members = ends[i]! - (ends[i - 1] ?? 0);
      return members === 0 ? level : sums[i]! / members;
    });
    const empty = moved.findIndex((_, i) => ends[i] === (ends[i - 1] ?? 0));
    const filled = empty >= 0 && fillEmpty(sorted, ends, moved, empty);
    if (!filled && moved.every((level, i) => level === levels[i])) break;
    levels = filled ? moved.sort() : moved;
  }
  return levels;
}

/** Moves the empty interval's level to the weight that is farthest from its own; false where each weight lies on its level. */
function fillEmpty(sorted: Resident, ends: Uint32Array, levels: Float32Array, empty: number): boolean {
  let [most, farthest] = [0, 0];
  for (const [i, level] of levels.entries()) {
    const start = ends[i - 1] ?? 0;
    if (ends[i] === start) continue;
    // In a sorted stretch it is the first or the last.
    for (const x of [sorted.at(start), sorted.at(ends[i]! - 1)]) {
      if (Math.abs(x - level) > most) [most, farthest] = [Math.abs(x - level), x];
    }
  }
  if (most > 0) levels[empty] = farthest;
  return most > 0;
}

export const lloydMaxFamily: SchemeFamily = {
  syntax: "lloyd:<2..256>",
  summary: "that many levels per tensor, the Lloyd-Max quantizer of its weights",
  examples: ["lloyd:3", "lloyd:8"],
  owns: (head) => head === "lloyd",
  parse(scheme, _head, [levels, ...rest]) {
    noMore(scheme, rest);
    return lloydMax({ levels: integerArgument(scheme, "L of lloyd:<L>", levels, 2, 256) });
  },
};

export const lloydMaxMethod: Method = {
  method: "Lloyd-Max",
  section: "deterministic: quantization as optimization",
  file: "optimization/lloyd-max.ts",
  paper: LLOYD_MAX,
  scheme: "lloyd:16",
  published: "0.0095 on N(0,1), Max's table of 16 levels",
};
