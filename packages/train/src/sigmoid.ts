import { nn, np } from "./autograd.ts";

/** 1 / (1 + exp(-z)), with a gradient of 0 where exp(-z) leaves the floats: below -80, where it is at most 1.8e-35 itself. The engine's own is NaN there, which sums of ±1 reach. Takes z. */
export const sigmoid = (z: np.Array): np.Array => nn.sigmoid(np.maximum(z, -80));
