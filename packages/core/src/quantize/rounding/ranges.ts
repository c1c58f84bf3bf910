/** How far a uniform grid reaches: over all weights, or over fewer of them for the sake of finer steps. */
import type { Grid } from "../inner.ts";
import { LEAST_FLOAT, ln, previousFloat } from "../powers.ts";
import type { Weights } from "../weights.ts";

/**
 * - `absmax`: over every weight.
 * - `mse`: the range of least squared error.
 * - `percentile`: over that many percent of the magnitudes (50 up to but not 100, at most four decimals), such as 99.9; of an asymmetric grid, half of the
 *   rest is beyond each end.
 * - `kl`: the range of least Kullback-Leibler divergence between the histograms before and after, as TensorRT calibrates.
 */
export type RangeRule = "absmax" | "mse" | "kl" | { readonly percentile: number };

/** A grid as each group has it: the largest magnitude that its ends stand for is `scale` times the ends. */
export interface Range {
  readonly scale: Float32Array;
  readonly zeroPoint: number | Int32Array;
}

/** What a group's grid covers: low <= 0 <= high. */
interface Ends {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** The range of b bits by a rule; `limits` are the lowest and the highest code. */
export function rangeOf(
  w: Weights,
  bits: number,
  asymmetric: boolean,
  rule: RangeRule,
  limits: Pick<Grid, "minCode" | "maxCode">,
): Range {
  const grid = asymmetric ? asymmetricGrid : symmetricGrid;
  if (typeof rule === "object") return grid((asymmetric ? percentileEnds : percentile)(w, rule.percentile), bits);
  const widest = grid(asymmetric ? allEnds(w) : mirrored(w.absMax()), bits);
  if (rule === "mse") return leastErrorRange(w, widest, limits);
  return rule === "kl" ? leastDivergenceRange(w, widest, 2 ** (bits - 1)) : widest;
}

const mirrored = (high: Float32Array): Ends => ({ low: high.map((end) => -end), high });

function allEnds(w: Weights): Ends {
  const { min, max } = w.minMax();
  return { low: min.map((m) => Math.min(m, 0)), high: max.map((m) => Math.max(m, 0)) };
}

function symmetricGrid({ high }: Ends, bits: number): Range {
  const steps = 2 ** (bits - 1) - 1;
  return { scale: high.map((end) => scaleFor(end, steps)), zeroPoint: 2 ** (bits - 1) };
}

function asymmetricGrid({ low, high }: Ends, bits: number): Range {
  const steps = 2 ** bits - 1;
  const scale = high.map((end, group) => scaleFor(end - low[group]!, steps));
  // -low / scale is at least 0, so Math.round (ties up) differs from ties-to-even in the choice of one of two equally good grids.
  return { scale, zeroPoint: Int32Array.from(scale, (s, group) => Math.min(steps, Math.round(-low[group]! / s))) };
}

/** f32 scale so that `steps` of it reach `extent`. */
export function scaleFor(extent: number, steps: number): number {
  if (extent === 0) return 1;
  const scale = Math.max(Math.fround(extent / steps), LEAST_FLOAT);
  return Math.fround(scale * steps) === Number.POSITIVE_INFINITY ? previousFloat(scale) : scale;
}

/** Weights of a group of n beyond the percentile: floor(n (100 - p) / 100), in ten thousandths of a percent, which are whole numbers. */
const beyond = (n: number, percent: number): number =>
  Math.floor((n * (1_000_000 - Math.round(percent * 10_000))) / 1_000_000);

/** Where only 0 is left, the group's own ends are: a range of nothing would lose every weight. */
const orWidest = (end: Float32Array, widest: Float32Array, other = end): Float32Array =>
  end.map((value, group) => (value === 0 && other[group] === 0 ? widest[group]! : value));

function percentile(w: Weights, percent: number): Ends {
  const ranks = w.lengths().map((n) => n - 1 - beyond(n, percent));
  return mirrored(orWidest(w.orderStatistics("magnitudes", ranks), w.absMax()));
}

function percentileEnds(w: Weights, percent: number): Ends {
  const lengths = w.lengths();
  const ranks = Uint32Array.from({ length: 2 * lengths.length }, (_, i) => {
    const n = lengths[i >> 1]!;
    const cut = Math.floor(beyond(n, percent) / 2);
    return i % 2 === 0 ? cut : n - 1 - cut;
  });
  const ends = w.orderStatistics("values", ranks);
  const low = Float32Array.from(lengths, (_, group) => Math.min(ends[2 * group]!, 0));
  const high = Float32Array.from(lengths, (_, group) => Math.max(ends[2 * group + 1]!, 0));
  const widest = allEnds(w);
  return { low: orWidest(low, widest.low, high), high: orWidest(high, widest.high, low) };
}

/** Shrinks each group's range to the ratio of least squared error. */
function leastErrorRange(w: Weights, widest: Range, limits: { minCode: number; maxCode: number }): Range {
  const bestError = new Float64Array(w.groups).fill(Number.POSITIVE_INFINITY);
  const bestPercent = new Uint8Array(w.groups).fill(100);
  const scaleAt = (percent: (group: number) => number): Float32Array =>
    widest.scale.map((scale, group) => Math.max((scale * percent(group)) / 100, LEAST_FLOAT));
  const attempt = (percent: (group: number) => number): void => {
    const errors = w.gridErrors({ scale: scaleAt(percent), zeroPoint: widest.zeroPoint, ...limits });
    for (let group = 0; group < errors.length; group++) {
      if (errors[group]! < bestError[group]!) {
        bestError[group] = errors[group]!;
        bestPercent[group] = percent(group);
      }
    }
  };
  for (let percent = 100; percent >= 5; percent -= 5) attempt(() => percent);
  const coarse = bestPercent.slice();
  for (let offset = 4; offset >= -4; offset--) {
    if (offset !== 0) attempt((group) => Math.min(100, coarse[group]! + offset));
  }
  return { scale: scaleAt((group) => bestPercent[group]!), zeroPoint: widest.zeroPoint };
}

/** Bins of a histogram of magnitudes, as TensorRT has them. */
const BINS = 2048;

/** Ranges that are tried, in bins: every 1/128 of the widest. */
const STRIDE = 16;

/** What Q counts where P has nothing but outliers: with 0 a divergence would be infinite. */
const SMOOTHED = 1e-4;

/** Shrinks each group's range to the end of least divergence, both ends by one ratio. */
function leastDivergenceRange(w: Weights, widest: Range, levels: number): Range {
  const top = w.absMax();
  const perRow = w.groups / w.grouping.rows;
  const scale = widest.scale.slice();
  for (let row = 0; row < w.grouping.rows; row++) {
    const tops = top.subarray(row * perRow, (row + 1) * perRow);
    const { counts } = w.histogram(row, { side: "both", count: BINS, top: tops });
    for (let group = 0; group < perRow; group++) {
      const bins = leastDivergence(counts.subarray(group * BINS, (group + 1) * BINS), levels);
      const at = row * perRow + group;
      scale[at] = Math.max((scale[at]! * bins) / BINS, LEAST_FLOAT);
    }
  }
  return { scale, zeroPoint: widest.zeroPoint };
}

/**
 * The number of bins, of those that are tried, with the least KL(P ‖ Q) = Σ p ln(p / q). P: the counts of the first `end` bins, those beyond added to the last. Q: the same bins
 * without what lies beyond, in `levels` equal runs, the count of each spread evenly over its bins that P fills. Both are divided by their sums. Where the last run has nothing
 * of its own, since a gap lies before the outliers, Q counts 1e-4 there: so a lone outlier is cut off, and many that lie together are not.
 *
 * Ranges of fewer bins than `levels` are not tried, as bins could not show what they gain; but where the least that is tried ends in a gap, the range ends where the gap begins. Of
 * equal ones the most.
 *
 * Σ p ln q is one term per run, and Σ p ln p a running sum, so that a range costs `levels` logarithms.
 */
export function leastDivergence(counts: Uint32Array, levels: number): number {
  const bins = counts.length;
  const total = new Float64Array(bins + 1);
  const filled = new Uint32Array(bins + 1);
  const entropy = new Float64Array(bins + 1);
  for (let bin = 0; bin < bins; bin++) {
    const count = counts[bin]!;
    total[bin + 1] = total[bin]! + count;
    filled[bin + 1] = filled[bin]! + (count > 0 ? 1 : 0);
    entropy[bin + 1] = entropy[bin]! + timesLog(count, count);
  }
  const all = total[bins]!;

  const divergence = (end: number): number => {
    const outside = all - total[end]!;
    const last = counts[end - 1]! + outside;
    const lastRun = Math.floor(((levels - 1) * end) / levels);
    const smoothed = outside > 0 && total[end] === total[lastRun] ? SMOOTHED : 0;
    let sum = entropy[end - 1]! + timesLog(last, last) + all * ln((total[end]! + smoothed) / all);
    for (let level = 0; level < levels; level++) {
      const from = Math.floor((level * end) / levels);
      const to = Math.floor(((level + 1) * end) / levels);
      const isLast = level === levels - 1;
      const inside = total[to]! - total[from]!;
      const mass = isLast ? inside + outside : inside;
      const spread = filled[to]! - filled[from]! + (isLast && counts[end - 1] === 0 && outside > 0 ? 1 : 0);
      if (mass > 0) sum -= timesLog(mass, (isLast ? inside + smoothed : inside) / spread);
    }
    return sum / all;
  };
  let [best, least] = [bins, divergence(bins)];
  const shortest = Math.max(levels, STRIDE);
  // A range must hold something: of a constant, all lies in the last bin.
  for (let end = bins - STRIDE; end >= shortest && total[end]! > 0; end -= STRIDE) {
    const got = divergence(end);
    if (got < least) [best, least] = [end, got];
  }
  // Nothing lies between the shortest that is tried and the best: less range loses nothing, down to where the gap begins.
  if (total[best] === total[shortest]) while (best > STRIDE && total[best - STRIDE] === total[best]) best -= STRIDE;
  return best;
}

/** p ln q; 0 where p is. */
const timesLog = (p: number, q: number): number => (p === 0 ? 0 : p * ln(q));
