/** The references of the operators of `lowbit/ops`, a line each. */

export { reference as addPositions } from "../ops/add-positions.ts";
export { reference as attention } from "../ops/attention.ts";
export { reference as channelNorm } from "../ops/channel-norm.ts";
export { reference as channelStatistics } from "../ops/channel-statistics.ts";
export { reference as dequantizeLinear } from "../ops/dequantize-linear.ts";
export { reference as dynamicQuantizeLinear } from "../ops/dynamic-quantize-linear.ts";
export { reference as embedding } from "../ops/embedding.ts";
export { reference as fold } from "../ops/fold.ts";
export { reference as gelu } from "../ops/gelu.ts";
export { reference as layerNorm } from "../ops/layer-norm.ts";
export { reference as localResponse } from "../ops/local-response.ts";
export { reference as maskedMean } from "../ops/masked-mean.ts";
export { reference as matmulInteger } from "../ops/matmul-integer.ts";
export { reference as planeNorm } from "../ops/plane-norm.ts";
export { reference as poolNd } from "../ops/pool-nd.ts";
export { reference as quantizeLinear } from "../ops/quantize-linear.ts";
export { reference as requantize } from "../ops/requantize.ts";
export { reference as resize } from "../ops/resize.ts";
export { reference as rmsNorm } from "../ops/rms-norm.ts";
export { reference as rotary } from "../ops/rotary.ts";
export { reference as silu } from "../ops/silu.ts";
export { reference as slice } from "../ops/slice.ts";
export { reference as unfold } from "../ops/unfold.ts";
