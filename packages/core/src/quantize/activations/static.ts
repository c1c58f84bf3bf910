/** Static ranges: scale and zero point from what calibration saw. */
import { OutOfRangeError } from "../../errors.ts";
import type { Method } from "../method.ts";
import { TENSORRT, WHITE_PAPER } from "../papers.ts";
import { leastDivergence } from "../rounding/ranges.ts";
import { checkActivationBits, fixedGrid, gridOver } from "./codes.ts";
import { activationRow } from "./methods.ts";
import { activationCalibrator, magnitudes, type Seen } from "./observer.ts";
import type { ActivationBits, ActivationCalibrator } from "./types.ts";

/** How much of what was seen the grid covers. */
export type ActivationRange = "minmax" | { readonly percentile: number } | "kl" | "mse";

export interface StaticActivationOptions {
  /** Default 8. */
  readonly bits?: ActivationBits;
  /** Default `minmax`. */
  readonly range?: ActivationRange;
  /** 0 in the middle of the codes instead of where the range has it. Needs 2 bits. Default false. */
  readonly symmetric?: boolean;
}

/**
 * One affine grid for a tensor of activations, r = S(q - Z), over a range [l, h] widened to hold 0: S = (h - l) / (2^b - 1), Z = round(-l / S) (symmetric:
 * S = max(-l, h) / (2^(b-1) - 1), Z = 2^(b-1)). What lies beyond saturates. The range, of all that calibration saw:
 *
 * - `minmax`: the least and the largest;
 * - `percentile` p (50 to 100): both ends cut at the magnitude that p % of all do not exceed, to a bin of the histogram (at most 1/1024 of the largest magnitude);
 * - `kl`: cut at the magnitude T with the least KL(P ‖ Q) (Migacz): P the histogram of magnitudes up to T with those beyond added to its last bin, Q the bins up to T merged into as many
 *   runs as the grid has codes on a side (2^(b-1), where nothing is negative 2^b), each spread evenly over the bins of it that P fills; the bin of 0 counts as the next one;
 * - `mse`: both ends shrunk by one ratio, 1, 0.99 ... 0.01, to the least Σ(x - x̂)² over the histogram; the larger one on a tie.
 *
 * Gradient in training: straight through inside the range. Activations that were all 0 get S = 1.
 */
export function staticActivations(options: StaticActivationOptions = {}): ActivationCalibrator {
  const { bits = 8, range = "minmax", symmetric = false } = options;
  const scheme = `int${bits}${symmetric ? ":sym" : ""}${suffixOf(range)}`;
  checkActivationBits(scheme, bits, symmetric ? 2 : 1);
  if (typeof range === "object" && !(range.percentile > 50 && range.percentile <= 100))
    throw new OutOfRangeError(`quantizer ${scheme}`, "percentile", "above 50, at most 100", range.percentile);
  const traits = { scheme, bits, paper: range === "kl" ? TENSORRT : WHITE_PAPER };
  return activationCalibrator(traits, (seen) => {
    const [min, max] = endsOf(seen, range, bits, symmetric);
    return fixedGrid(traits, gridOver(min, max, bits, symmetric));
  });
}

const suffixOf = (range: ActivationRange): string =>
  range === "minmax" ? "" : typeof range === "object" ? `:p${range.percentile}` : `:${range}`;

function endsOf(seen: Seen, range: ActivationRange, bits: number, symmetric: boolean): [min: number, max: number] {
  const { min, max, width } = seen;
  if (range === "minmax" || (min === 0 && max === 0)) return [min, max];
  if (range === "mse") {
    const ratio = leastErrorRatio(seen, bits, symmetric);
    return [min * ratio, max * ratio];
  }
  const counts = magnitudes(seen);
  const oneSided = min >= 0 && !symmetric;
  const bins =
    range === "kl"
      ? leastDivergence(withoutZeros(counts), 2 ** (oneSided ? bits : bits - 1))
      : binsHolding(counts, range.percentile / 100);
  return [Math.max(min, -bins * width), Math.min(max, bins * width)];
}

/** The first bin as full as the second: what ReLU left at 0 is a level in any range, and would outweigh everything else (NVIDIA's own calibrator does the same). */
function withoutZeros(counts: Uint32Array): Uint32Array {
  if (counts[1]) counts[0] = Math.min(counts[0]!, counts[1]);
  return counts;
}

/** How many bins from 0 hold a share of all. */
function binsHolding(counts: Uint32Array, share: number): number {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0);
  let [bins, held] = [1, counts[0]!];
  for (; bins < counts.length && held < wanted; bins++) held += counts[bins]!;
  return bins;
}

function leastErrorRatio({ min, max, width, counts }: Seen, bits: number, symmetric: boolean): number {
  const filled: [centre: number, count: number][] = [];
  counts.forEach((count, i) => {
    if (count > 0) filled.push([(i - counts.length / 2 + 0.5) * width, count]);
  });
  let [best, least] = [1, Number.POSITIVE_INFINITY];
  for (let percent = 100; percent >= 1; percent--) {
    const grid = gridOver((min * percent) / 100, (max * percent) / 100, bits, symmetric);
    let error = 0;
    for (const [centre, count] of filled) {
      const code = Math.round(centre / grid.scale) + grid.zeroPoint;
      const value = (Math.max(grid.minCode, Math.min(grid.maxCode, code)) - grid.zeroPoint) * grid.scale;
      error += count * (centre - value) * (centre - value);
    }
    if (error < least) [best, least] = [percent / 100, error];
  }
  return best;
}

const row = { file: "activations/static.ts", kernel: "affine_gemm (int8 activations)" } as const;

export const staticActivationMethods: readonly Method[] = [
  activationRow({
    ...row,
    method: "Static range, least and largest",
    paper: WHITE_PAPER,
    published: "(h - l)² / 12 / 255² for inputs spread evenly over a step",
    quantizer: staticActivations(),
  }),
  activationRow({
    ...row,
    method: "Static range, percentile",
    paper: WHITE_PAPER,
    published: "0.1 % of magnitudes saturate",
    quantizer: staticActivations({ range: { percentile: 99.9 } }),
  }),
  activationRow({
    ...row,
    method: "Static range, least divergence (entropy calibration)",
    paper: TENSORRT,
    published: "least KL(P ‖ Q) over 2048 bins",
    quantizer: staticActivations({ range: "kl" }),
  }),
  activationRow({
    ...row,
    method: "Static range, least squared error",
    paper: WHITE_PAPER,
    published: "0.01186 at 4 bits on N(0,1), best grid of 16 levels with 0 among them, by integration",
    quantizer: staticActivations({ bits: 4, range: "mse" }),
  }),
];
