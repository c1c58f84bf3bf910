import type { Constant } from "lowbit";
import { dequantize } from "lowbit/quantize";
import { autograd, type np } from "../autograd.ts";
import type { TrainingState } from "../model.ts";
import { type Arrays, filled, type HostTensor, toArray, toHostTensor } from "../values.ts";
import type { View, WeightSlot } from "./strategy.ts";

/** A run's state as strategies see it. */
export class RunView implements View {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly seed: number;
  readonly #rows = new Map<string, (w: np.Array) => np.Array>();

  constructor(
    readonly slots: readonly WeightSlot[],
    private readonly run: { readonly state: TrainingState },
    sizes: { readonly steps: number; readonly stepsPerEpoch: number; readonly seed: number },
  ) {
    this.steps = sizes.steps;
    this.stepsPerEpoch = sizes.stepsPerEpoch;
    this.seed = sizes.seed;
    for (const slot of slots)
      this.#rows.set(
        slot.name,
        autograd.compile((w: np.Array) => slot.rows(w)),
      );
  }

  latent(slot: WeightSlot): HostTensor {
    return this.#read(slot, this.run.state.parameters[slot.name]!);
  }

  get moments(): string[] {
    return Object.keys(this.run.state.moments);
  }

  second(slot: WeightSlot): HostTensor {
    const moment = this.run.state.moments.second?.[slot.name];
    return moment === undefined ? filled(slot.shape, 0) : this.#read(slot, moment);
  }

  #read(slot: WeightSlot, array: np.Array): HostTensor {
    return toHostTensor(this.#rows.get(slot.name)!(array.ref));
  }

  compute(slot: WeightSlot, expression: (parameters: Readonly<Arrays>) => np.Array): HostTensor {
    return toHostTensor(slot.rows(expression(this.run.state.parameters)));
  }

  parameter(name: string): HostTensor {
    return toHostTensor(this.run.state.parameters[name]!.ref);
  }

  replace(slot: WeightSlot, weight: HostTensor): void {
    this.#put(slot.name, slot.columns(toArray(weight)));
  }

  replaceParameter(name: string, tensor: HostTensor): void {
    this.#put(name, toArray(tensor));
  }

  #put(name: string, array: np.Array): void {
    const { parameters } = this.run.state;
    parameters[name]!.dispose();
    parameters[name] = array;
  }
}

/** The floats that constants of the Graph stand for, as the engine keeps the weights of these slots. */
export async function weightsIn(
  slots: readonly WeightSlot[],
  constants: Readonly<Record<string, Constant>>,
): Promise<Arrays> {
  const arrays: Arrays = {};
  for (const slot of slots) {
    const constant = constants[slot.name];
    if (constant !== undefined) arrays[slot.name] = slot.columns(toArray(await floatsOf(slot, constant)));
  }
  return arrays;
}

/** The same in the core's layout. */
export async function floatsOf({ shape }: WeightSlot, constant: Constant): Promise<HostTensor> {
  return { shape, data: constant.kind === "plain" ? (constant.data as Float32Array) : await dequantize(constant) };
}
