import { binary } from "lowbit/quantize";
import { np, scipySpecial } from "../autograd.ts";
import { signSte, straightThrough } from "../estimators/ste.ts";
import { signNodes } from "../export/graph.ts";
import type { Layer } from "../layers/layer.ts";

import { exportLatent } from "./quantized.ts";
import type { Strategy, WeightSlot } from "./strategy.ts";

export interface ExpectationBackpropagationOptions {
  /** Whether the inputs of a slot are signs, whose squares are 1 for certain; the others are known numbers. Default: of all but the first. */
  readonly signs?: (slot: WeightSlot) => boolean;
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
 * through tanh, which would vanish where a weight is sure. Exported is sign(h). Layers are dense (or conv) and `expectedSign` in turn, without normalizations.
 */
export function expectationBackpropagation({ signs }: ExpectationBackpropagationOptions = {}): Strategy {
  return {
    name: "expectation-backpropagation",
    weight: (_slot, latent) => straightThrough(np.tanh(latent.ref), latent),
    linear(slot, product, x, w, { slots }) {
      const behind = signs?.(slot) ?? [...slots.keys()].indexOf(slot.name) > 0;
      const { mean, variance } = preactivationMoments(product, x, w, behind);
      return mean.div(np.sqrt(variance.add(LEAST)));
    },
    export: (view) => exportLatent(view, binary({ per: "tensor" })),
  };
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
