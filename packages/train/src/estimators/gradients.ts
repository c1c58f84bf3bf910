import { autograd, np } from "../autograd.ts";
import { straightThrough } from "./ste.ts";

/** How a gradient passes a quantizer: the result has the value of `hard`, of latent's shape, and a gradient by `latent` alone. Takes both. */
export interface GradientEstimator {
  (hard: np.Array, latent: np.Array): np.Array;
  /** What it is called where runs are told apart. Default `own`. */
  readonly scheme?: string;
  /** Beyond ±limit its gradient is 0: latent weights are kept within, or they would never come back. Absent: nowhere. */
  readonly limit?: number;
}

const named = (
  scheme: string,
  estimate: (hard: np.Array, latent: np.Array) => np.Array,
  limit?: number,
): GradientEstimator => Object.assign(estimate, { scheme, ...(limit === undefined ? {} : { limit }) });

/** ∂q/∂w = 1: as if nothing had been quantized (Bengio et al. 2013). */
export const identity: GradientEstimator = named("identity", (hard, latent) => straightThrough(hard, latent));

/** ∂q/∂w = 1 on [-1, 1], 0 outside (BinaryNet, Courbariaux et al. 2016, eq. 4), where latent weights are clipped to [-1, 1] after each step (its algorithm 1). */
export const clipped: GradientEstimator = named(
  "clipped",
  (hard, latent) => straightThrough(hard, np.clip(latent, -1, 1)),
  1,
);

/**
 * 2 - 2|x| on (-1, 1), 0 outside: the derivative of Bi-Real Net's piecewise polynomial (Liu et al. 2018, eq. 7), which is
 * -1, 2x + x², 2x - x², 1 on x < -1, [-1, 0), [0, 1), x >= 1.
 */
export const polynomial: GradientEstimator = named(
  "polynomial",
  (hard, latent) => {
    const x = np.clip(latent, -1, 1);
    // 2x - x|x|, both halves in one.
    return straightThrough(hard, x.ref.mul(2).sub(x.ref.mul(np.absolute(x))));
  },
  1,
);

/**
 * XNOR-Net's gradient of α sign(w) (Rastegari et al. 2016, eq. 11): dL/dw = dL/dŵ (1/n + α 1{|w| <= 1}), α and n those of the output channel. The last axis is the channel.
 */
export const xnorGradient: GradientEstimator = named("xnor", (hard, latent) => {
  const axes = Array.from({ length: latent.ndim - 1 }, (_, axis) => axis);
  const n = latent.size / latent.shape.at(-1)!;
  const alpha = autograd.stop(np.absolute(latent.ref).mean(axes, { keepdims: true }));
  return straightThrough(hard, latent.ref.div(n).add(alpha.mul(np.clip(latent, -1, 1))));
});
