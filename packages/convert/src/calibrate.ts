import { createModel, type Graph, type Tensor } from "lowbit";
import type { CalibrateOptions, Calibration, Feed, Range } from "./api.ts";
import { OptionError } from "./errors.ts";

/** Bins of |x| for the percentile, from 0 to the largest. */
const BINS = 2048;

/** Smallest and largest element, and how often which magnitude occurred. */
interface Observed {
  min: number;
  max: number;
  readonly bins: Uint32Array;
  count: number;
}

/**
 * Runs a float graph on samples and records the range of every float value: by the smallest and largest element, or by
 * the interval that holds a given share of the magnitudes (a few outliers then saturate, and the rest gets finer
 * steps).
 *
 * @param graph after the passes; what `quantizeModel` will be given
 * @param feeds inputs by name, one or more samples each; about 100 to 1,000 samples in all are enough
 * @throws OptionError where there are no samples or the percentile is no share, the signal's reason where aborted
 */
export async function calibrate(
  graph: Graph,
  feeds: readonly Feed[],
  options: CalibrateOptions = {},
): Promise<Calibration> {
  const { method = "minmax", percentile = 0.9999, signal, onProgress } = options;
  if (feeds.length === 0) throw new OptionError("calibrate", "samples", "1 or more", 0);
  if (!(percentile > 0.5 && percentile <= 1))
    throw new OptionError("calibrate", "percentile", "above 0.5, at most 1", percentile);
  const passes = method === "percentile" ? 2 : 1;
  const names = floatValues(graph);
  const observed = new Map<string, Observed>();
  using model = await createModel(graph, { taps: names.filter((name) => !graph.inputs.includes(name)), signal });
  for (let pass = 0; pass < passes; pass++) {
    for (const [index, feed] of feeds.entries()) {
      signal?.throwIfAborted();
      const outputs = await model.run(feed);
      for (const name of names) {
        const tensor = outputs[name] ?? feed[name];
        if (tensor?.dtype !== "f32") continue;
        if (pass === 0) observeRange(observed, name, tensor);
        else observeMagnitudes(observed.get(name)!, tensor.data as Float32Array);
      }
      onProgress?.(pass * feeds.length + index + 1, passes * feeds.length);
    }
  }
  const ranges = new Map(
    [...observed].map(([name, values]) => [
      name,
      method === "percentile" ? clipped(values, percentile) : rangeOf(values),
    ]),
  );
  return { ranges, feeds };
}

/** Inputs and node outputs of f32. */
function floatValues(graph: Graph): string[] {
  return [...graph.values].filter(([, { dtype }]) => dtype === "f32").map(([name]) => name);
}

function observeRange(observed: Map<string, Observed>, name: string, tensor: Tensor): void {
  const entry = observed.get(name) ?? {
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    bins: new Uint32Array(BINS),
    count: 0,
  };
  observed.set(name, entry);
  for (const value of tensor.data as Float32Array) {
    if (value < entry.min) entry.min = value;
    if (value > entry.max) entry.max = value;
  }
}

function observeMagnitudes(entry: Observed, data: Float32Array): void {
  const largest = Math.max(-entry.min, entry.max);
  if (!(largest > 0)) return;
  const perBin = BINS / largest;
  for (const value of data) entry.bins[Math.min(BINS - 1, Math.floor(Math.abs(value) * perBin))]!++;
  entry.count += data.length;
}

const rangeOf = ({ min, max }: Observed): Range => ({ min, max });

/** The range cut at the first magnitude that `percentile` of all elements do not exceed. */
function clipped({ min, max, bins, count }: Observed, percentile: number): Range {
  const largest = Math.max(-min, max);
  let bin = 0;
  for (let seen = bins[0]!; bin < BINS - 1 && seen < percentile * count; seen += bins[bin]!) bin++;
  const limit = ((bin + 1) / BINS) * largest;
  return { min: Math.max(min, -limit), max: Math.min(max, limit) };
}
