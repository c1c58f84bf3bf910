/** Weighted-entropy quantization: levels that are used much and matter much. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Side } from "../inner.ts";
import type { Method } from "../method.ts";
import { WEIGHTED_ENTROPY } from "../papers.ts";
import { floatAbove, ln, previousFloat } from "../powers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { bitsFor } from "../vector/kmeans.ts";
import type { Weights } from "../weights.ts";

/** Parts of 0..max|w| of a side at whose ends clusters may meet. */
const BINS = 1024;

/**
 * Park, Ahn and Yoo: clusters of weights, of magnitudes next to each other, that maximize the weighted entropy
 *
 *   S = -Σₙ Iₙ Pₙ ln Pₙ,   Pₙ = |Cₙ| / Σ|C|,   Iₙ the mean importance of the members, w² each
 *
 * on either side of 0 by itself; a cluster's level is the weight of its importance, ±√Iₙ. Small weights, of which there are many, and large ones, which matter, both
 * get levels: between uniform and logarithmic ones. Half of the K levels are for w < 0, the others (one more where K is odd) for w >= 0.
 *
 * The paper moves one boundary at a time to where S grows, as long as it does. Here the sides are histograms of 1024 bins up to the side's largest magnitude, and
 * among their ends the boundaries of greatest S are found by dynamic programming. Splitting a cluster always adds to S, so all levels are used where there are as many filled bins.
 *
 * Range: K levels of both signs per tensor, the outer ones below max|w|. Gradient in training: straight through. A constant tensor is exact.
 */
export function weightedEntropy({ levels }: { readonly levels: number }): Quantizer<"table", false, "weights"> {
  const scheme = `weq:${levels}`;
  checkInteger(scheme, "levels", levels, 2, 256);
  return defineQuantizer({
    scheme,
    decoding: "table",
    bits: bitsFor(levels),
    codebook: "adaptive",
    per: "tensor",
    laws: ["scaleEquivariant", "ordered", "idempotent"],
    paper: WEIGHTED_ENTROPY,
    encode(w) {
      const { min, max } = w.minMax();
      const negative = clusters(w, "negative", Math.max(0, -min[0]!), Math.floor(levels / 2));
      const positive = clusters(w, "positive", Math.max(0, max[0]!), Math.ceil(levels / 2));
      const codebook = Float32Array.from([
        ...negative.levels.toReversed().map((level) => -level),
        ...(positive.levels.length > 0 ? positive.levels : [0]),
      ]);
      // Of a bin floor(|w| 1024 / max) the f32 numbers are those from its lower end on; below 0, up to it.
      const thresholds = [
        ...negative.boundaries.toReversed().map((end) => -previousFloat(floatAbove(end))),
        ...(negative.levels.length > 0 ? [0] : []),
        ...positive.boundaries.map(floatAbove),
      ];
      return { codes: w.thresholdCodes(Float32Array.from(thresholds)), decoding: { kind: "table", codebook } };
    },
  });
}

/** The clusters of a side: their levels as magnitudes, ascending, and where all but the first begin. None where the side has no weights. */
function clusters(w: Weights, side: Side, top: number, most: number): { levels: number[]; boundaries: number[] } {
  const { counts, squares } = w.histogram(0, { side, count: BINS, top: Float32Array.of(top) });
  const filled = [...counts.keys()].filter((bin) => counts[bin]! > 0);
  const count = runningSums(filled, counts);
  const square = runningSums(filled, squares);
  const starts = filled.length <= most ? filled.map((_, i) => i) : mostEntropy(count, square, most);
  const levels = starts.map((from, n) => {
    const to = starts[n + 1] ?? filled.length;
    return Math.sqrt((square[to]! - square[from]!) / (count[to]! - count[from]!));
  });
  return { levels, boundaries: starts.slice(1).map((from) => (filled[from]! * top) / BINS) };
}

function runningSums(bins: readonly number[], values: Uint32Array | Float64Array): Float64Array {
  const sums = new Float64Array(bins.length + 1);
  for (const [i, bin] of bins.entries()) sums[i + 1] = sums[i]! + values[bin]!;
  return sums;
}

/**
 * Where each of K clusters of neighbouring bins begins so that -Σ I P ln P is greatest; `count` and `square` are sums over the bins before each end. I P is a cluster's
 * share of Σw². The leftmost boundaries of equally good ones.
 */
export function mostEntropy(count: Float64Array, square: Float64Array, clusters: number): number[] {
  const bins = count.length - 1;
  const all = count[bins]!;
  const size = bins + 1;
  // gain[from, to]: of bins from .. to - 1 as one cluster.
  const gain = new Float64Array(size * size);
  for (let from = 0; from < bins; from++) {
    for (let to = from + 1; to <= bins; to++)
      gain[from * size + to] = -(square[to]! - square[from]!) * ln((count[to]! - count[from]!) / all);
  }
  // best[to]: of the first `to` bins in n clusters; start[n, to]: where the last of those begins.
  let best = gain.slice(0, size);
  const start = new Uint16Array(clusters * size);
  for (let n = 1; n < clusters; n++) {
    const next = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    for (let to = n + 1; to <= bins; to++) {
      for (let from = n; from < to; from++) {
        const entropy = best[from]! + gain[from * size + to]!;
        if (entropy > next[to]!) {
          next[to] = entropy;
          start[n * size + to] = from;
        }
      }
    }
    best = next;
  }
  const starts: number[] = [];
  for (let [n, to] = [clusters - 1, bins]; n >= 0; n--) {
    to = start[n * size + to]!;
    starts.unshift(to);
  }
  return starts;
}

export const weightedEntropyFamily: SchemeFamily = {
  syntax: "weq:<2..256>",
  summary: "that many levels per tensor, of greatest weighted entropy (Park et al.)",
  examples: ["weq:4", "weq:16"],
  owns: (head) => head === "weq",
  parse(scheme, _head, [levels, ...rest]) {
    noMore(scheme, rest);
    return weightedEntropy({ levels: integerArgument(scheme, "levels of weq:<levels>", levels, 2, 256) });
  },
};

export const weightedEntropyMethod: Method = {
  method: "Weighted-entropy quantization",
  section: "deterministic: rounding",
  file: "rounding/weighted-entropy.ts",
  paper: WEIGHTED_ENTROPY,
  scheme: "weq:8",
  published: "0.0644 on N(0,1), 4 levels of each sign of greatest weighted entropy, by integration",
};
