import { type np, random } from "../autograd.ts";
import { RecipeError } from "../errors.ts";
import { straightThrough } from "../estimators/ste.ts";
import type { Context } from "../layers/layer.ts";
import type { Model, StepArguments } from "../model.ts";
import type { Arrays } from "../values.ts";
import { nothingChosen, type Scope, type Strategy, type WeightSlot } from "./strategy.ts";

/** A pass through a network under a strategy, inside a compiled function. */
export interface Pass {
  readonly scope: Scope;
  /** By full name, once it has run in training. */
  readonly batchStatistics: Arrays;
  /** x -> logits. Takes x. @throws RecipeError in training, where a weight that the strategy draws is none that a layer multiplies by */
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
  const multiplied = new Set<string>();
  const context: Context = {
    training,
    statistics,
    batchStatistics,
    constants: given.constants,
    ...(strategy.linear && {
      linear(name, product, x, w) {
        const slot = slots.get(name);
        // A weight with a rule of its own is no slot.
        if (slot === undefined) return product(x, w);
        multiplied.add(name);
        return strategy.linear!(slot, product, x, w, scope);
      },
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
      const logits = model.forward(x, effective, context);
      if (training) checkDrawn(strategy, model.slots, multiplied);
      return logits;
    },
  };
}

/** @throws RecipeError */
function checkDrawn(strategy: Strategy, slots: readonly WeightSlot[], multiplied: ReadonlySet<string>): void {
  if (strategy.drawn === undefined) return;
  const drawn = slots.filter(strategy.drawn);
  if (drawn.length === 0) throw nothingChosen(strategy.name, slots);
  const missed = drawn.find(({ name }) => !multiplied.has(name));
  if (missed === undefined) return;
  throw new RecipeError(
    `${strategy.name} draws the products of its weights, but no layer multiplies by ${missed.name} (an embedding looks its rows up), which would be trained by its prior alone; ` +
      `leave it out: layers: (slot) => slot.name !== "${missed.name}"`,
  );
}
