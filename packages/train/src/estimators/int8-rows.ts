import { autograd, np } from "../autograd.ts";
import { straightThrough } from "./ste.ts";

/** The largest code: -128 is not used. */
const MOST = 127;

/**
 * Each row of the last axis as int8 codes of its own scale, straight through (BitNet b1.58's activations, Ma et al. 2024; vector-wise absmax, Dettmers et al. 2022, eq. 1):
 *
 *   s = max |x| / 127,   x̂ = round(x / s) s, ties to even;
 *
 * a row of zeros stays. x [..., K] of any floats -> the same shape. The packed `dense` with `activations: "int8"` multiplies the codes as integers. Takes x.
 */
export function int8Rows(x: np.Array): np.Array {
  const most = autograd.stop(np.absolute(x.ref).max(-1, { keepdims: true }));
  const isZero = most.ref.equal(0);
  const safe = np.where(isZero, 1, most);
  const codes = np.round(x.ref.mul(np.array(MOST).div(safe.ref)));
  return straightThrough(codes.mul(safe.div(MOST)), x);
}

/** How a layer's products see the rows of x: `int8` as `int8Rows` has them. */
export type RowActivations = "int8";

/** Rows as a layer's products see them; as they are by default. Takes x. */
export const rowsAs = (activations: RowActivations | undefined, x: np.Array): np.Array =>
  activations === "int8" ? int8Rows(x) : x;
