import type { StepArguments } from "../model.ts";
import { type Arrays, disposeAll, type HostTensor, type HostTensors, toArray } from "../values.ts";
import type { StepInputs } from "./strategy.ts";

/** Copies what a strategy gives into the engine, tensors that it has already only once. */
export class Inputs {
  readonly #kept = new Map<string, { readonly source: HostTensor; readonly array: Arrays[string] }>();

  /** The arrays of one step, which takes them. */
  upload({ weights = {}, constants = {} }: StepInputs): Omit<StepArguments, "seed"> {
    return { weights: this.#arrays("weights", weights), constants: this.#arrays("constants", constants) };
  }

  #arrays(kind: string, tensors: HostTensors): Arrays {
    return Object.fromEntries(
      Object.entries(tensors).map(([name, source]) => {
        const key = `${kind}/${name}`;
        const kept = this.#kept.get(key);
        if (kept?.source === source) return [name, kept.array.ref];
        kept?.array.dispose();
        const array = toArray(source);
        this.#kept.set(key, { source, array });
        return [name, array.ref];
      }),
    );
  }

  dispose(): void {
    disposeAll(Object.fromEntries([...this.#kept].map(([key, { array }]) => [key, array])));
    this.#kept.clear();
  }
}
