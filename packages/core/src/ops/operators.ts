/** Every operator of `lowbit/ops`, a line each; the compiler asks for what `OpsAttributes` names and this list does not. */
export { addPositions } from "./add-positions.ts";
export { attention } from "./attention.ts";
export { embedding } from "./embedding.ts";
export { expand } from "./expand.ts";
export { fill } from "./fill.ts";
export { gelu } from "./gelu.ts";
export { identity } from "./identity.ts";
export { layerNorm } from "./layer-norm.ts";
export { maskedMean } from "./masked-mean.ts";
export { padNd } from "./pad-nd.ts";
export { rmsNorm } from "./rms-norm.ts";
export { rotary } from "./rotary.ts";
export { shape } from "./shape.ts";
export { silu } from "./silu.ts";
export { slice } from "./slice.ts";
export { split } from "./split.ts";
export { tile } from "./tile.ts";
