/** Every operator of `lowbit/ops`, a line each; the compiler asks for what `OpsAttributes` names and this list does not. */

export { addPositions } from "./add-positions.ts";
export { attention } from "./attention.ts";
export { channelNorm } from "./channel-norm.ts";
export { channelStatistics } from "./channel-statistics.ts";
export { dequantizeLinear } from "./dequantize-linear.ts";
export { dynamicQuantizeLinear } from "./dynamic-quantize-linear.ts";
export { embedding } from "./embedding.ts";
export { fold } from "./fold.ts";
export { gelu } from "./gelu.ts";
export { layerNorm } from "./layer-norm.ts";
export { localResponse } from "./local-response.ts";
export { maskedMean } from "./masked-mean.ts";
export { matmulInteger } from "./matmul-integer.ts";
export { planeNorm } from "./plane-norm.ts";
export { poolNd } from "./pool-nd.ts";
export { quantizeLinear } from "./quantize-linear.ts";
export { requantize } from "./requantize.ts";
export { resize } from "./resize.ts";
export { rmsNorm } from "./rms-norm.ts";
export { rotary } from "./rotary.ts";
export { silu } from "./silu.ts";
export { slice } from "./slice.ts";
export { unfold } from "./unfold.ts";
