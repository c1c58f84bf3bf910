/** What a user sees of a model. */
import type { DataOf, Dim, ImagePreprocessing } from "../graph/types.ts";
import type { Tier } from "../kernels/tiers.ts";
import type { Tensor, TensorDType } from "../tensor.ts";

/**
 * The tensors of a model by name; `lowbit types model.safetensors` writes them.
 *
 * @example
 * interface Digits {
 *   inputs: { image: Tensor<"f32"> };
 *   outputs: { logits: Tensor<"f32"> };
 * }
 */
export interface ModelTypes {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Inputs by name. A bare typed array takes the input's shape; its length decides one symbolic dimension. */
export type Feed<T extends ModelTypes = ModelTypes> = {
  readonly [K in keyof T["inputs"]]: T["inputs"][K] | T["inputs"][K]["data"];
};

/** Where `runInto` writes: a tensor, or its data. */
export type Target<T extends ModelTypes = ModelTypes> = {
  readonly [K in keyof T["outputs"]]: T["outputs"][K] | T["outputs"][K]["data"];
};

export interface InputInfo {
  readonly name: string;
  readonly dtype: TensorDType;
  /** A string is a size known at run time. */
  readonly shape: readonly Dim[];
  /** How an image becomes this input, where the model says so. */
  readonly preprocessing?: ImagePreprocessing;
}

export interface OutputInfo {
  readonly name: string;
  readonly dtype: TensorDType;
  readonly shape: readonly Dim[];
}

/** One kernel call. */
export interface ProfileEntry {
  /** Name of the node; of fused ones, joined by " + ". */
  readonly node: string;
  readonly op: string;
  /** Kernel family; `none` where nothing is computed. */
  readonly kernel: string;
  /** Milliseconds, the median of the runs. */
  readonly ms: number;
  /** Multiply-accumulates of one run; 0 for operators without weights. */
  readonly macs: number;
}

export interface Profile {
  readonly tier: Tier;
  /** Milliseconds of a whole run, the median. */
  readonly ms: number;
  readonly runs: number;
  readonly nodes: readonly ProfileEntry[];
  /** Bytes of the values of a run. */
  readonly arenaBytes: number;
}

/** A loaded network. It owns one WASM instance; `dispose` gives its memory back. */
export interface Model<T extends ModelTypes = ModelTypes> extends Disposable {
  readonly tier: Tier;
  readonly inputs: readonly InputInfo[];
  readonly outputs: readonly OutputInfo[];
  /** Class names of the first output's last axis; [] where the model has none. */
  readonly labels: readonly string[];
  /**
   * Runs the network once and copies the outputs out.
   * @throws InputError, ShapeError, DTypeError, NotFiniteError (a NaN in an input), DisposedError, InstanceDeadError, OutOfMemoryError
   */
  run(feed: Feed<T>): Promise<T["outputs"]>;
  /** As `run`, synchronously, into arrays of the caller; from the second call with the same shapes on it allocates nothing. */
  runInto(feed: Feed<T>, outputs: Target<T>): void;
  /** Where the time goes. Without a feed: zeros, with every symbolic dimension 1. */
  profile(feed?: Feed<T>, options?: { readonly runs?: number }): Promise<Profile>;
  dispose(): void;
}

/** Array types that a feed may hold. */
export type TensorData = DataOf[TensorDType];
