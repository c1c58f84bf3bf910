import { Worker } from "node:worker_threads";
import type { GradientQuantizer } from "lowbit/quantize";
import { autograd, np, startEngine } from "../autograd.ts";
import type { Layer } from "../layers/layer.ts";
import { flattenState, Model, unflattenState } from "../model.ts";
import { adam } from "../optimizers/adam.ts";
import { Clock, type Moments, type Optimizer, updateAll } from "../optimizers/optimizer.ts";
import { type Arrays, disposeAll, type HostTensor, toArray, toArrays, toHost } from "../values.ts";
import { codecOf } from "./codec.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import type { WorkerPlace } from "./worker.ts";

export interface ParallelOptions {
  readonly layers: () => Layer[];
  /** A module that calls `runGradientWorker`, as Node runs it. */
  readonly worker: URL;
  readonly workers: number;
  /** As the workers' own: what reads their messages. Absent: gradients are sent as floats. */
  readonly quantizer?: GradientQuantizer | undefined;
  readonly steps: number;
  /** Learning rate, or that of each step from 0. */
  readonly rate: number | ((step: number) => number);
  readonly seed: number;
  /** Default Adam. */
  readonly optimizer?: Optimizer;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: number, loss: number) => void;
}

export interface ParallelResult {
  /** Parameters and running statistics by full name. */
  readonly tensors: Record<string, HostTensor>;
  /** Mean loss of each step. */
  readonly losses: readonly number[];
  /** Bytes of gradients that workers have sent. */
  readonly bytes: number;
  /** The same as floats would have been. */
  readonly floatBytes: number;
}

/** Share of a new batch in running statistics. */
const MOMENTUM = 0.1;

/**
 * Synchronous data-parallel training over worker threads with quantized gradients (1-bit SGD: Seide et al. 2014; TernGrad: Wen et al. 2017; QSGD: Alistarh et al. 2017; by the codec of `lowbit/quantize`): each step sends the parameters to all workers, adds
 * up the gradients that their messages stand for, in the workers' order, and moves the parameters by the mean. The same seed gives the same weights, whatever worker answers first.
 *
 * @throws what a worker throws; the signal's reason
 */
export async function trainInParallel(options: ParallelOptions): Promise<ParallelResult> {
  const { layers, worker, workers, quantizer, steps, rate, seed, optimizer = adam(), signal, onStep } = options;
  await startEngine();
  const model = new Model(layers());
  const state = unflattenState(toArrays(model.initialize(seed, optimizer)), optimizer);
  let { parameters, statistics } = state;
  let moments: Moments = state.moments;
  const threads = Array.from(
    { length: workers },
    (_, index) => new Worker(worker, { workerData: { index, workers, seed } satisfies WorkerPlace }),
  );
  const codec = await codecOf(quantizer);
  const clock = new Clock();
  const losses: number[] = [];
  let [bytes, floatBytes] = [0, 0];
  const update = autograd.compile((p: Arrays, m: Moments, g: Arrays, tick: np.Array) =>
    updateAll(optimizer, p, m, g, tick, { limits: model.limits }),
  );
  try {
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const message: ToWorker = { kind: "step", step, parameters: toHost(parameters), statistics: {} };
      const answers = await Promise.all(threads.map((thread) => ask(thread, message)));
      const mean: Arrays = {};
      for (const [name, array] of Object.entries(parameters)) {
        const parts = answers.map(({ gradients }) => {
          bytes += gradients[name]!.byteLength;
          floatBytes += 4 * array.size;
          return toArray({ shape: array.shape, data: codec.decode(gradients[name]!) });
        });
        mean[name] = parts.reduce((sum, part) => sum.add(part)).div(workers);
      }
      const tick = np.array(clock.tick(typeof rate === "number" ? rate : rate(step)), { dtype: np.float32 });
      ({ parameters, moments } = update(parameters, moments, mean, tick));
      statistics = Object.fromEntries(
        Object.entries(statistics).map(([name, running]) => {
          const fresh = answers.map((answer) => toArray(answer.statistics[name]!)).reduce((sum, part) => sum.add(part));
          return [name, running.mul(1 - MOMENTUM).add(fresh.mul(MOMENTUM / workers))];
        }),
      );
      losses.push(answers.reduce((sum, { loss }) => sum + loss, 0) / workers);
      onStep?.(step, losses.at(-1)!);
    }
    return { tensors: toHost({ ...parameters, ...statistics }), losses, bytes, floatBytes };
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
    disposeAll(flattenState({ parameters, moments, statistics }));
  }
}

/** Sends a message and waits for the answer, or for the worker's error. */
function ask(thread: Worker, message: ToWorker): Promise<FromWorker> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      thread.off("message", answered);
      thread.off("error", failed);
      finish();
    };
    const answered = (answer: FromWorker) => settle(() => resolve(answer));
    const failed = (error: Error) => settle(() => reject(error));
    thread.once("message", answered);
    thread.once("error", failed);
    thread.postMessage(message);
  });
}
