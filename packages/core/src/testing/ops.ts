/** The references of the operators of `lowbit/ops`, a line each. */
export { reference as addPositions } from "../ops/add-positions.ts";
export { reference as attention } from "../ops/attention.ts";
export { reference as embedding } from "../ops/embedding.ts";
export { reference as gelu } from "../ops/gelu.ts";
export { reference as layerNorm } from "../ops/layer-norm.ts";
export { reference as maskedMean } from "../ops/masked-mean.ts";
export { reference as rmsNorm } from "../ops/rms-norm.ts";
export { reference as rotary } from "../ops/rotary.ts";
export { reference as silu } from "../ops/silu.ts";
export { reference as slice } from "../ops/slice.ts";
