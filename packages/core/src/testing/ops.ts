/** The references of the operators of `lowbit/ops`, a line each. */
export { reference as addPositions } from "../ops/add-positions.ts";
export { reference as attention } from "../ops/attention.ts";
export { reference as embedding } from "../ops/embedding.ts";
export { reference as expand } from "../ops/expand.ts";
export { reference as fill } from "../ops/fill.ts";
export { reference as gelu } from "../ops/gelu.ts";
export { reference as identity } from "../ops/identity.ts";
export { reference as layerNorm } from "../ops/layer-norm.ts";
export { reference as maskedMean } from "../ops/masked-mean.ts";
export { reference as padNd } from "../ops/pad-nd.ts";
export { reference as rmsNorm } from "../ops/rms-norm.ts";
export { reference as rotary } from "../ops/rotary.ts";
export { reference as shape } from "../ops/shape.ts";
export { reference as silu } from "../ops/silu.ts";
export { reference as slice } from "../ops/slice.ts";
export { reference as split } from "../ops/split.ts";
export { reference as tile } from "../ops/tile.ts";
