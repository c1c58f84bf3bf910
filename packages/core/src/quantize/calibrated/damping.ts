/** λ of H + λI, which keeps a Hessian of few inputs from trusting what they do not show. */
import { OutOfRangeError } from "../../errors.ts";

/** Share of the Hessian's mean diagonal that is added to it, as in GPTQ's paper. */
export const DAMPING = 0.01;

/** @throws OutOfRangeError where the share is not above 0 and at most 1: H alone need not be positive definite. */
export function checkDamping(scheme: string, share: number): void {
  if (!(share > 0 && share <= 1))
    throw new OutOfRangeError(`quantizer ${scheme}`, "damping", "above 0, at most 1", share);
}

/** λ, a share of the mean of H's diagonal; 1 where no input is anything but 0. */
export function damping(diagonal: Float64Array, share: number): number {
  const lambda = (share * diagonal.reduce((sum, h) => sum + h, 0)) / diagonal.length;
  return lambda > 0 ? lambda : 1;
}
