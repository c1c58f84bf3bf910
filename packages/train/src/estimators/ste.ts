import { autograd, np } from "../autograd.ts";

/**
 * The straight-through estimator (Bengio, Leonard, Courville 2013): the forward pass takes `hard`, the backward pass
 * acts as if it had been `soft`.
 *
 * Written as `stop(hard) + (soft - stop(soft))`: the bracket is exactly 0, so the forward value is `hard` to the bit.
 * The usual `soft + stop(hard - soft)` is not: 0.1f + (1 - 0.1f) may miss 1 by one unit in the last place, and then the
 * network that was trained is not the one whose codes are exported.
 */
export function straightThrough(hard: np.Array, soft: np.Array): np.Array {
  return autograd.stop(hard).add(soft.ref.sub(autograd.stop(soft)));
}

/**
 * Sign with sign(0) = +1, gradient 1 on [-1, 1] and 0 outside (BinaryNet: Courbariaux et al. 2016, eq. 4).
 * `where` instead of `np.sign`, which is 0 at 0. Same shape as x.
 */
export function signSte(x: np.Array): np.Array {
  const hard = np.where(x.ref.greaterEqual(0), 1, -1);
  return straightThrough(hard, np.clip(x, -1, 1));
}
