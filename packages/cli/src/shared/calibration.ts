/** Calibration samples from a file: what a float graph is run on before it is quantized. */

import type { Calibration, Feed } from "@lowbit/convert";
import { type Graph, InputError, type Tensor } from "lowbit";
import { readArrays } from "./arrays.ts";
import { naming } from "./files.ts";
import { BATCH } from "./model.ts";
import type { Progress } from "./progress.ts";
import { fitSamples } from "./samples.ts";

/** The samples of every input: array `x`, or the only array, for a single input; otherwise by input name. */
function arrayFor(arrays: ReadonlyMap<string, Tensor>, name: string, inputs: readonly string[]): Tensor {
  const [first] = arrays.values();
  const found =
    arrays.get(name) ??
    (inputs.length === 1 ? (arrays.get("x") ?? (arrays.size === 1 ? first : undefined)) : undefined);
  if (found === undefined)
    throw new InputError("calibrate", "arrays", inputs.length === 1 ? `x or ${name}` : inputs, [...arrays.keys()]);
  return found;
}

/** Batches of all samples. @throws where inputs have different numbers of samples, or a shape does not fit */
function feedsOf(graph: Graph, arrays: ReadonlyMap<string, Tensor>): Feed[] {
  const inputs = graph.inputs.map((name) => {
    const { dtype, shape } = graph.values.get(name) ?? { dtype: "f32", shape: [] };
    return { name, samples: fitSamples(arrayFor(arrays, name, graph.inputs), { name, dtype, shape }) };
  });
  const count = Math.min(...inputs.map(({ samples }) => samples.count));
  const unequal = inputs.find(({ samples }) => samples.count !== count);
  if (unequal) throw new InputError("calibrate", `samples of ${unequal.name}`, count, unequal.samples.count);
  const step = inputs.find(({ samples }) => samples.fixedBatch !== undefined)?.samples.fixedBatch ?? BATCH;
  // Samples that do not fill a fixed batch are left out: zeros would be measured as if they were real.
  const usable = inputs.some(({ samples }) => samples.fixedBatch !== undefined) ? count - (count % step) : count;
  if (usable === 0) throw new InputError("calibrate", "samples", `at least one batch of ${step}`, count);
  const feeds: Feed[] = [];
  for (let from = 0; from < usable; from += step) {
    const take = Math.min(step, usable - from);
    feeds.push(Object.fromEntries(inputs.map(({ name, samples }) => [name, samples.take(from, take)])));
  }
  return feeds;
}

/** Reads the samples and runs the graph on them. */
export async function readCalibration(
  path: string,
  graph: Graph,
  progress: Progress,
  signal?: AbortSignal,
): Promise<Calibration> {
  const arrays = await readArrays(path);
  const feeds = await naming(path, () => feedsOf(graph, arrays));
  const { calibrate } = await import("@lowbit/convert");
  progress.stage("calibrating", feeds.length);
  return calibrate(graph, feeds, { ...(signal && { signal }), onProgress: (done) => progress.update(done) });
}
