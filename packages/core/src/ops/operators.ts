/** Every operator of `lowbit/ops`, a line each; the compiler asks for what `OpsAttributes` names and this list does not. */

export { channelNorm } from "./channel-norm.ts";
export { channelStatistics } from "./channel-statistics.ts";
export { dequantizeLinear } from "./dequantize-linear.ts";
export { dynamicQuantizeLinear } from "./dynamic-quantize-linear.ts";
export { fold } from "./fold.ts";
export { localResponse } from "./local-response.ts";
export { matmulInteger } from "./matmul-integer.ts";
export { planeNorm } from "./plane-norm.ts";
export { poolNd } from "./pool-nd.ts";
export { quantizeLinear } from "./quantize-linear.ts";
export { requantize } from "./requantize.ts";
export { resize } from "./resize.ts";
export { slice } from "./slice.ts";
export { unfold } from "./unfold.ts";
