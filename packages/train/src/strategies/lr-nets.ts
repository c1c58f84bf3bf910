import { lcTernary } from "lowbit/quantize";
import { np } from "../autograd.ts";
import { sigmoid } from "../sigmoid.ts";
import { type Arrays, type HostTensor, toArray, toHostTensor } from "../values.ts";
import { exportEach, quantizeSlot } from "./quantized.ts";
import type { LayerChoice, Strategy, WeightSlot } from "./strategy.ts";
import { drawPreactivation } from "./variational.ts";

export interface LrNetsOptions {
  /** Penalty on the squares of the log odds, which keeps distributions from settling too early. Default 1e-6. */
  readonly decay?: number;
  readonly layers?: LayerChoice;
}

/** Probabilities are kept between these at first. */
const [LEAST, MOST] = [0.05, 0.95];

/**
 * LR-nets (Shayer, Levi, Fetaya 2018): each weight is -s, 0 or +s by probabilities that are trained,
 *
 *   P(0) = σ(a),   P(+s | not 0) = σ(b);   E w = s (1 - P(0)) (2 σ(b) - 1),   Var w = s² (1 - P(0)) - (E w)²,
 *
 * and a pre-activation is drawn as the normal of its mean Σ E[w] x and variance Σ Var[w] x². The start follows given weights: P(0) = 0.95 - 0.9 |w|, P(+s | not 0) = (1 + w / (1 - P(0))) / 2, w
 * scaled to at most 1 (section 3.3). s = mean |w| of the tensor at the start; in the paper 1, as normalizations follow. Exported is the most probable value of each.
 */
export function lrNets({ decay = 1e-6, layers = () => true }: LrNetsOptions = {}): Strategy {
  return {
    name: `lr-nets:${decay}`,
    initialize: (slots, parameters) =>
      Object.assign({}, ...slots.filter(layers).map((slot) => startingOdds(slot, parameters[slot.name]!))),
    linear(slot, product, x, w, scope) {
      if (!layers(slot)) return product(x, w);
      const { mean, variance } = ternaryMoments(scope.parameters, slot, w);
      return drawPreactivation(product, x, mean, variance, scope);
    },
    penalty({ parameters, slots }) {
      const squares = [...slots.values()].filter(layers).flatMap((slot) =>
        oddsOf(slot).map((name) => {
          const odds = parameters[name]!.ref;
          return odds.ref.mul(odds).sum();
        }),
      );
      return squares.reduce((sum, s) => sum.add(s)).mul(decay);
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) => {
        const likely = view.compute(slot, (parameters) => mostProbable(parameters, slot));
        return quantizeSlot(slot, likely, lcTernary());
      }),
  };
}

/** Names of a slot's log odds: of 0, and of + where it is not 0. */
const oddsOf = ({ name }: WeightSlot): readonly [string, string] => [`${name}.zero`, `${name}.plus`];

function startingOdds(slot: WeightSlot, weight: HostTensor): Record<string, HostTensor> {
  const [zero, plus] = oddsOf(slot);
  const w = toArray(weight);
  const unit = w.ref.div(np.maximum(np.absolute(w).max(), 1e-30));
  const pZero = np
    .absolute(unit.ref)
    .mul(LEAST - MOST)
    .add(MOST);
  const pPlus = np.clip(unit.div(pZero.ref.mul(-1).add(1)).add(1).div(2), LEAST, MOST);
  const logOdds = (p: np.Array) => toHostTensor(np.log(p.ref.div(p.mul(-1).add(1))));
  return { [zero]: logOdds(pZero), [plus]: logOdds(pPlus) };
}

/** s: the latent weights are not trained under this strategy, so it stays that of the start. Takes w. */
const scaleOf = (latent: np.Array): np.Array => np.absolute(latent).mean();

/** Mean and variance of each weight, in the engine's layout. Takes the latent weight, not the parameters. */
export function ternaryMoments(
  parameters: Readonly<Arrays>,
  slot: WeightSlot,
  latent: np.Array,
): { mean: np.Array; variance: np.Array } {
  const [zero, plus] = oddsOf(slot);
  const scale = scaleOf(latent);
  const notZero = sigmoid(parameters[zero]!.ref.mul(-1));
  const direction = sigmoid(parameters[plus]!.ref).mul(2).sub(1);
  const unit = notZero.ref.mul(direction);
  const variance = notZero.sub(unit.ref.mul(unit.ref)).mul(scale.ref.mul(scale.ref));
  return { mean: unit.mul(scale), variance };
}

/** 0 where P(0) is at least the larger of P(-s) and P(+s). */
function mostProbable(parameters: Readonly<Arrays>, slot: WeightSlot): np.Array {
  const [zero, plus] = oddsOf(slot);
  const b = parameters[plus]!.ref;
  const pZero = sigmoid(parameters[zero]!.ref);
  const larger = sigmoid(np.absolute(b.ref)).mul(pZero.ref.mul(-1).add(1));
  const sign = np.where(b.greaterEqual(0), 1, -1);
  return np.where(pZero.greaterEqual(larger), 0, sign).mul(scaleOf(parameters[slot.name]!.ref));
}
