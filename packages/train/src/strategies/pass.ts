import { type np, random } from "../autograd.ts";
import { straightThrough } from "../estimators/ste.ts";
import type { Context } from "../layers/layer.ts";
import type { Model, StepArguments } from "../model.ts";
import type { Arrays } from "../values.ts";
import type { Scope, Strategy } from "./strategy.ts";

/** A pass through a network under a strategy, inside a compiled function. */
export interface Pass {
  readonly scope: Scope;
  /** By full name, once it has run in training. */
  readonly batchStatistics: Arrays;
  /** x -> logits. Takes x. */
  run(x: np.Array): np.Array;
}

interface PassOptions {
  readonly training: boolean;
  readonly statistics: Readonly<Arrays>;
  readonly parameters: Arrays;
  readonly given: StepArguments;
}

/** Lays a strategy over a network: its weights in the place of latent ones, its products in the place of theirs. */
export function compileForward(
  model: Model,
  strategy: Strategy,
  { training, statistics, parameters, given }: PassOptions,
): Pass {
  let draws = 0;
  const slots = new Map(model.slots.map((slot) => [slot.name, slot]));
  const scope: Scope = {
    slots,
    training,
    parameters,
    weights: given.weights,
    constants: given.constants,
    normal: (shape) => random.normal(random.key(given.seed.ref.add(draws++)), [...shape]),
  };
  const batchStatistics: Arrays = {};
  const context: Context = {
    training,
    statistics,
    batchStatistics,
    constants: given.constants,
    ...(strategy.linear && {
      linear: (name, product, x, w) => strategy.linear!(slots.get(name)!, product, x, w, scope),
    }),
  };
  return {
    scope,
    batchStatistics,
    run(x) {
      const effective = { ...parameters };
      for (const name of Object.keys(effective)) {
        const slot = slots.get(name);
        const latent = effective[name]!.ref;
        const own = given.weights[name]?.ref;
        if (slot === undefined) effective[name] = latent;
        else if (strategy.weight) effective[name] = strategy.weight(slot, latent, own, scope);
        else effective[name] = own === undefined ? latent : straightThrough(slot.columns(own), latent);
      }
      return model.forward(x, effective, context);
    },
  };
}
