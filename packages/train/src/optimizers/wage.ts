import { np, random } from "../autograd.ts";
import { adam } from "./adam.ts";
import { atRate, type Optimizer } from "./optimizer.ts";

export interface WageUpdatesOptions {
  /** k_G: the latent weights are multiples of 2^(1 - k_G) within ±(1 - 2^(1 - k_G)). 2..16, default 8. */
  readonly bits?: number;
  /** Which parameters are weights; the others take Adam, at a thousandth of the rate. Default: names that end in `.weight`. */
  readonly weights?: (parameter: string) => boolean;
  /** Of what is drawn. Default 0. */
  readonly seed?: number;
}

/** η is of the order of 1, where Adam's rate is of the order of 0.001. */
const RATE_OF_OTHERS = 0.001;

/** In the place of a largest gradient of 0. */
const LEAST = 2 ** -100;

/**
 * WAGE's gradients and updates (Wu et al. 2018, section 3.3.4): no moment and no float master copy,
 *
 *   g_s = η g / shift(max |g|),   shift(x) = 2^round(log2 x),   Δw = σ sgn(g_s) (⌊|g_s|⌋ + Bernoulli(|g_s| - ⌊|g_s|⌋)),   w ← clip(w - Δw, ±(1 - σ)),   σ = 2^(1 - k_G).
 *
 * η is the learning rate, of the order of 1. Δw is unbiased: its mean is σ g_s. The paper rounds errors too, between layers (Q_E); here they stay float, for a backward pass is linear in what comes back, and rounding is not.
 */
export function wageUpdates(options: WageUpdatesOptions = {}): Optimizer {
  const { bits = 8, weights = (name) => name.endsWith(".weight"), seed = 0 } = options;
  if (!Number.isInteger(bits) || bits < 2 || bits > 16)
    throw new RangeError(`wageUpdates: bits must be a whole number 2..16, got ${bits}`);
  const others = adam();
  const step = 2 ** (1 - bits);
  return {
    name: `wage:${bits}:${seed}`,
    moments: others.moments,
    step(weight, gradient, moments, clock, parameter) {
      if (!weights(parameter)) {
        const slower = atRate(clock, RATE_OF_OTHERS);
        const moved = others.step(weight, gradient, moments, slower, parameter);
        slower.dispose();
        return moved;
      }
      const most = np.maximum(np.absolute(gradient.ref).max(), LEAST);
      const shift = np.exp2(np.round(np.log2(most)));
      const scaled = gradient.mul(clock.ref.slice(0)).div(shift);
      // ⌊|g_s| + u⌋ with u uniform in [0, 1) is ⌊|g_s|⌋ and, with the probability of the rest, one more.
      const magnitude = np.floor(
        np.absolute(scaled.ref).add(random.uniform(keyOf(seed, parameter, clock), [...scaled.shape])),
      );
      const change = np.sign(scaled).mul(magnitude).mul(step);
      const onGrid = np.round(weight.div(step)).mul(step);
      return { weight: np.clip(onGrid.sub(change), step - 1, 1 - step), moments: { ...moments } };
    },
  };
}

/** Another key for each seed, parameter and step. */
function keyOf(seed: number, parameter: string, clock: np.Array): ReturnType<typeof random.key> {
  let hash = seed >>> 0;
  for (let i = 0; i < parameter.length; i++) hash = Math.imul(hash ^ parameter.charCodeAt(i), 0x01000193) >>> 0;
  const own = np.array(Uint32Array.of(hash), { shape: [], dtype: np.uint32 });
  return random.key(
    clock.ref
      .slice(3)
      .astype(np.uint32)
      .mul(np.array(Uint32Array.of(0x9e3779b1), { shape: [], dtype: np.uint32 }))
      .add(own),
  );
}
