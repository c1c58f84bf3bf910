import { binary, lcTernary } from "lowbit/quantize";
import { autograd, np } from "../autograd.ts";
import { sigmoid } from "../sigmoid.ts";
import { type Arrays, filled, type HostTensor, toArray, toHostTensor } from "../values.ts";
import { exportEach, quantizeSlot } from "./quantized.ts";
import type { LayerChoice, Strategy, WeightSlot } from "./strategy.ts";
import { drawPreactivation } from "./variational.ts";

export interface LrNetsOptions {
  /** 3 for -s, 0, +s; 2 for -s, +s. Default 3. */
  readonly levels?: 2 | 3;
  /**
   * λ of the penalty: with 3 levels λ Σ (a² + b²), which keeps distributions from settling too early; with 2 levels λ Σ p (1 - p), p = P(+s), which helps them to settle. 0 or more; default 1e-6. The authors' code has 1e-11 and 1e-6.
   */
  readonly decay?: number;
  readonly layers?: LayerChoice;
}

/** Probabilities are kept between these at first. */
const [LEAST, MOST] = [0.05, 0.95];

/** How the parameter ends that holds s, which nothing moves. */
const LEVEL = ".level";

/**
 * LR-nets (Shayer, Levi, Fetaya 2018): each weight is -s, 0 or +s, or -s or +s, by probabilities that are trained,
 *
 *   3 levels:  P(0) = σ(a), P(+s | not 0) = σ(b);   E w = s (1 - P(0)) (2 σ(b) - 1),   Var w = s² (1 - P(0)) - (E w)²;
 *   2 levels:  P(+s) = σ(b);                        E w = s (2 σ(b) - 1),              Var w = s² - (E w)²,
 *
 * and a pre-activation is drawn as the normal of its mean Σ E[w] x and variance Σ Var[w] x². Exported is the most probable value of each weight: sign(b) of 2 levels, +s where b = 0.
 *
 * s, one for a tensor, is the root mean square of the given weights and stays so; in the paper it is 1, as normalizations follow. The start follows the given weights (section 3.3): with u = w / s within ±1,
 *
 *   3 levels:  P(0) = 0.95 - 0.9 |u|,  P(+s | not 0) = (1 + u / (1 - P(0))) / 2;     2 levels:  P(+s) = (1 + u) / 2,
 *
 * probabilities within 0.05..0.95. So E w = w at first where 3 levels have |w| <= 0.23 s and 2 levels |w| <= 0.9 s; larger ones fall short, from |w| = s on at 0.855 s and 0.9 s. The weights themselves are not trained, nor looked at again.
 */
export function lrNets({ levels = 3, decay = 1e-6, layers = () => true }: LrNetsOptions = {}): Strategy {
  return {
    name: `lr-nets:${levels}:${decay}`,
    initialize: (slots, parameters) =>
      Object.assign({}, ...slots.filter(layers).map((slot) => startingOdds(slot, parameters[slot.name]!, levels))),
    // So that no optimizer's decay moves it either.
    rate: (parameter) => (parameter.endsWith(LEVEL) ? 0 : 1),
    drawn: layers,
    linear(slot, product, x, w, scope) {
      if (!layers(slot)) return product(x, w);
      w.dispose();
      const { mean, variance } = discreteMoments(scope.parameters, slot);
      return drawPreactivation(product, x, mean, variance, scope);
    },
    penalty({ parameters, slots }) {
      const terms = [...slots.values()].filter(layers).map((slot) => settling(parameters, slot));
      return terms.reduce((sum, term) => sum.add(term)).mul(decay);
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) => {
        const likely = view.compute(slot, (parameters) => mostProbable(parameters, slot));
        return quantizeSlot(slot, likely, levels === 2 ? binary() : lcTernary());
      }),
  };
}

/** Names of a slot's log odds, of 0 (with 3 levels) and of + where it is not 0, and of s. */
const namesOf = ({ name }: WeightSlot) => ({ zero: `${name}.zero`, plus: `${name}.plus`, level: `${name}${LEVEL}` });

function startingOdds(slot: WeightSlot, weight: HostTensor, levels: 2 | 3): Record<string, HostTensor> {
  const { zero, plus, level } = namesOf(slot);
  const { data } = weight;
  // 1 for a tensor of zeros.
  const scale = Math.sqrt(data.reduce((sum, w) => sum + w * w, 0) / data.length) || 1;
  const unit = np.clip(toArray(weight).div(scale), -1, 1);
  const start = { [level]: filled([1], scale) };
  if (levels === 2) return { ...start, [plus]: logOdds(unit.add(1).div(2)) };
  const pZero = np
    .absolute(unit.ref)
    .mul(LEAST - MOST)
    .add(MOST);
  const pPlus = unit.div(pZero.ref.mul(-1).add(1)).add(1).div(2);
  return { ...start, [zero]: logOdds(pZero), [plus]: logOdds(pPlus) };
}

/** ln p / (1 - p), p within LEAST..MOST. Takes p. */
function logOdds(p: np.Array): HostTensor {
  const kept = np.clip(p, LEAST, MOST);
  return toHostTensor(np.log(kept.ref.div(kept.mul(-1).add(1))));
}

/** s of a slot, through which no gradient flows. The parameters are shared. */
const scaleOf = (parameters: Readonly<Arrays>, slot: WeightSlot): np.Array =>
  autograd.stop(parameters[namesOf(slot).level]!.ref);

/** 1 - P(0) of each weight; undefined where there is no level 0. The parameters are shared. */
function notZeroOf(parameters: Readonly<Arrays>, slot: WeightSlot): np.Array | undefined {
  const zero = parameters[namesOf(slot).zero];
  return zero && sigmoid(zero.ref.mul(-1));
}

/** Mean and variance of each weight, in the engine's layout. The parameters are shared. */
export function discreteMoments(
  parameters: Readonly<Arrays>,
  slot: WeightSlot,
): { mean: np.Array; variance: np.Array } {
  const scale = scaleOf(parameters, slot);
  const direction = sigmoid(parameters[namesOf(slot).plus]!.ref).mul(2).sub(1);
  const notZero = notZeroOf(parameters, slot) ?? np.onesLike(direction.ref);
  const unit = notZero.ref.mul(direction);
  const variance = notZero.sub(unit.ref.mul(unit.ref)).mul(scale.ref.mul(scale.ref));
  return { mean: unit.mul(scale), variance };
}

/** What the penalty counts of a slot: a² + b² of 3 levels, p (1 - p) of 2. The parameters are shared. */
function settling(parameters: Readonly<Arrays>, slot: WeightSlot): np.Array {
  const names = namesOf(slot);
  const [a, b] = [parameters[names.zero], parameters[names.plus]!];
  if (a !== undefined) return a.ref.mul(a.ref).sum().add(b.ref.mul(b.ref).sum());
  const p = sigmoid(b.ref);
  return p.ref.mul(p.mul(-1).add(1)).sum();
}

/** 0 where P(0) is at least the larger of P(-s) and P(+s), else the likelier of the two. The parameters are shared. */
function mostProbable(parameters: Readonly<Arrays>, slot: WeightSlot): np.Array {
  const b = parameters[namesOf(slot).plus]!.ref;
  const sign = np.where(b.ref.greaterEqual(0), 1, -1).mul(scaleOf(parameters, slot));
  const notZero = notZeroOf(parameters, slot);
  if (notZero === undefined) {
    b.dispose();
    return sign;
  }
  const larger = sigmoid(np.absolute(b)).mul(notZero.ref);
  return np.where(notZero.mul(-1).add(1).greaterEqual(larger), 0, sign);
}
