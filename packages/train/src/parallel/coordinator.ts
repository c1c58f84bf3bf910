import type { GradientCodec, GradientQuantizer } from "lowbit/quantize";
import { autograd, np, startEngine } from "../autograd.ts";
import type { Layer } from "../layers/layer.ts";
import { flattenState, Model, STATISTICS_MOMENTUM, unflattenState } from "../model.ts";
import { adam } from "../optimizers/adam.ts";
import { Clock, type Moments, type Optimizer, updateAll } from "../optimizers/optimizer.ts";
import { type Arrays, disposeAll, type HostTensor, toArray, toArrays, toHost } from "../values.ts";
import { codecOf } from "./codec.ts";
import { checkCount } from "./counts.ts";
import type { FromWorker } from "./protocol.ts";
import { GradientThreads } from "./threads.ts";

export interface ParallelOptions {
  /** Makes the network: the same layers as those of the workers' shards. */
  readonly layers: () => Layer[];
  /** A module that calls `runGradientWorker`, as Node runs it: started once for each worker. */
  readonly worker: URL;
  /** Number of threads, at least 1. A step sees `workers` times a shard's `batch` of samples. */
  readonly workers: number;
  /** As the workers' own: what reads their messages. Absent: gradients are sent as floats. */
  readonly quantizer?: GradientQuantizer | undefined;
  /** Number of updates of the parameters, at least 1. */
  readonly steps: number;
  /** Learning rate, or that of each step from 0. */
  readonly rate: number | ((step: number) => number);
  /** 32-bit seed of the initial parameters; workers get it too, for the order of their samples and for what quantizers draw. */
  readonly seed: number;
  /** Default Adam. */
  readonly optimizer?: Optimizer;
  /** Ends the training at once, also in the midst of a step. */
  readonly signal?: AbortSignal;
  /** Called after each step with its number, from 0, and the mean cross-entropy of its samples in nats. */
  readonly onStep?: (step: number, loss: number) => void;
}

export interface ParallelResult {
  /** Parameters and running statistics by full name. */
  readonly tensors: Record<string, HostTensor>;
  /** Mean loss of each step: `steps` numbers. */
  readonly losses: readonly number[];
  /** Bytes of gradients that workers have sent. */
  readonly bytes: number;
  /** The same as floats would have been. */
  readonly floatBytes: number;
}

/**
 * Synchronous data-parallel training over worker threads with quantized gradients (1-bit SGD: Seide et al. 2014; TernGrad: Wen et al. 2017; QSGD: Alistarh et al. 2017; by the codec of `lowbit/quantize`): each step sends the parameters to all workers, adds
 * up the gradients that their messages stand for, in the workers' order, and moves the parameters by the mean. The same seed gives the same weights, whatever worker answers first.
 *
 * However it ends, all its threads have ended.
 *
 * @throws RangeError where `workers` or `steps` is no whole number of at least 1, before any thread starts; the signal's reason; what a worker throws (a DataError as such, of other errors the name and the message);
 * Error where a worker ends without one, or its answer cannot be read; WireError where its quantizer is another
 *
 * @example
 * // network.js
 * import { dense, normalizedPixels } from "@lowbit/train";
 * import { qsgd } from "lowbit/quantize";
 * export const layers = () => [normalizedPixels("in", 128, 128), dense("out", { from: [16, 16, 1], outputs: 2, bias: true })];
 * export const quantizer = qsgd({ levels: 2 });
 *
 * // main.js, beside the worker.js of `runGradientWorker`
 * import { trainInParallel } from "@lowbit/train";
 * import { layers, quantizer } from "./network.js";
 * const worker = new URL("./worker.js", import.meta.url);
 * const options = { layers, quantizer, worker, workers: 2, steps: 30, rate: 0.001, seed: 1 };
 * const { losses, bytes, floatBytes } = await trainInParallel(options);
 * console.log(`loss ${losses[0]} -> ${losses.at(-1)}, ${bytes} bytes instead of ${floatBytes}`);
 */
export async function trainInParallel(options: ParallelOptions): Promise<ParallelResult> {
  const { layers, worker, workers, quantizer, steps, rate, seed, optimizer = adam(), signal, onStep } = options;
  checkCount("trainInParallel: workers", workers);
  checkCount("trainInParallel: steps", steps);
  signal?.throwIfAborted();
  await startEngine();
  const codec = await codecOf(quantizer);
  const model = new Model(layers());
  const state = unflattenState(toArrays(model.initialize(seed, optimizer)), optimizer);
  let { parameters, statistics } = state;
  let moments: Moments = state.moments;
  const clock = new Clock();
  const losses: number[] = [];
  let [bytes, floatBytes] = [0, 0];
  const update = autograd.compile((p: Arrays, m: Moments, g: Arrays, tick: np.Array) =>
    updateAll(optimizer, p, m, g, tick, { limits: model.limits }),
  );
  const threads = new GradientThreads(signal);
  try {
    for (let index = 0; index < workers; index++) threads.start(worker, { index, workers, seed });
    for (let step = 0; step < steps; step++) {
      const answers = await threads.ask({ parameters: toHost(parameters) });
      bytes += bytesOf(answers);
      floatBytes += workers * floatBytesOf(parameters);
      const tick = np.array(clock.tick(typeof rate === "number" ? rate : rate(step)), { dtype: np.float32 });
      ({ parameters, moments } = update(parameters, moments, meanGradients(parameters, answers, codec), tick));
      statistics = moved(statistics, answers);
      losses.push(answers.reduce((sum, { loss }) => sum + loss, 0) / workers);
      onStep?.(step, losses.at(-1)!);
    }
    return { tensors: toHost({ ...parameters, ...statistics }), losses, bytes, floatBytes };
  } finally {
    await threads.end();
    disposeAll(flattenState({ parameters, moments, statistics }));
  }
}

const bytesOf = (answers: readonly FromWorker[]): number =>
  answers.flatMap(({ gradients }) => Object.values(gradients)).reduce((sum, { byteLength }) => sum + byteLength, 0);

const floatBytesOf = (arrays: Readonly<Arrays>): number =>
  Object.values(arrays).reduce((sum, { size }) => sum + 4 * size, 0);

/** The mean over workers of what their messages stand for, in the shapes of the parameters. */
function meanGradients(
  parameters: Readonly<Arrays>,
  answers: readonly FromWorker[],
  codec: Pick<GradientCodec, "decode">,
): Arrays {
  const mean = (name: string, shape: readonly number[]) =>
    answers
      .map(({ gradients }) => toArray({ shape, data: codec.decode(gradients[name]!) }))
      .reduce((sum, part) => sum.add(part))
      .div(answers.length);
  return Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, mean(name, shape)]));
}

/** Running statistics after one more step. Takes those before it. */
function moved(statistics: Arrays, answers: readonly FromWorker[]): Arrays {
  return Object.fromEntries(
    Object.entries(statistics).map(([name, running]) => {
      const fresh = answers.map((answer) => toArray(answer.statistics[name]!)).reduce((sum, part) => sum.add(part));
      return [name, running.mul(1 - STATISTICS_MOMENTUM).add(fresh.mul(STATISTICS_MOMENTUM / answers.length))];
    }),
  );
}
