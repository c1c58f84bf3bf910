import { np } from "../autograd.ts";
import type { HostTensor } from "../values.ts";
import { signSte, straightThrough } from "./ste.ts";

/**
 * How a layer's latent float weights become the weights that it computes with. The last axis of a weight is the output
 * channel; scales are per output channel.
 */
export interface WeightRule {
  /** The weights of the forward pass, differentiable by a straight-through estimator. Takes w. */
  apply(w: np.Array): np.Array;
  /** The same rule on exported weights: the values that the trained network has for good. */
  freeze(w: HostTensor): HostTensor;
  /** Latent weights are clipped to [-limit, limit] after each step; beyond it the estimator's gradient is 0. */
  readonly limit?: number;
}

/** Weights as they are. */
export const floatWeights: WeightRule = { apply: (w) => w, freeze: (w) => w };

/** {-1, +1}: BinaryConnect / BinaryNet, w_b = sign(w) with sign(0) = +1, latent weights clipped to [-1, 1]. */
export const binaryWeights: WeightRule = {
  apply: signSte,
  freeze: (w) => ({ shape: w.shape, data: w.data.map((value) => (value >= 0 ? 1 : -1)) }),
  limit: 1,
};

/** Share of the mean magnitude under which a ternary weight is 0 (Li, Zhang, Liu 2016, eq. 6). */
const TERNARY_THRESHOLD = 0.7;

/**
 * {-a, 0, +a} per output channel: Ternary Weight Networks. threshold = 0.7 mean|w|, a = mean of |w| over |w| > threshold;
 * the estimator is the identity.
 */
export const ternaryWeights: WeightRule = {
  apply(w) {
    const axes = Array.from({ length: w.ndim - 1 }, (_, axis) => axis);
    const magnitude = np.absolute(w.ref);
    const threshold = magnitude.ref.mean(axes, { keepdims: true }).mul(TERNARY_THRESHOLD);
    const kept = magnitude.ref.greater(threshold).astype(np.float32);
    const scale = magnitude
      .mul(kept.ref)
      .sum(axes, { keepdims: true })
      .div(np.maximum(kept.ref.sum(axes, { keepdims: true }), 1));
    return straightThrough(np.where(w.ref.greaterEqual(0), 1, -1).mul(kept).mul(scale), w);
  },
  freeze(w) {
    const channels = w.shape.at(-1) ?? 1;
    const data = new Float32Array(w.data.length);
    for (let channel = 0; channel < channels; channel++) {
      let total = 0;
      for (let i = channel; i < data.length; i += channels) total += Math.abs(w.data[i] as number);
      const threshold = Math.fround((TERNARY_THRESHOLD * total * channels) / data.length);
      let kept = 0;
      let count = 0;
      for (let i = channel; i < data.length; i += channels) {
        const magnitude = Math.abs(w.data[i] as number);
        if (magnitude > threshold) {
          kept += magnitude;
          count++;
        }
      }
      const scale = Math.fround(kept / Math.max(count, 1));
      for (let i = channel; i < data.length; i += channels) {
        const value = w.data[i] as number;
        if (Math.abs(value) > threshold) data[i] = value >= 0 ? scale : -scale;
      }
    }
    return { shape: w.shape, data };
  },
};
