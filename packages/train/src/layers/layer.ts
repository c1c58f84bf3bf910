import type { Constant } from "lowbit";
import type { np } from "../autograd.ts";
import { floatWeights, type WeightRule } from "../estimators/weights.ts";
import { type GraphWriter, plain } from "../export/graph.ts";
import type { FrozenLayer } from "../frozen/layers.ts";
import type { Limit } from "../optimizers/optimizer.ts";
import type { Random } from "../random.ts";
import type { WeightSlot } from "../strategies/strategy.ts";
import { type Arrays, type HostTensor, type HostTensors, toArray, toHostTensor } from "../values.ts";

/** What a layer sees of the pass that it is part of. */
export interface Context {
  /** True in a training step: batch statistics, and new running statistics are due. */
  readonly training: boolean;
  /** Running statistics by full name (evaluation). */
  readonly statistics: Readonly<Arrays>;
  /** Where a training pass leaves this batch's statistics, by full name. */
  readonly batchStatistics: Arrays;
  /** What a strategy gives the step, by name; absent in evaluation. */
  readonly constants?: Readonly<Arrays>;
  /** How a strategy multiplies by the weight of that name; absent: `product(x, w)`. Takes x and w. */
  linear?(name: string, product: (x: np.Array, w: np.Array) => np.Array, x: np.Array, w: np.Array): np.Array;
}

/**
 * One layer of a sequential network. Activations are [N, H, W, C], [N, T, D] or [N, K]. A layer takes x and its own parameters: they
 * are moved, as jax-js wants it.
 */
export interface Layer {
  /** Unique in the model; prefix of its parameters' names. */
  readonly name: string;
  /** Trainable parameters by full name, drawn from `random`. */
  initialize?(random: Random): Record<string, HostTensor>;
  /** Running statistics by full name. */
  initializeStatistics?(): Record<string, HostTensor>;
  /** Where parameters are kept after each step, by full name. */
  readonly limits?: Readonly<Record<string, Limit>>;
  /** Its weights that a strategy may quantize; not those that have a rule of their own. */
  readonly slots?: readonly WeightSlot[];
  apply(x: np.Array, parameters: Readonly<Arrays>, context: Context): np.Array;
  /**
   * Writes it as nodes of the core's Graph behind the value `x`; returns the name of its output.
   * @param weightOf the constant of a slot
   */
  write?(graph: GraphWriter, x: string, tensors: HostTensors, weightOf: (slot: WeightSlot) => Constant): string;
  /** The layer as ONNX will have it; tensors by full name, parameters and statistics. Absent: it has a Graph alone. */
  freeze?(tensors: HostTensors): FrozenLayer[];
}

/** A product by a slot's weight, as the strategy does it. Takes x and w. */
export function multiply(
  context: Context,
  name: string,
  product: (x: np.Array, w: np.Array) => np.Array,
  x: np.Array,
  w: np.Array,
): np.Array {
  return context.linear === undefined ? product(x, w) : context.linear(name, product, x, w);
}

/** What a layer that takes a rule says of its weight: one that has a rule of its own is no strategy's, and the Graph has it as the rule makes it for good. */
export const underRule = (rule: WeightRule, slot: WeightSlot) => ({
  slots: rule === floatWeights ? [slot] : [],
  constant: (tensors: HostTensors, weightOf: (slot: WeightSlot) => Constant): Constant =>
    rule === floatWeights
      ? weightOf(slot)
      : plain(toHostTensor(slot.rows(toArray(rule.freeze(required(tensors, slot.name)))))),
});

/** A weight [inputs, outputs] of a matrix product; the core has it as [outputs, inputs]. */
export const matrixSlot = (name: string, inputs: number, outputs: number): WeightSlot => ({
  name,
  shape: [outputs, inputs],
  rows: (w) => w.transpose([1, 0]),
  columns: (q) => q.transpose([1, 0]),
});

/** A parameter that a layer must find. */
export function required<T>(tensors: Readonly<Record<string, T>>, name: string): T {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`missing tensor ${name}; have ${Object.keys(tensors).join(", ")}`);
  return tensor;
}

/** Uniform in ±sqrt(6 / fanIn): He et al. 2015 for ReLU, by its variance 2 / fanIn. */
export function heUniform(random: Random, shape: readonly number[], fanIn: number): HostTensor {
  return uniformTensor(random, shape, Math.sqrt(6 / fanIn));
}

/** Uniform in ±limit. */
export function uniformTensor(random: Random, shape: readonly number[], limit: number): HostTensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < data.length; i++) data[i] = (2 * random.uniform() - 1) * limit;
  return { shape, data };
}
