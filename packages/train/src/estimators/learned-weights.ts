import { autograd, np } from "../autograd.ts";
import { straightThrough } from "./ste.ts";

/** Weight quantizers whose gradient is not that of a constant: expressions, each equal to the core's (test/activations.test.ts). */

/**
 * DoReFa-Net's weights of k bits (Zhou et al. 2016): 2 quantize_k(tanh(w) / (2 max|tanh w|) + 1/2) - 1, straight through the rounding alone; of 1 bit sign(w) E|w|. Levels in -1..1, the core's `dorefa({ bits, scale: "paper" })`.
 * Takes w.
 */
export function dorefaWeights(w: np.Array, bits: number): np.Array {
  if (bits === 1) {
    const scale = autograd.stop(np.absolute(w.ref).mean());
    return straightThrough(np.where(w.ref.greaterEqual(0), 1, -1).mul(scale), w);
  }
  const levels = 2 ** bits - 1;
  const squashed = np.tanh(w);
  const most = autograd.stop(np.absolute(squashed.ref).max());
  const unit = squashed.div(most.mul(2)).add(0.5).mul(levels);
  return straightThrough(np.round(unit.ref), unit).div(levels).mul(2).sub(1);
}

/**
 * Trained ternary quantization (Zhu et al. 2017): +W_p where w > Δ, -W_n where w < -Δ, else 0, Δ = t max|w|; ∂L/∂W_p = Σ_{w > Δ} ∂L/∂q, ∂L/∂W_n = -Σ_{w < -Δ} ∂L/∂q, and ∂L/∂w = ∂L/∂q times W_p, 1, W_n. Takes all three.
 * @param t default 0.05
 */
export function ttqWeights(w: np.Array, positive: np.Array, negative: np.Array, t = 0.05): np.Array {
  const delta = autograd.stop(np.absolute(w.ref).max()).mul(t);
  const above = autograd.stop(w.ref.greater(delta.ref).astype(np.float32));
  const below = autograd.stop(w.ref.less(delta.mul(-1)).astype(np.float32));
  const levels = above.ref.mul(positive.ref).sub(below.ref.mul(negative.ref));
  // The gradient of w: W_p, 1 or W_n; its value adds nothing.
  const middle = above.ref.add(below.ref).mul(-1).add(1);
  const slope = autograd.stop(above.mul(positive).add(below.mul(negative)).add(middle));
  const through = w.mul(slope);
  return levels.add(through.ref.sub(autograd.stop(through)));
}

/**
 * Learned step size for weights (Esser et al. 2020): round(clip(w/s, -2^(b-1), 2^(b-1) - 1)) s, the gradient of s times 1 / √(N Q_P). Takes w and s.
 */
export function lsqWeights(w: np.Array, s: np.Array, bits: number): np.Array {
  const [low, high] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  const g = 1 / Math.sqrt(w.size * Math.max(1, high));
  const step = straightThrough(s.ref, s.mul(g));
  const scaled = np.clip(w.div(step.ref), low, high);
  return straightThrough(np.round(scaled.ref), scaled).mul(step);
}
