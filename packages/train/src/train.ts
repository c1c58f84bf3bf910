import type { Constant } from "lowbit";
import { autograd, np, startEngine } from "./autograd.ts";
import { type Dataset, datasetOf } from "./data/dataset.ts";
import type { Digits } from "./data/digits.ts";
import { DataError, DivergedError } from "./errors.ts";
import { crossEntropy, logitsOf, top1 } from "./evaluate.ts";
import type { EpochEntry } from "./log.ts";
import { flattenState, Model } from "./model.ts";
import { adam } from "./optimizers/adam.ts";
import { Clock } from "./optimizers/optimizer.ts";
import { masksOf, PRUNING_INTERVAL, prunedShare } from "./pruning.ts";
import { Random } from "./random.ts";
import type { Recipe } from "./recipe.ts";
import { Run } from "./run.ts";
import { learningRate } from "./schedule.ts";
import { Inputs } from "./strategies/inputs.ts";
import { floatTraining } from "./strategies/strategy.ts";
import { RunView, weightsIn } from "./strategies/view.ts";
import { type Arrays, disposeAll, type HostTensor, type HostTensors, toArray, toHost } from "./values.ts";
/** What `onProgress` is told after every step. */
export interface Progress {
  /** Name of what is being trained: of the recipe, or of one that it needs first. */
  readonly recipe: string;
  readonly epoch: number;
  readonly epochs: number;
  /** Steps of this epoch that are done, 1..steps. */
  readonly step: number;
  readonly steps: number;
  /** Of the last step; the epoch's mean with `entry`. */
  readonly loss: number;
  /** Present after an epoch's last step. */
  readonly entry?: EpochEntry;
  /** With `entry`: all epochs so far, those of an interrupted run among them. */
  readonly log?: readonly EpochEntry[];
}

export interface FitOptions {
  readonly training: Dataset | Digits;
  readonly validation: Dataset | Digits;
  readonly seed: number;
  /** Parameters and statistics to start from, by full name, in the place of fresh ones: of a network that was trained before. Others stay fresh; names that the network has not are left out. */
  readonly initial?: Readonly<Record<string, HostTensor>>;
  /** Parameters and statistics of the network that the recipe's `teacher` trains, where it has one. */
  readonly teacher?: HostTensors;
  /** Where the run is saved after each epoch, and resumed from; without it nothing is saved. */
  readonly checkpoint?: string;
  /** Looked at before each step; the run ends with its reason, and the last epoch's checkpoint stays. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Fitted {
  /** Parameters and statistics of the best epoch, by full name; of the last one under a strategy. */
  readonly tensors: Record<string, HostTensor>;
  /** What the strategy made of the weights, by slot; empty without one. */
  readonly weights: Readonly<Record<string, Constant>>;
  /** Adam's second moment of each parameter at the end, where the rate is 0: as good as a diagonal Hessian, up to a root and a factor. Empty with an optimizer that has none. */
  readonly second: Record<string, HostTensor>;
  /** The epoch (from 1) that `tensors` are of. Without a strategy the one with the best validation accuracy, the last of equals, once all is pruned that will be; with one the last. */
  readonly best: number;
  readonly log: readonly EpochEntry[];
}

/** Purpose of the numbers that are drawn within a step. */
const WITHIN_STEPS = 2;

/**
 * Trains a recipe's network: `recipe.epochs` times through the data, in batches of `recipe.batch`, what is left over at an epoch's end unused. In one version of Node the same recipe, data and seed give the same
 * weights to the bit, whether the run was interrupted or not.
 *
 * ```ts
 * const recipe: Recipe = {
 *   name: "digits", description: "ternary MLP",
 *   layers: () => [
 *     normalizedPixels("input", 33.3, 78.6),
 *     dense("hidden", { from: [28, 28, 1], outputs: 64 }), batchNorm("norm", { channels: 64 }), relu("relu"),
 *     dense("last", { from: [64], outputs: 10, bias: true }),
 *   ],
 *   strategy: () => straightThroughTraining({ quantizer: ternary() }),
 *   epochs: 5, batch: 64, peakRate: 0.003, warmup: 100, shift: 1,
 * };
 * const { tensors, weights } = await fit(recipe, { training, validation, seed: 1 }); // sets of digitsDataset or imagesDataset
 * const graph = new Model(recipe.layers()).toGraph(tensors, {
 *   name: "digits", input: { name: "image", dtype: "f32", shape: [28, 28, 1] }, weights,
 * });
 * ```
 *
 * @throws DataError where there are fewer samples than a batch has; RecipeError where parts of the recipe do not fit, or `initial` does not fit the network; CheckpointError for a checkpoint of another run or version of Node, or
 * a damaged one; DivergedError where the loss is no longer a number; the signal's reason; what the strategy throws
 */
export async function fit(recipe: Recipe, options: FitOptions): Promise<Fitted> {
  const { seed, signal, onProgress } = options;
  const [training, validation] = [datasetOf(options.training), datasetOf(options.validation)];
  if (training.count < recipe.batch)
    throw new DataError(`${recipe.name}: a batch is ${recipe.batch} samples, but there are ${training.count}`);
  await startEngine();
  const model = new Model(recipe.layers());
  const strategy = recipe.strategy?.(options.teacher) ?? floatTraining;
  const { optimizer = adam(), schedule = learningRate } = recipe;
  const stepsPerEpoch = Math.floor(training.count / recipe.batch);
  const steps = stepsPerEpoch * recipe.epochs;
  const run = await Run.begin(recipe, {
    model,
    strategy,
    optimizer,
    seed,
    path: options.checkpoint,
    initial: options.initial,
  });
  const step = model.compileStep(optimizer, strategy);
  const logits = model.compileLogits();
  const clock = new Clock(run.log.length * stepsPerEpoch);
  const view = new RunView(model.slots, run, { steps, stepsPerEpoch, seed });
  const inputs = new Inputs();
  let masks: Arrays = {};
  /** False while a step has the state: what it took must not be given back once more. */
  let isHeld = true;
  try {
    await strategy.prepare?.(view);

    for (let epoch = run.log.length + 1; epoch <= recipe.epochs && !run.stalled(recipe.patience); epoch++) {
      const started = performance.now();
      let total = 0;
      let taken = (epoch - 1) * stepsPerEpoch;
      let rate = 0;
      for (const batch of training.epoch({ ...recipe, seed, epoch })) {
        signal?.throwIfAborted();
        rate = schedule(recipe.peakRate, taken, steps, recipe.warmup);
        // Also at each epoch's first step, so that a resumed run has the same masks.
        if (recipe.pruning && (taken - (epoch - 1) * stepsPerEpoch) % PRUNING_INTERVAL === 0) {
          disposeAll(masks);
          masks = await masksOf(
            recipe.pruning,
            run.state.parameters,
            prunedShare(recipe.pruning, taken, stepsPerEpoch),
          );
        }
        const given = inputs.upload((await strategy.weightsFor?.(taken, view)) ?? {});
        const drawn = Uint32Array.of(new Random(seed, WITHIN_STEPS, taken).uint32());
        isHeld = false;
        const [next, value] = step(
          run.state,
          autograd.share(masks),
          { ...given, seed: np.array(drawn, { shape: [], dtype: np.uint32 }) },
          toArray(batch.x),
          toArray(batch.labels),
          np.array(clock.tick(rate), { dtype: np.float32 }),
        );
        run.state = next;
        isHeld = true;
        const loss = value.item() as number;
        if (!Number.isFinite(loss)) throw new DivergedError(recipe.name, loss, taken, steps);
        await strategy.afterStep?.(taken, view);
        total += loss;
        taken++;
        // The last step is reported with the epoch's entry.
        const done = taken - (epoch - 1) * stepsPerEpoch;
        if (done < stepsPerEpoch) {
          onProgress?.({ recipe: recipe.name, epoch, epochs: recipe.epochs, step: done, steps: stepsPerEpoch, loss });
        }
        // Lets timers and abort signals in.
        await new Promise((resolve) => setTimeout(resolve));
      }
      const { parameters, statistics } = run.state;
      const low = await weightsIn(model.slots, await strategy.export(view));
      const used = (): Arrays => autograd.share({ ...parameters, ...low });
      const scores = logitsOf(validation, (x) => logits(used(), autograd.share(statistics), x));
      disposeAll(low);
      const entry: EpochEntry = {
        epoch,
        loss: Math.round((1e6 * total) / stepsPerEpoch) / 1e6,
        validation: top1(scores, validation.labels),
        validationLoss: Math.round(1e6 * crossEntropy(scores, validation.labels)) / 1e6,
        rate,
        seconds: Math.round((performance.now() - started) / 100) / 10,
      };
      await run.finishEpoch(entry);
      const loss = total / stepsPerEpoch;
      onProgress?.({
        recipe: recipe.name,
        epoch,
        epochs: recipe.epochs,
        step: stepsPerEpoch,
        steps: stepsPerEpoch,
        loss,
        entry,
        log: run.log,
      });
    }
    const weights = await strategy.export(view);
    const second = toHost(run.state.moments.second ?? {});
    return { tensors: run.bestTensors, weights, second, best: run.best, log: run.log };
  } finally {
    disposeAll(masks);
    inputs.dispose();
    if (isHeld) disposeAll(flattenState(run.state));
  }
}
