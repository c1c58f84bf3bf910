import { plain } from "../export/graph.ts";
import type { WeightSlot } from "../strategies/strategy.ts";
import { type Layer, required, uniformTensor } from "./layer.ts";
import { pick } from "./pick.ts";

export interface EmbeddingOptions {
  /** Rows of the table: token numbers are 0 .. tokens - 1. */
  readonly tokens: number;
  readonly size: number;
}

/**
 * Rows of a table by number: y[n,t,:] = table[x[n,t],:]. The batch holds whole numbers; in the Graph the input is int32. Parameter `name.weight` [tokens, size].
 *
 * Its table is a slot, but a lookup is no product: strategies that draw products (`lrNets`, `sparseDropoutTraining`, `vnq` ...) have to leave it out, `layers: (slot) => slot.name !== "name.weight"`; they throw RecipeError where they do not.
 */
export function embedding(name: string, { tokens, size }: EmbeddingOptions): Layer {
  const weight = `${name}.weight`;
  const slot: WeightSlot = { name: weight, shape: [tokens, size], rows: (w) => w, columns: (q) => q };
  return {
    name,
    slots: [slot],
    // Variance 1, as the normalizations behind it expect.
    initialize: (random) => ({ [weight]: uniformTensor(random, [tokens, size], Math.sqrt(3)) }),
    apply: (x, parameters) => pick(required(parameters, weight), x),
    write: (graph, x, _tensors, weightOf) =>
      graph.add("embedding", name, [x, graph.constant(weight, weightOf(slot))], {}),
  };
}

/** Learned positions (Devlin et al. 2018): x [N, T, D] + table[t, :], T at most `length`. Parameter `name.weight` [length, size]. */
export function positions(name: string, length: number, size: number): Layer {
  const weight = `${name}.weight`;
  return {
    name,
    initialize: (random) => ({ [weight]: uniformTensor(random, [length, size], Math.sqrt(3)) }),
    apply: (x, parameters) => x.add(required(parameters, weight).slice([0, x.shape[1]!])),
    write: (graph, x, tensors) =>
      graph.add("addPositions", name, [x, graph.constant(weight, plain(required(tensors, weight)))], { offset: 0 }),
  };
}
