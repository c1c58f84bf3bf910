import { defaultDevice, init, numpy as np, tree } from "@jax-js/jax";
import { batches } from "./data/batches.ts";
import { CLASSES, type Digits, SIDE } from "./data/mnist.ts";
import { DivergedError } from "./errors.ts";
import { logitsOf, top1 } from "./evaluate.ts";
import type { EpochEntry } from "./log.ts";
import { flattenState, Model } from "./model.ts";
import { AdamClock } from "./optimizers/adam.ts";
import { masksOf, PRUNING_INTERVAL, prunedShare } from "./pruning.ts";
import type { Recipe } from "./recipe.ts";
import { Run } from "./run.ts";
import { learningRate } from "./schedule.ts";
import { type Arrays, disposeAll, type HostTensor, toHost } from "./values.ts";

/** What `onProgress` is told after every step. */
export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Steps of this epoch that are done, 1..steps. */
  readonly step: number;
  readonly steps: number;
  /** Of the last step; the epoch's mean with `entry`. */
  readonly loss: number;
  /** Present after an epoch's last step. */
  readonly entry?: EpochEntry;
}

export interface FitOptions {
  readonly training: Digits;
  readonly validation: Digits;
  readonly seed: number;
  /** Where the run is saved after each epoch, and resumed from; without it nothing is saved. */
  readonly checkpoint?: string;
  /** Looked at before each step; the run ends with its reason, and the last epoch's checkpoint stays. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Fitted {
  /** Parameters and statistics of the best epoch, by full name. */
  readonly tensors: Record<string, HostTensor>;
  /** Adam's second moment of each parameter at the end, where the rate is 0: as good as a diagonal Hessian, up to a root and a factor. */
  readonly second: Record<string, HostTensor>;
  /** The epoch (from 1) with the best validation accuracy, the last of equals; once all is pruned that will be. */
  readonly best: number;
  readonly log: readonly EpochEntry[];
}

/** The engine, on WASM. In Node it runs on one thread, which is also what makes a run repeatable to the bit. */
export async function startEngine(): Promise<void> {
  await init("wasm");
  defaultDevice("wasm");
}

/**
 * Trains a recipe's network. The same recipe, data and seed give the same weights to the bit, whether the run was
 * interrupted or not.
 */
export async function fit(recipe: Recipe, options: FitOptions): Promise<Fitted> {
  const { training, validation, seed, signal, onProgress } = options;
  await startEngine();
  const model = new Model(recipe.layers());
  const stepsPerEpoch = Math.floor(training.count / recipe.batch);
  const steps = stepsPerEpoch * recipe.epochs;
  const run = await Run.begin(recipe, model, seed, options.checkpoint);
  const step = model.compileStep();
  const logits = model.compileLogits();
  const clock = new AdamClock(run.log.length * stepsPerEpoch);
  let masks: Arrays = {};

  for (let epoch = run.log.length + 1; epoch <= recipe.epochs; epoch++) {
    const started = performance.now();
    let total = 0;
    let taken = (epoch - 1) * stepsPerEpoch;
    let rate = 0;
    for (const { pixels, oneHot } of batches(training, { ...recipe, seed, epoch })) {
      signal?.throwIfAborted();
      rate = learningRate(recipe.peakRate, taken, steps, recipe.warmup);
      // Also at each epoch's first step, so that a resumed run has the same masks.
      if (recipe.pruning && (taken - (epoch - 1) * stepsPerEpoch) % PRUNING_INTERVAL === 0) {
        disposeAll(masks);
        masks = await masksOf(recipe.pruning, run.state.parameters, prunedShare(recipe.pruning, taken, stepsPerEpoch));
      }
      const [next, value] = step(
        run.state,
        tree.ref(masks),
        np.array(pixels, { shape: [recipe.batch, SIDE, SIDE, 1], dtype: np.float32 }),
        np.array(oneHot, { shape: [recipe.batch, CLASSES], dtype: np.float32 }),
        np.array(clock.tick(rate), { dtype: np.float32 }),
      );
      run.state = next;
      const loss = value.item() as number;
      if (!Number.isFinite(loss)) throw new DivergedError(recipe.name, loss, taken, steps);
      total += loss;
      taken++;
      // The last step is reported with the epoch's entry.
      const done = taken - (epoch - 1) * stepsPerEpoch;
      if (done < stepsPerEpoch) {
        onProgress?.({ epoch, epochs: recipe.epochs, step: done, steps: stepsPerEpoch, loss });
      }
      // Lets timers and abort signals in.
      await new Promise((resolve) => setTimeout(resolve));
    }
    const { parameters, statistics } = run.state;
    const scores = logitsOf(validation, (x) => logits(tree.ref(parameters), tree.ref(statistics), x));
    const entry: EpochEntry = {
      epoch,
      loss: Math.round((1e6 * total) / stepsPerEpoch) / 1e6,
      validation: top1(scores, validation.labels),
      rate,
      seconds: Math.round((performance.now() - started) / 100) / 10,
    };
    await run.finishEpoch(entry);
    const loss = total / stepsPerEpoch;
    onProgress?.({ epoch, epochs: recipe.epochs, step: stepsPerEpoch, steps: stepsPerEpoch, loss, entry });
  }
  disposeAll(masks);
  const second = toHost(run.state.moments.second);
  disposeAll(flattenState(run.state));
  return { tensors: run.bestTensors, second, best: run.best, log: run.log };
}
