import { CheckpointError } from "./errors.ts";
import type { EpochEntry } from "./log.ts";
import { flattenState, type Model, type TrainingState, unflattenState } from "./model.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import type { Recipe } from "./recipe.ts";
import type { Strategy } from "./strategies/strategy.ts";
import { type HostTensor, toArrays, toHost } from "./values.ts";

/** What a run is made of, beside its recipe. */
export interface RunOptions {
  readonly model: Model;
  readonly strategy: Strategy;
  readonly optimizer: Optimizer;
  readonly seed: number;
  readonly initial?: Readonly<Record<string, HostTensor>> | undefined;
  /** Of the checkpoint. */
  readonly path: string | undefined;
}

/** Loaded where a run has a checkpoint: the rest of training needs no files, and runs in browsers. */
const files = () => import("./checkpoint-file.ts");

/** Major version of Node, "" elsewhere: which instructions the engine's products take, and so how they round, follows from it. */
const NODE = globalThis.process?.versions?.node?.split(".")[0] ?? "";

/** What a strategy keeps, in a checkpoint. */
const STRATEGY = "strategy/";

/** A run between two epochs: the state, the log, the best epoch so far, and where they are saved. */
export class Run {
  private constructor(
    readonly identity: Readonly<Record<string, string>>,
    readonly path: string | undefined,
    public state: TrainingState,
    public log: EpochEntry[],
    public best: number,
    public bestTensors: Record<string, HostTensor>,
    private readonly strategy: Strategy,
    /** The first epoch that may be the best: the one behind the last that prunes; under a strategy each one is, as only its own state goes with it. */
    private readonly eligible: number,
    private readonly newest: boolean,
  ) {}

  static async begin(
    recipe: Recipe,
    { model, strategy, optimizer, seed, path, initial: given }: RunOptions,
  ): Promise<Run> {
    const { name, epochs, batch, peakRate, warmup, shift, pruning } = recipe;
    const own = {
      start: recipe.start?.name,
      teacher: recipe.teacher?.name,
      strategy: recipe.strategy && strategy.name,
      optimizer: recipe.optimizer?.name,
      schedule: recipe.schedule?.name,
      patience: recipe.patience,
    };
    const identity = { run: JSON.stringify({ name, seed, epochs, batch, peakRate, warmup, shift, pruning, ...own }) };
    // Of a run that ends before its pruning does, the last.
    const eligible = Math.min((pruning?.epochs[1] ?? 0) + 1, epochs);
    const newest = recipe.strategy !== undefined;
    const initial = model.initialize(seed, optimizer, strategy, given);
    const saved = path === undefined ? undefined : await (await files()).readCheckpoint(path);
    if (saved === undefined) {
      const fresh = unflattenState(toArrays(initial), optimizer);
      return new Run(identity, path, fresh, [], 0, {}, strategy, eligible, newest);
    }
    if (saved.metadata.run !== identity.run) {
      throw new CheckpointError(`${path}: is of another run, ${saved.metadata.run}, not ${identity.run}`);
    }
    const { node = NODE } = saved.metadata;
    if (node !== NODE)
      throw new CheckpointError(
        `${path}: was begun in Node ${node}, and this is ${NODE || "none"}: products are rounded otherwise, so that it would not end with the bits it was to have; go on in that version, or remove the file`,
      );
    const state: Record<string, HostTensor> = {};
    const best: Record<string, HostTensor> = {};
    const kept: Record<string, HostTensor> = {};
    for (const [key, tensor] of Object.entries(saved.tensors)) {
      if (key.startsWith("best/")) best[key.slice(5)] = tensor;
      else if (key.startsWith(STRATEGY)) kept[key.slice(STRATEGY.length)] = tensor;
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
    if (Object.keys(kept).length > 0) strategy.load?.(kept);
    const resumed = unflattenState(toArrays(state), optimizer);
    return new Run(identity, path, resumed, log, Number(saved.metadata.best), best, strategy, eligible, newest);
  }

  /** Whether the last `patience` epochs brought nothing better. */
  stalled(patience = Number.POSITIVE_INFINITY): boolean {
    const scores = this.log.map(({ validation }) => validation);
    return scores.length > patience && Math.max(...scores.slice(-patience)) <= Math.max(...scores.slice(0, -patience));
  }

  async finishEpoch(entry: EpochEntry): Promise<void> {
    this.log.push(entry);
    const bestSoFar = this.log[this.best - 1]?.validation ?? -1;
    if (this.newest || (entry.epoch >= this.eligible && entry.validation >= bestSoFar)) {
      this.best = entry.epoch;
      this.bestTensors = toHost({ ...this.state.parameters, ...this.state.statistics });
    }
    if (this.path === undefined) return;
    const tensors = toHost(flattenState(this.state));
    for (const [key, tensor] of Object.entries(this.bestTensors)) tensors[`best/${key}`] = tensor;
    for (const [key, tensor] of Object.entries(this.strategy.save?.() ?? {})) tensors[`${STRATEGY}${key}`] = tensor;
    const metadata = { ...this.identity, node: NODE, log: JSON.stringify(this.log), best: String(this.best) };
    await (await files()).writeCheckpoint(this.path, { metadata, tensors });
  }
}
