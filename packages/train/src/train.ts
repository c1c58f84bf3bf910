import { defaultDevice, init, numpy as np } from "@jax-js/jax";
import { encodeCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { batches } from "./data/batches.ts";
import type { Digits } from "./data/mnist.ts";
import { CheckpointError } from "./errors.ts";
import { logitsOf, top1 } from "./evaluate.ts";
import { writeAtomically } from "./files.ts";
import type { EpochEntry } from "./log.ts";
import { flattenState, Model, type TrainingState, unflattenState } from "./model.ts";
import { AdamClock } from "./optimizers/adam.ts";
import type { Recipe } from "./recipe.ts";
import { learningRate } from "./schedule.ts";
import { disposeAll, type HostTensor, toArrays, toHost } from "./values.ts";

/** What `onProgress` is told after every step. */
export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  /** Of the last step. */
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
  /** The epoch (from 1) with the best validation accuracy, the last of equals. */
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

  for (let epoch = run.log.length + 1; epoch <= recipe.epochs; epoch++) {
    const started = performance.now();
    let total = 0;
    let taken = (epoch - 1) * stepsPerEpoch;
    let rate = 0;
    for (const { pixels, oneHot } of batches(training, { ...recipe, seed, epoch })) {
      signal?.throwIfAborted();
      rate = learningRate(recipe.peakRate, taken, steps, recipe.warmup);
      const [next, value] = step(
        run.state,
        np.array(pixels, { shape: [recipe.batch, 28, 28, 1], dtype: np.float32 }),
        np.array(oneHot, { shape: [recipe.batch, 10], dtype: np.float32 }),
        np.array(clock.tick(rate) as Float32Array<ArrayBuffer>),
      );
      run.state = next;
      const loss = value.item() as number;
      if (!Number.isFinite(loss)) throw new Error(`${recipe.name}: loss ${loss} at step ${taken} of ${steps}`);
      total += loss;
      taken++;
      if (taken < epoch * stepsPerEpoch) onProgress?.({ epoch, epochs: recipe.epochs, step: taken, steps, loss });
      // Lets timers and abort signals in.
      await new Promise((resolve) => setTimeout(resolve));
    }
    const { parameters, statistics } = run.state;
    const scores = logitsOf(validation, (x) => logits(references(parameters), references(statistics), x));
    const entry: EpochEntry = {
      epoch,
      loss: Math.round((1e6 * total) / stepsPerEpoch) / 1e6,
      validation: top1(scores, validation.labels),
      rate,
      seconds: Math.round((performance.now() - started) / 100) / 10,
    };
    await run.finishEpoch(entry);
    onProgress?.({ epoch, epochs: recipe.epochs, step: taken, steps, loss: total / stepsPerEpoch, entry });
  }
  disposeAll(flattenState(run.state));
  return { tensors: run.bestTensors, best: run.best, log: run.log };
}

function references(arrays: Readonly<Record<string, np.Array>>): Record<string, np.Array> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.ref]));
}

/** A run between two epochs: the state, the log, the best epoch so far, and where they are saved. */
class Run {
  private constructor(
    readonly identity: Readonly<Record<string, string>>,
    readonly path: string | undefined,
    public state: TrainingState,
    public log: EpochEntry[],
    public best: number,
    public bestTensors: Record<string, HostTensor>,
  ) {}

  static async begin(recipe: Recipe, model: Model, seed: number, path: string | undefined): Promise<Run> {
    const { name, epochs, batch, peakRate, warmup, shift } = recipe;
    const identity = { run: JSON.stringify({ name, seed, epochs, batch, peakRate, warmup, shift }) };
    const initial = model.initialize(seed);
    const saved = path === undefined ? undefined : await readCheckpoint(path);
    if (saved === undefined) {
      return new Run(identity, path, unflattenState(toArrays(initial)), [], 0, {});
    }
    if (saved.metadata.run !== identity.run) {
      throw new CheckpointError(`${path}: is of another run, ${saved.metadata.run}, not ${identity.run}`);
    }
    const state: Record<string, HostTensor> = {};
    const best: Record<string, HostTensor> = {};
    for (const [key, tensor] of Object.entries(saved.tensors)) {
      if (key.startsWith("best/")) best[key.slice(5)] = tensor;
      else state[key] = tensor;
    }
    const shapes = (tensors: Record<string, HostTensor>) =>
      JSON.stringify(
        Object.keys(tensors)
          .sort()
          .map((key) => [key, tensors[key]?.shape]),
      );
    if (shapes(state) !== shapes(initial)) {
      throw new CheckpointError(`${path}: its tensors are not those of the recipe's network`);
    }
    const log = JSON.parse(saved.metadata.log ?? "[]") as EpochEntry[];
    return new Run(identity, path, unflattenState(toArrays(state)), log, Number(saved.metadata.best), best);
  }

  async finishEpoch(entry: EpochEntry): Promise<void> {
    this.log.push(entry);
    const bestSoFar = this.log[this.best - 1]?.validation ?? -1;
    if (entry.validation >= bestSoFar) {
      this.best = entry.epoch;
      this.bestTensors = toHost({ ...this.state.parameters, ...this.state.statistics });
    }
    if (this.path === undefined) return;
    const tensors = toHost(flattenState(this.state));
    for (const [key, tensor] of Object.entries(this.bestTensors)) tensors[`best/${key}`] = tensor;
    const metadata = { ...this.identity, log: JSON.stringify(this.log), best: String(this.best) };
    await writeAtomically(this.path, encodeCheckpoint({ metadata, tensors }));
  }
}
