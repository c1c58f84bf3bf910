import { createModel, type Graph, type Tensor } from "lowbit";
import { type ActivationRange, staticActivations } from "lowbit/quantize";
import type { CalibrateOptions, Calibration, Feed, Range } from "./api.ts";
import { breathe } from "./breathe.ts";
import { OptionError } from "./errors.ts";

/** Sees a value batch by batch; what it keeps does not grow with them. */
interface Watcher {
  observe(tensor: Tensor): void | Promise<void>;
  range(): Range;
}

/**
 * Runs a float graph on samples, once, and records the range of every float value: by the smallest and largest element, or cut by one of the rules of core's
 * `staticActivations` (what lies beyond then saturates, and the rest gets finer steps).
 *
 * @param graph after the passes; what `quantizeModel` will be given
 * @param feeds inputs by name, one or more samples each; about 100 to 1,000 samples in all are enough
 * @throws OptionError where there are no samples, OutOfRangeError for a percentile that is none, NotFiniteError for activations that are not finite and a range other than
 *   `minmax`, the signal's reason where aborted
 */
export async function calibrate(
  graph: Graph,
  feeds: readonly Feed[],
  options: CalibrateOptions = {},
): Promise<Calibration> {
  const { range = "minmax", signal, onProgress } = options;
  if (feeds.length === 0) throw new OptionError("calibrate", "samples", "1 or more", 0);
  const watch = watchers(range);
  const watched = new Map(floatValues(graph).map((name) => [name, watch(name)]));
  const taps = [...watched.keys()].filter((name) => !graph.inputs.includes(name));
  using model = await createModel(graph, { taps, signal });
  for (const [index, feed] of feeds.entries()) {
    await breathe(signal);
    const outputs = await model.run(feed);
    for (const [name, watcher] of watched) {
      const tensor = outputs[name] ?? feed[name];
      if (tensor?.dtype === "f32") await watcher.observe(tensor);
    }
    onProgress?.(index + 1, feeds.length);
  }
  return { ranges: new Map([...watched].map(([name, watcher]) => [name, watcher.range()])), feeds, range };
}

/** Inputs and node outputs of f32. */
function floatValues(graph: Graph): string[] {
  return [...graph.values].filter(([, { dtype }]) => dtype === "f32").map(([name]) => name);
}

function watchers(range: ActivationRange): (name: string) => Watcher {
  if (range === "minmax") return ends;
  const calibrator = staticActivations({ range });
  return (name) => {
    const observer = calibrator.watch();
    return {
      // A scalar is a tensor of one element to it.
      observe: ({ data, shape }) =>
        observer.observe({ data: data as Float32Array, shape: shape.length > 0 ? shape : [1] }, { name }),
      range() {
        const { scale, zeroPoint } = observer.freeze().quantization!;
        return { min: (0 - zeroPoint) * scale, max: (255 - zeroPoint) * scale };
      },
    };
  };
}

/** Smallest and largest element. */
function ends(): Watcher {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return {
    observe({ data }) {
      for (const value of data as Float32Array) {
        if (value < min) min = value;
        if (value > max) max = value;
      }
    },
    range: () => ({ min, max }),
  };
}
