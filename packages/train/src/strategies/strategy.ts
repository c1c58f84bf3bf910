import type { Constant } from "lowbit";
import type { np } from "../autograd.ts";
import { RecipeError } from "../errors.ts";
import type { Limit } from "../optimizers/optimizer.ts";
import type { Random } from "../random.ts";
import type { Arrays, HostTensor, HostTensors } from "../values.ts";

/** A weight that strategies may quantize: a parameter, as the engine keeps it and as the core has it. */
export interface WeightSlot {
  /** Full name of the parameter. */
  readonly name: string;
  /** As the core has it: axis 0 is the output channel. */
  readonly shape: readonly number[];
  /** From the engine's layout to the core's. Takes w. */
  rows(w: np.Array): np.Array;
  /** The way back. Takes q. */
  columns(q: np.Array): np.Array;
}

/** What a strategy sees between steps. Weights are in the core's layout and copied out when they are asked for. */
export interface View {
  readonly slots: readonly WeightSlot[];
  /** Of the whole run. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly seed: number;
  /** Names of the optimizer's moments. */
  readonly moments: readonly string[];
  /** The latent weight of a slot. */
  latent(slot: WeightSlot): HostTensor;
  /** The optimizer's second moment of a slot's weight, zeros where it has none. */
  second(slot: WeightSlot): HostTensor;
  /** An expression of parameters, shaped as a slot's weight in the engine, in the core's layout. The parameters are shared. */
  compute(slot: WeightSlot, expression: (parameters: Readonly<Arrays>) => np.Array): HostTensor;
  /** A parameter of any name, as the engine keeps it. */
  parameter(name: string): HostTensor;
  /** Puts another latent weight in place, in the core's layout. */
  replace(slot: WeightSlot, weight: HostTensor): void;
  /** Puts another parameter in place, as the engine keeps it. */
  replaceParameter(name: string, tensor: HostTensor): void;
}

/** What one step gets beside its batch. A tensor that is the same object as at the step before is not copied again. */
export interface StepInputs {
  /** By slot, what stands in for the latent weight, in the core's layout. */
  readonly weights?: HostTensors;
  /** Anything else that `weight`, `linear` and `penalty` need, by any name. */
  readonly constants?: HostTensors;
}

/** The same inside a compiled step. Arrays are shared: every use is written `.ref`. */
export interface Scope {
  readonly slots: ReadonlyMap<string, WeightSlot>;
  readonly training: boolean;
  /** All parameters, those of the strategy among them. */
  readonly parameters: Readonly<Arrays>;
  readonly weights: Readonly<Arrays>;
  readonly constants: Readonly<Arrays>;
  /** Standard normal numbers, others at every call and step, the same for the same seed. */
  normal(shape: readonly number[]): np.Array;
}

/** What a loss is made of. */
export interface Outcome {
  /** The batch as the network got it. */
  readonly x: np.Array;
  /** One-hot. */
  readonly labels: np.Array;
  readonly logits: np.Array;
}

/** A way of training low-bit weights: what a training loop asks between and inside its steps. All but `name` and `export` may be absent. */
export interface Strategy {
  /** With its settings: part of what tells one run's checkpoint from another's. */
  readonly name: string;
  /** Parameters of its own by full name, trained as all others. */
  initialize?(slots: readonly WeightSlot[], parameters: HostTensors, random: Random): Record<string, HostTensor>;
  /** What a parameter's learning rate is multiplied by; default 1. For its own parameters, whose scale is not that of weights. */
  rate?(parameter: string): number;
  /** Where latent weights, and parameters of its own, are kept after each step, by full name; others go anywhere. */
  limits?(slots: readonly WeightSlot[]): Readonly<Record<string, Limit>>;
  /** Called once, before the first step of a run or of the rest of one. */
  prepare?(view: View): void | Promise<void>;
  /** @param step from 0 */
  weightsFor?(step: number, view: View): StepInputs | Promise<StepInputs>;
  /** What the layers compute with, in the engine's layout; default: the value of `given`, the gradient of `latent`. Takes both. */
  weight?(slot: WeightSlot, latent: np.Array, given: np.Array | undefined, scope: Scope): np.Array;
  /** The product of a layer with a slot's weight; default `product(x, w)`, linear in both. Takes x and w. */
  linear?(
    slot: WeightSlot,
    product: (x: np.Array, w: np.Array) => np.Array,
    x: np.Array,
    w: np.Array,
    scope: Scope,
  ): np.Array;
  /** Slots whose weights are distributions, which meet the data in `linear` alone. Each has to go through it in training: one that does not would be shaped by its prior alone, and exported as that left it. */
  readonly drawn?: LayerChoice;
  /** Added to the loss, a scalar. The arrays are shared. */
  penalty?(scope: Scope, outcome: Outcome): np.Array;
  /** Takes the place of the gradients of all parameters, which it takes; inside the compiled step. */
  gradients?(gradients: Arrays, given: Pick<Scope, "weights" | "constants">): Arrays;
  /** @param step that has been taken, from 0 */
  afterStep?(step: number, view: View): void | Promise<void>;
  /** What it keeps from step to step, for checkpoints. */
  save?(): HostTensors;
  load?(saved: HostTensors): void;
  /** The weights for good, by slot, in the core's layout: constants of the Graph. Slots that are left out stay float. */
  export(view: View): Promise<Record<string, Constant>>;
}

/** Float training. */
export const floatTraining: Strategy = { name: "float", export: async () => ({}) };

/** Latent weight of a slot inside a step, in the core's layout. */
export function rowsIn({ slots, parameters }: Scope, name: string): np.Array {
  return slots.get(name)!.rows(parameters[name]!.ref);
}

/** What is thrown where `layers` chooses no slot. */
export const nothingChosen = (what: string, slots: readonly WeightSlot[]): RecipeError =>
  new RecipeError(`${what}: \`layers\` chooses none of ${slots.map(({ name }) => name).join(", ")}`);

/** Which slots a strategy is for; the others stay float. */
export type LayerChoice = (slot: WeightSlot) => boolean;
