/** `lowbit quantize --auto`: a scheme for each layer, by what each was measured to do, under a limit that the whole file is held to. */

import { setImmediate } from "node:timers/promises";
import type { Calibration, Measuring } from "@lowbit/convert";
import type { Graph } from "lowbit";
import { classesOf, shareEqual } from "../shared/classes.ts";
import type { Dataset } from "../shared/dataset.ts";
import { RefusedError, UsageError } from "../shared/errors.ts";
import { runSamples } from "../shared/model.ts";
import type { Progress } from "../shared/progress.ts";

export interface AutoGoal {
  /** Of the file. */
  readonly maxBytes?: number | undefined;
  /** Top-1 on the data, 0..1. */
  readonly minAccuracy?: number | undefined;
  readonly candidates?: readonly string[] | undefined;
}

/** @throws UsageError where there is no limit, or no data to hold an accuracy to */
export function checkGoal(
  { maxBytes, minAccuracy }: AutoGoal,
  data: string | undefined,
  calibrate: string | undefined,
): void {
  if (maxBytes === undefined && minAccuracy === undefined)
    throw new UsageError("--auto needs a limit: --max-size BYTES or --min-accuracy POINTS");
  if (minAccuracy !== undefined && data === undefined)
    throw new UsageError("--min-accuracy needs --data: labelled samples to measure it on");
  if (calibrate === undefined)
    throw new UsageError("--auto needs --calibrate: samples that each layer's damage is measured on");
}

type LayerRules = readonly (readonly [layer: string, scheme: string])[];

export interface AutoWork {
  readonly calibration: Calibration;
  /** Labelled samples, for a goal of accuracy. */
  readonly data: Dataset | undefined;
  /** Threads that measure what layers bear. */
  readonly measuring: Measuring;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Makes the whole file with these schemes. */
  readonly make: (layers: LayerRules) => Promise<{ readonly bytes: number; readonly graph: Graph }>;
}

/**
 * @returns a rule for each layer
 * @throws RefusedError where no allocation keeps the limits, with what was reached; the signal's reason
 */
export async function chooseSchemes(
  graph: Graph,
  { maxBytes, minAccuracy, candidates }: AutoGoal,
  { calibration, data, measuring, progress, signal, make }: AutoWork,
): Promise<LayerRules> {
  const { allocationFront, findAllocation, measureSensitivity } = await import("@lowbit/convert");
  let told = false;
  const layers = await measureSensitivity(graph, {
    ...{ calibration, measuring, signal },
    ...(candidates && { candidates }),
    onProgress(done, total) {
      if (!told) progress.stage("measuring what each layer bears", total);
      told = true;
      progress.update(done);
    },
  });
  progress.stage("choosing schemes");
  const front = allocationFront(layers.map(({ choices }) => choices));
  const rulesOf = (choices: readonly number[]) =>
    layers.map(({ name, choices: own }, i): [string, string] => [name, own[choices[i]!]!.scheme]);
  const limits = { ...(maxBytes !== undefined && { maxBytes }), ...(minAccuracy !== undefined && { minAccuracy }) };
  const { attempt, allocation, reached } = await findAllocation(front, limits, async ({ choices }) => {
    signal.throwIfAborted();
    const made = await make(rulesOf(choices));
    return {
      bytes: made.bytes,
      ...(minAccuracy !== undefined && data && { accuracy: await accuracyOf(made.graph, data, signal) }),
    };
  });
  if (reached) return rulesOf(allocation.choices);
  const got = [
    `${attempt.bytes} bytes${maxBytes === undefined ? "" : ` of ${maxBytes}`}`,
    ...("accuracy" in attempt && minAccuracy !== undefined
      ? [`top-1 ${(100 * (attempt.accuracy ?? 0)).toFixed(2)} % of at least ${(100 * minAccuracy).toFixed(2)} %`]
      : []),
  ];
  throw new RefusedError(`refused: no schemes of the candidates keep the limits; the nearest has ${got.join(" and ")}`);
}

async function accuracyOf(graph: Graph, { x, y }: Dataset, signal: AbortSignal): Promise<number> {
  const { createModel } = await import("lowbit");
  using model = await createModel(graph);
  const classes = new Int32Array(y.length);
  for await (const { outputs, rows, count, from } of runSamples(model, x)) {
    classes.set(classesOf(outputs[model.outputs[0]!.name]!, rows, count), from);
    // Ctrl-C is heard between two tasks of the host.
    await setImmediate();
    signal.throwIfAborted();
  }
  return shareEqual(classes, y);
}
