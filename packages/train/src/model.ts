import type { Graph } from "lowbit";
import { autograd, nn, type np } from "./autograd.ts";
import { RecipeError } from "./errors.ts";
import { type GraphOptions, toGraph } from "./export/graph.ts";
import type { FrozenLayer } from "./frozen/layers.ts";
import type { Context, Layer } from "./layers/layer.ts";
import { adam } from "./optimizers/adam.ts";
import { type Limit, type Moments, type Optimizer, updateAll } from "./optimizers/optimizer.ts";
import { Random } from "./random.ts";
import { compileForward } from "./strategies/pass.ts";
import { floatTraining, type Strategy, type WeightSlot } from "./strategies/strategy.ts";
import { type Arrays, filled, type HostTensor, type HostTensors, toArray, toHostTensor } from "./values.ts";

/** Share of a new batch in the running statistics of batch normalization. */
export const STATISTICS_MOMENTUM = 0.1;

/** All that a training step changes. */
export type TrainingState = {
  readonly parameters: Arrays;
  readonly moments: Moments;
  readonly statistics: Arrays;
};

/** What a step gets from its strategy, and the seed of what is drawn within it. */
export type StepArguments = {
  readonly weights: Arrays;
  readonly constants: Arrays;
  /** uint32, another one for each step. */
  readonly seed: np.Array;
};

/** Purpose of the generator that draws initial weights (see `Random`). */
const INITIAL_WEIGHTS = 0;

/**
 * A sequential network: layer after layer, logits [N, classes] or [N, T, classes] at its end.
 *
 * ```ts
 * const model = new Model([dense("hidden", { from: [12], outputs: 8 }), relu("relu"), dense("last", { from: [8], outputs: 3 })]);
 * ```
 */
export class Model {
  readonly layers: readonly Layer[];
  readonly slots: readonly WeightSlot[];
  readonly limits: Readonly<Record<string, Limit>>;

  /** @throws RecipeError where two layers have one name */
  constructor(layers: readonly Layer[]) {
    const names = new Set(layers.map((layer) => layer.name));
    if (names.size !== layers.length)
      throw new RecipeError(`layer names repeat: ${layers.map((l) => l.name).join(", ")}`);
    this.layers = layers;
    this.slots = layers.flatMap((layer) => layer.slots ?? []);
    this.limits = Object.assign({}, ...layers.map((layer) => layer.limits ?? {}));
  }

  /** Fresh parameters (or those given), their moments (0) and statistics, by full name with the prefixes of `flattenState`. @throws RecipeError where a given tensor has another shape */
  initialize(
    seed: number,
    optimizer: Optimizer = adam(),
    strategy: Strategy = floatTraining,
    given: HostTensors = {},
  ): Record<string, HostTensor> {
    const random = new Random(seed, INITIAL_WEIGHTS);
    const parameters: Record<string, HostTensor> = {};
    const state: Record<string, HostTensor> = {};
    for (const layer of this.layers) {
      Object.assign(parameters, layer.initialize?.(random));
      for (const [name, tensor] of Object.entries(layer.initializeStatistics?.() ?? {})) {
        state[`statistics/${name}`] = inPlaceOf(name, tensor, given);
      }
    }
    for (const name of Object.keys(parameters)) parameters[name] = inPlaceOf(name, parameters[name]!, given);
    Object.assign(parameters, strategy.initialize?.(this.slots, parameters, random));
    for (const [name, tensor] of Object.entries(parameters)) {
      state[`parameter/${name}`] = tensor;
      for (const moment of optimizer.moments) state[`${moment}/${name}`] = filled(tensor.shape, 0);
    }
    return state;
  }

  /** Layer after layer. Takes x and the parameters. */
  forward(x: np.Array, parameters: Readonly<Arrays>, context: Context): np.Array {
    return this.layers.reduce((value, layer) => layer.apply(value, parameters, context), x);
  }

  /**
   * The compiled training step: (state, masks of pruned parameters, what the strategy gives, x, one-hot labels, clock) -> (new
   * state, mean cross-entropy and penalty). Takes its arguments.
   */
  compileStep(optimizer: Optimizer = adam(), strategy: Strategy = floatTraining) {
    const pace = { limits: { ...this.limits, ...strategy.limits?.(this.slots) }, rate: strategy.rate };
    const loss = (
      parameters: Arrays,
      given: StepArguments,
      x: np.Array,
      labels: np.Array,
    ): readonly [np.Array, Arrays] => {
      const pass = compileForward(this, strategy, { training: true, statistics: {}, parameters, given });
      const logits = pass.run(x.ref);
      const crossEntropy = nn.logSoftmax(logits.ref, -1).mul(labels.ref).sum(-1).mean().mul(-1);
      const penalty = strategy.penalty?.(pass.scope, { x, labels, logits });
      return [penalty === undefined ? crossEntropy : crossEntropy.add(penalty), pass.batchStatistics];
    };
    return autograd.compile(
      (
        state: TrainingState,
        masks: Arrays,
        given: StepArguments,
        x: np.Array,
        labels: np.Array,
        clock: np.Array,
      ): [TrainingState, np.Array] => {
        const { value, aux, gradients } = autograd.gradient(loss, autograd.share(state.parameters), given, x, labels);
        const chosen = strategy.gradients?.(gradients, given) ?? gradients;
        const { parameters, moments } = updateAll(optimizer, state.parameters, state.moments, chosen, clock, pace);
        for (const [name, mask] of Object.entries(masks)) parameters[name] = parameters[name]!.mul(mask);
        const statistics = Object.fromEntries(
          Object.entries(state.statistics).map(([name, running]) => [
            name,
            running.mul(1 - STATISTICS_MOMENTUM).add(aux[name]!.mul(STATISTICS_MOMENTUM)),
          ]),
        );
        return [{ parameters, moments, statistics }, value];
      },
    );
  }

  /** The compiled evaluation: (parameters, statistics, x) -> logits, of the parameters as they are. Takes its arguments. */
  compileLogits(): (parameters: Arrays, statistics: Arrays, x: np.Array) => np.Array {
    return autograd.compile((parameters: Arrays, statistics: Arrays, x: np.Array) => {
      const logits = this.forward(x, parameters, { training: false, statistics, batchStatistics: {} });
      for (const array of Object.values(statistics)) array.dispose();
      return logits;
    });
  }

  /** The network as ONNX will have it, layer by layer. @param tensors parameters and statistics by full name @throws RecipeError where a layer has no ONNX form */
  freeze(tensors: HostTensors): FrozenLayer[] {
    return this.layers.flatMap((layer) => {
      if (layer.freeze === undefined) throw new RecipeError(`${layer.name}: this layer has a Graph, but no ONNX form`);
      return layer.freeze(tensors);
    });
  }

  /** The network as the core's Graph. @param tensors parameters and statistics by full name @throws GraphError */
  toGraph(tensors: HostTensors, options: GraphOptions): Graph {
    const rowsOf = (slot: WeightSlot) => toHostTensor(slot.rows(toArray(tensors[slot.name]!)));
    return toGraph(this.layers, tensors, rowsOf, options);
  }
}

/** A given tensor of that name in the place of a fresh one. */
function inPlaceOf(name: string, fresh: HostTensor, given: HostTensors): HostTensor {
  const own = given[name] ?? fresh;
  if (own.shape.join() !== fresh.shape.join() || own.data.length !== fresh.data.length)
    throw new RecipeError(
      `${name}: the network has it as [${fresh.shape.join(", ")}], but what it is to start from as [${own.shape.join(", ")}]`,
    );
  return own;
}

/** The state as one flat record, `section/name`: the form that checkpoints store. */
export function flattenState({ parameters, moments, statistics }: TrainingState): Arrays {
  const sections: [string, Arrays][] = [
    ["parameter", parameters],
    ...Object.entries(moments),
    ["statistics", statistics],
  ];
  return Object.fromEntries(
    sections.flatMap(([section, arrays]) =>
      Object.entries(arrays).map(([name, array]) => [`${section}/${name}`, array]),
    ),
  );
}

/** The inverse of `flattenState`. */
export function unflattenState(flat: Readonly<Arrays>, optimizer: Optimizer = adam()): TrainingState {
  const part = (section: string): Arrays =>
    Object.fromEntries(
      Object.entries(flat)
        .filter(([name]) => name.startsWith(`${section}/`))
        .map(([name, array]) => [name.slice(section.length + 1), array]),
    );
  return {
    parameters: part("parameter"),
    moments: Object.fromEntries(optimizer.moments.map((moment) => [moment, part(moment)])),
    statistics: part("statistics"),
  };
}
