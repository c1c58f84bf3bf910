import { np, scipySpecial } from "../autograd.ts";
import { RecipeError } from "../errors.ts";
import { signSte, straightThrough } from "../estimators/ste.ts";
import { signNodes } from "../export/graph.ts";
import type { Layer } from "../layers/layer.ts";
import type { HostTensors } from "../values.ts";
import { among, exportLatent, unitSigns } from "./quantized.ts";
import type { LayerChoice, Strategy, WeightSlot } from "./strategy.ts";

export interface ExpectationBackpropagationOptions {
  /** Whether the inputs of a slot are signs, whose squares are 1 for certain; the others are known numbers. Default: of all but the first. */
  readonly signs?: (slot: WeightSlot) => boolean;
  readonly layers?: LayerChoice;
}

/** Added to a variance, which is 0 once all weights are certain. */
const LEAST = 1e-4;

/**
 * Expectation backpropagation (Soudry, Hubara, Meir 2014; binary weights: Cheng et al. 2015): a mean-field posterior over weights ±1 with log odds 2h, ⟨w⟩ = tanh(h). By the central limit theorem a
 * pre-activation is normal,
 *
 *   μ = Σ ⟨w⟩ ⟨x⟩,   σ² = Σ ⟨x²⟩ - ⟨w⟩² ⟨x⟩²,
 *
 * and a sign behind it has the mean 2Φ(μ/σ) - 1 (`expectedSign`). No number is drawn: training works on means. h moves by the gradient with respect to ⟨w⟩ (equation 11: the update of the log odds), not by that
 * through tanh, which would vanish where a weight is sure. Exported is sign(h), ±1 without a scale.
 *
 * Layers are dense (or conv) and `expectedSign` in turn. As training goes on with μ/σ where the finished network has the sum itself, nothing may stand behind a layer that knows its scale: no bias, no normalization. Before training
 * it throws RecipeError where there is a parameter `*.bias`, but for those of layers that `layers` leaves out.
 */
export function expectationBackpropagation({
  signs,
  layers = () => true,
}: ExpectationBackpropagationOptions = {}): Strategy {
  return {
    name: "expectation-backpropagation",
    initialize(slots, parameters) {
      checkNoBias(slots, parameters, layers);
      return {};
    },
    drawn: layers,
    weight: (slot, latent) => (layers(slot) ? straightThrough(np.tanh(latent.ref), latent) : latent),
    linear(slot, product, x, w, { slots }) {
      if (!layers(slot)) return product(x, w);
      const behind = signs?.(slot) ?? [...slots.keys()].indexOf(slot.name) > 0;
      const { mean, variance } = preactivationMoments(product, x, w, behind);
      return mean.div(np.sqrt(variance.add(LEAST)));
    },
    export: (view) => exportLatent(view, among(unitSigns(), layers)),
  };
}

/** @throws RecipeError where something is added to what a layer of binary weights computes */
function checkNoBias(slots: readonly WeightSlot[], parameters: HostTensors, layers: LayerChoice): void {
  const float = slots.filter((slot) => !layers(slot));
  const bias = Object.keys(parameters).find(
    (name) => name.endsWith(".bias") && !float.some((slot) => slot.name.startsWith(name.slice(0, -"bias".length))),
  );
  if (bias === undefined) return;
  throw new RecipeError(
    `expectationBackpropagation takes no bias and no normalization, for it trains on a sum over its deviation and exports the sum alone, but the network has ${bias}; ` +
      "leave it out (dense and conv have none by default), or keep its layer float by `layers`",
  );
}

/** Mean and variance of Σ w x for independent w = ±1 of mean ⟨w⟩, and x known or signs of mean ⟨x⟩. Takes x and w. */
export function preactivationMoments(
  product: (x: np.Array, w: np.Array) => np.Array,
  x: np.Array,
  w: np.Array,
  signs: boolean,
): { mean: np.Array; variance: np.Array } {
  const squares = x.ref.mul(x.ref);
  const whole = product(signs ? np.onesLike(squares.ref) : squares.ref, np.onesLike(w.ref));
  const known = product(squares, w.ref.mul(w.ref));
  return { mean: product(x, w), variance: whole.sub(known) };
}

/** A sign of which training knows the mean: erf(x / √2) for x = μ/σ. In evaluation, and in the Graph, a sign. */
export function expectedSign(name: string): Layer {
  return {
    name,
    apply: (x, _parameters, { training }) => (training ? scipySpecial.erf(x.mul(Math.SQRT1_2)) : signSte(x)),
    write: (graph, x) => signNodes(graph, name, x),
    freeze: () => [{ kind: "sign", name }],
  };
}
