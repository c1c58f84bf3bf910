/** A thread of `lowbit compare`: opens the network once, then quantizes, measures, judges and times what it is told to. */

import { workerData } from "node:worker_threads";
import { type Calibration, type QuantizeModelOptions, quantizeModel, readModel, writeModel } from "@lowbit/convert";
import { createModel, type Graph, type Model, Tensor } from "lowbit";
import { compareFloats } from "lowbit/quantize";
import { readCalibration } from "../shared/calibration.ts";
import { classesOf, shareEqual } from "../shared/classes.ts";
import { BATCH, type OpenedGraph, parseGraph, runSamples } from "../shared/model.ts";
import { parityOf } from "../shared/outcome.ts";
import { serveTasks } from "../shared/pool-thread.ts";
import { SILENT } from "../shared/progress.ts";
import { provenanceOf } from "../shared/provenance.ts";
import { fitSamples } from "../shared/samples.ts";
import { spreadsOf } from "./spreads.ts";
import type { CompareContext, CompareTask, JudgedFile, JudgeTask, Timed, TimeTask } from "./types.ts";

const context = workerData as CompareContext;
const samples = () => new Tensor(context.x.dtype, context.x.shape, context.x.data as never);

interface Opened {
  readonly source: OpenedGraph;
  readonly calibration: Calibration | undefined;
}

/** Imported and calibrated once per thread. */
let opened: Promise<Opened> | undefined;

async function open(): Promise<Opened> {
  const { path, bytes, calibrate } = context;
  const source = await parseGraph(path, bytes);
  return { source, calibration: (calibrate && (await readCalibration(calibrate, source.graph, SILENT))) || undefined };
}

/** Shares of a task's time that its stages take, roughly. */
const STAGES = { quantize: [0, 0.4], measure: [0.4, 0.3], judge: [0.7, 0.3] } as const;

async function judge({ scheme, reference }: JudgeTask, tell: (share: number) => void): Promise<JudgedFile> {
  opened ??= open();
  const { source, calibration } = await opened;
  const onProgress = (stage: keyof typeof STAGES, done: number, total: number) => {
    const [start, length] = STAGES[stage];
    tell(start + (length * done) / total);
  };
  const { activations } = context;
  const options: QuantizeModelOptions = {
    weights: scheme,
    ...(activations !== undefined && { activations }),
    ...(calibration && { calibration }),
    onProgress,
  };
  const result = await quantizeModel(source.graph, options);
  // Byte for byte what `lowbit quantize` writes with the same options.
  const recipe = `lowbit quantize --weights ${scheme}${activations === undefined ? "" : ` --activations ${activations}`}`;
  const provenance = await provenanceOf(source, result.graph, recipe);
  const file = writeModel(result.graph, { provenance, parity: parityOf(result) });
  const { classes, outputs } = await classify(result.graph, (share) => onProgress("judge", share, 1));
  const float = reference ?? outputs;
  const { sqnr, cosine } = await compareFloats(float, outputs);
  const { length } = context.y;
  const floatClasses = classesOf(new Tensor("f32", [length, float.length / length], float), length, length);
  const { refused } = result;
  const judged = {
    scheme,
    bytes: file.length,
    weights: result.layers.reduce((sum, layer) => sum + layer.weights, 0),
    bitsPerWeight: result.bitsPerWeight,
    top1: shareEqual(classes, context.y),
    agreement: shareEqual(classes, floatClasses),
    sqnr,
    cosine,
    ...(refused && {
      refused: { layer: refused.layer, reason: refused.message.replace(/; the noisiest layer.*$/, "") },
    }),
    layers: result.layers.map(({ name, scheme, bitsPerWeight, bytes, measured, sqnr, cosine, maxError }) => ({
      ...{ name, scheme, bitsPerWeight, bytes, measured, sqnr, cosine, maxError },
    })),
    spreads: await spreadsOf(source.graph, result.graph),
  };
  return { judged, file, outputs };
}

/** First outputs and classes of all samples. */
async function classify(
  graph: Graph,
  tell: (share: number) => void,
): Promise<{ classes: Int32Array; outputs: Float32Array }> {
  using model = await createModel(graph);
  const count = context.y.length;
  const classes = new Int32Array(count);
  const output = model.outputs[0]!.name;
  let outputs: Float32Array = new Float32Array(0);
  for await (const batch of runSamples(model, samples())) {
    const scores = batch.outputs[output]!;
    classes.set(classesOf(scores, batch.rows, batch.count), batch.from);
    const width = scores.data.length / batch.rows;
    // Threads share it.
    if (outputs.length === 0) outputs = new Float32Array(new SharedArrayBuffer(4 * count * width));
    const data = scores.data.subarray(0, batch.count * width) as ArrayLike<number | bigint>;
    outputs.set(Float32Array.from(data, Number), batch.from * width);
    tell((batch.from + batch.count) / count);
  }
  return { classes, outputs };
}

/** Rounds at most, and milliseconds after which no other is begun (but three are done). */
const [ROUNDS, BUDGET_MS, LEAST] = [31, 600, 3];

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Both networks do the same batch in turns, so that a slow moment of the machine falls on both. */
async function time({ file, float }: TimeTask): Promise<Timed> {
  using own = await createModel(readModel(file).graph);
  using other = await createModel(readModel(float).graph);
  const input = own.inputs[0]!;
  const { fixedBatch, count, take } = fitSamples(samples(), input);
  const rows = fixedBatch ?? Math.min(BATCH, count);
  const feed = { [input.name]: take(0, Math.min(rows, count)) };
  const timeOf = async (model: Model) => {
    const started = performance.now();
    await model.run(feed);
    return performance.now() - started;
  };
  const times: [number[], number[]] = [[], []];
  // The first rounds compile code and map memory.
  for (let round = 0; round < 2; round++) for (const model of [own, other]) await timeOf(model);
  const started = performance.now();
  for (let round = 0; round < ROUNDS && (round < LEAST || performance.now() - started < BUDGET_MS); round++) {
    times[0].push(await timeOf(own));
    times[1].push(await timeOf(other));
  }
  const [mine, floats] = [median(times[0]), median(times[1])];
  return { msPerSample: mine / rows, timesFloat: floats / mine, tier: own.tier };
}

/** Serves tasks until the thread is ended. */
export const serve = (): void =>
  serveTasks<CompareTask>((task, tell) => (task.kind === "judge" ? judge(task, tell) : time(task)));
