import type { numpy as np } from "@jax-js/jax";
import type { FrozenLayer } from "../frozen/layers.ts";
import type { Random } from "../random.ts";
import type { Arrays, HostTensor, HostTensors } from "../values.ts";

/** What a layer sees of the pass that it is part of. */
export interface Context {
  /** True in a training step: batch statistics, and new running statistics are due. */
  readonly training: boolean;
  /** Running statistics by full name (evaluation). */
  readonly statistics: Readonly<Arrays>;
  /** Where a training pass leaves this batch's statistics, by full name. */
  readonly batchStatistics: Arrays;
}

/**
 * One layer of a sequential network. Activations are [N, H, W, C] or [N, K]. A layer takes x and its own parameters: they
 * are moved, as jax-js wants it.
 */
export interface Layer {
  /** Unique in the model; prefix of its parameters' names. */
  readonly name: string;
  /** Trainable parameters by full name, drawn from `random`. */
  initialize?(random: Random): Record<string, HostTensor>;
  /** Running statistics by full name. */
  initializeStatistics?(): Record<string, HostTensor>;
  /** Limits of latent parameters by full name, see `WeightRule.limit`. */
  readonly limits?: Readonly<Record<string, number>>;
  apply(x: np.Array, parameters: Readonly<Arrays>, context: Context): np.Array;
  /** The layer as it stays after training; tensors by full name, parameters and statistics. */
  freeze(tensors: HostTensors): FrozenLayer[];
}

/** A parameter that a layer must find. */
export function required<T>(tensors: Readonly<Record<string, T>>, name: string): T {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`missing tensor ${name}; have ${Object.keys(tensors).join(", ")}`);
  return tensor;
}

/** Uniform in ±sqrt(6 / fanIn): He et al. 2015 for ReLU, by its variance 2 / fanIn. */
export function heUniform(random: Random, shape: readonly number[], fanIn: number): HostTensor {
  const limit = Math.sqrt(6 / fanIn);
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i++) data[i] = (2 * random.uniform() - 1) * limit;
  return { shape, data };
}
