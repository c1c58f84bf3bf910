import { encodeCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { CheckpointError } from "./errors.ts";
import { writeAtomically } from "./files.ts";
import type { EpochEntry } from "./log.ts";
import { flattenState, type Model, type TrainingState, unflattenState } from "./model.ts";
import type { Recipe } from "./recipe.ts";
import { type HostTensor, toArrays, toHost } from "./values.ts";

/** A run between two epochs: the state, the log, the best epoch so far, and where they are saved. */
export class Run {
  private constructor(
    readonly identity: Readonly<Record<string, string>>,
    readonly path: string | undefined,
    public state: TrainingState,
    public log: EpochEntry[],
    public best: number,
    public bestTensors: Record<string, HostTensor>,
    /** The first epoch that may be the best: the one behind the last that prunes. */
    private readonly eligible: number,
  ) {}

  static async begin(recipe: Recipe, model: Model, seed: number, path: string | undefined): Promise<Run> {
    const { name, epochs, batch, peakRate, warmup, shift, pruning } = recipe;
    const identity = { run: JSON.stringify({ name, seed, epochs, batch, peakRate, warmup, shift, pruning }) };
    const eligible = (pruning?.epochs[1] ?? 0) + 1;
    const initial = model.initialize(seed);
    const saved = path === undefined ? undefined : await readCheckpoint(path);
    if (saved === undefined) {
      return new Run(identity, path, unflattenState(toArrays(initial)), [], 0, {}, eligible);
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
    return new Run(identity, path, unflattenState(toArrays(state)), log, Number(saved.metadata.best), best, eligible);
  }

  async finishEpoch(entry: EpochEntry): Promise<void> {
    this.log.push(entry);
    const bestSoFar = this.log[this.best - 1]?.validation ?? -1;
    if (entry.epoch >= this.eligible && entry.validation >= bestSoFar) {
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
