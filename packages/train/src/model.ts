import { jit, nn, type numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import type { FrozenLayer } from "./frozen/layers.ts";
import type { Context, Layer } from "./layers/layer.ts";
import { type AdamMoments, adam } from "./optimizers/adam.ts";
import { Random } from "./random.ts";
import { type Arrays, filled, type HostTensor, type HostTensors } from "./values.ts";

/** Share of a new batch in the running statistics of batch normalization. */
const STATISTICS_MOMENTUM = 0.1;

/** All that a training step changes. */
export type TrainingState = {
  readonly parameters: Arrays;
  readonly moments: AdamMoments;
  readonly statistics: Arrays;
};

/** Purpose of the generator that draws initial weights (see `Random`). */
const INITIAL_WEIGHTS = 0;

/** A sequential network: layer after layer, logits [N, classes] at its end. */
export class Model {
  readonly layers: readonly Layer[];
  readonly #limits: Readonly<Record<string, number>>;

  constructor(layers: readonly Layer[]) {
    const names = new Set(layers.map((layer) => layer.name));
    if (names.size !== layers.length) throw new Error(`layer names repeat: ${layers.map((l) => l.name).join(", ")}`);
    this.layers = layers;
    this.#limits = Object.assign({}, ...layers.map((layer) => layer.limits ?? {}));
  }

  /** Fresh parameters, their moments (0) and statistics, by full name with the prefixes of `flattenState`. */
  initialize(seed: number): Record<string, HostTensor> {
    const random = new Random(seed, INITIAL_WEIGHTS);
    const state: Record<string, HostTensor> = {};
    for (const layer of this.layers) {
      for (const [name, tensor] of Object.entries(layer.initialize?.(random) ?? {})) {
        state[`parameter/${name}`] = tensor;
        state[`first/${name}`] = filled(tensor.shape, 0);
        state[`second/${name}`] = filled(tensor.shape, 0);
      }
      for (const [name, tensor] of Object.entries(layer.initializeStatistics?.() ?? {})) {
        state[`statistics/${name}`] = tensor;
      }
    }
    return state;
  }

  #forward(x: np.Array, parameters: Readonly<Arrays>, context: Context): np.Array {
    return this.layers.reduce((value, layer) => layer.apply(value, parameters, context), x);
  }

  /**
   * The compiled training step: (state, masks of pruned parameters, x [N,28,28,1], one-hot labels [N,10], Adam's clock) -> (new
   * state, mean cross-entropy). Takes its arguments.
   */
  compileStep(): (
    state: TrainingState,
    masks: Arrays,
    x: np.Array,
    labels: np.Array,
    clock: np.Array,
  ) => [TrainingState, np.Array] {
    const loss = (parameters: Arrays, x: np.Array, labels: np.Array): [np.Array, Arrays] => {
      const context: Context = { training: true, statistics: {}, batchStatistics: {} };
      const logits = this.#forward(x, parameters, context);
      const crossEntropy = nn.logSoftmax(logits, -1).mul(labels).sum(-1).mean().mul(-1);
      return [crossEntropy, context.batchStatistics];
    };
    type Step = [TrainingState, np.Array];
    return jit((state: TrainingState, masks: Arrays, x: np.Array, labels: np.Array, clock: np.Array): Step => {
      const [[value, batch], gradients] = valueAndGrad(loss, { hasAux: true })(tree.ref(state.parameters), x, labels);
      const { parameters, moments } = adam(state.parameters, state.moments, gradients as Arrays, clock, this.#limits);
      for (const [name, mask] of Object.entries(masks)) parameters[name] = (parameters[name] as np.Array).mul(mask);
      const statistics = Object.fromEntries(
        Object.entries(state.statistics).map(([name, running]) => [
          name,
          running.mul(1 - STATISTICS_MOMENTUM).add((batch[name] as np.Array).mul(STATISTICS_MOMENTUM)),
        ]),
      );
      return [{ parameters, moments, statistics }, value];
    });
  }

  /** The compiled evaluation: (parameters, statistics, x [N,28,28,1]) -> logits. Takes its arguments. */
  compileLogits(): (parameters: Arrays, statistics: Arrays, x: np.Array) => np.Array {
    return jit((parameters: Arrays, statistics: Arrays, x: np.Array) => {
      const logits = this.#forward(x, parameters, { training: false, statistics, batchStatistics: {} });
      for (const array of Object.values(statistics)) array.dispose();
      return logits;
    });
  }

  /** The network as it stays, layer by layer. @param tensors parameters and statistics by full name */
  freeze(tensors: HostTensors): FrozenLayer[] {
    return this.layers.flatMap((layer) => layer.freeze(tensors));
  }
}

const SECTIONS = ["parameter", "first", "second", "statistics"] as const;

/** The state as one flat record, `section/name`: the form that checkpoints store. */
export function flattenState(state: TrainingState): Arrays {
  const parts: Record<(typeof SECTIONS)[number], Arrays> = {
    parameter: state.parameters,
    first: state.moments.first,
    second: state.moments.second,
    statistics: state.statistics,
  };
  return Object.fromEntries(
    SECTIONS.flatMap((section) => Object.entries(parts[section]).map(([name, array]) => [`${section}/${name}`, array])),
  );
}

/** The inverse of `flattenState`. */
export function unflattenState(flat: Readonly<Arrays>): TrainingState {
  const part = (section: (typeof SECTIONS)[number]): Arrays =>
    Object.fromEntries(
      Object.entries(flat)
        .filter(([name]) => name.startsWith(`${section}/`))
        .map(([name, array]) => [name.slice(section.length + 1), array]),
    );
  return {
    parameters: part("parameter"),
    moments: { first: part("first"), second: part("second") },
    statistics: part("statistics"),
  };
}
