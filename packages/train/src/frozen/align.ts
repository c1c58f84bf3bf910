import type { HostTensor } from "../values.ts";
import type { FrozenLayer } from "./layers.ts";

type FrozenBatchNorm = Extract<FrozenLayer, { kind: "batchNorm" }>;

/**
 * Moves the offset of each normalization that ends an integer layer onto the integers, which changes nothing (a sign) or
 * next to nothing (a grid), and makes the network exact for any integer runtime.
 *
 * Behind quantized weights and activations a layer's sums are whole multiples k of a step g per channel. Then
 *
 * - **normalization + sign**: sign((k g - mean) f + bias), f = scale / sqrt(variance + e) > 0, is +1 exactly where
 *   k >= t = ceil((mean - bias / f) / g). The offset is put half-way between the integers: mean' = (t - 1/2) g, bias' = 0.
 *   The same images get the same signs, and no sum meets the threshold itself. That matters because sign(0) is +1 here
 *   and in BinaryNet but 0 in ONNX, and because half a step of margin outlives any order of rounding in a float runtime.
 *   (Where f < 0, +1 is k <= t = floor(...), mean' = (t + 1/2) g.)
 * - **normalization + ReLU + grid**: round((k + B) m) with B = (bias / f - mean) / g and m the ratio of the steps. An integer
 *   kernel adds an int32 bias, so B is rounded to one: mean' = -B g, bias' = 0. It moves an activation by at most half
 *   of m, the smallest change that an input code can make.
 */
export function alignToIntegers(layers: readonly FrozenLayer[]): FrozenLayer[] {
  let grid: Grid;
  return layers.map((layer, index) => {
    const steps = grid;
    grid = gridAfter(layer, grid);
    if (layer.kind !== "batchNorm" || !(steps instanceof Float64Array)) return layer;
    const [next, afterNext] = layers.slice(index + 1);
    if (next?.kind === "sign") return withThresholds(layer, steps);
    if (next?.kind === "relu" && afterNext?.kind === "quantize") return withBiases(layer, steps);
    return layer;
  });
}

/** The step that all values are multiples of: one for the tensor, one per channel, or none. */
type Grid = number | Float64Array | undefined;

function gridAfter(layer: FrozenLayer, grid: Grid): Grid {
  switch (layer.kind) {
    case "quantize":
      return layer.scale;
    case "sign":
      return 1;
    case "conv":
    case "dense":
      return layer.bias === undefined ? productGrid(grid, layer.weight) : undefined;
    case "batchNorm":
    case "normalize":
      return undefined;
    case "relu":
    case "maxPool":
    case "flatten":
      return grid;
  }
}

/** Steps of a product's sums: the input's step by the one magnitude that a channel's weights have, or none. */
function productGrid(grid: Grid, weight: HostTensor): Float64Array | undefined {
  if (typeof grid !== "number") return undefined;
  const channels = weight.shape[0] as number;
  const size = weight.data.length / channels;
  const steps = new Float64Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    let magnitude = 0;
    for (const value of weight.data.subarray(channel * size, (channel + 1) * size)) {
      const own = Math.abs(value);
      if (own === 0) continue;
      if (magnitude !== 0 && own !== magnitude) return undefined;
      magnitude = own;
    }
    // A channel without weights sums to 0 = 0 * step, whatever the step.
    steps[channel] = grid * (magnitude || 1);
  }
  return steps;
}

function withThresholds(layer: FrozenBatchNorm, steps: Float64Array): FrozenBatchNorm {
  return withMeans(layer, (channel, mean, factor, bias) => {
    const step = steps[channel] as number;
    const threshold = (mean - bias / factor) / step;
    return factor > 0 ? (Math.ceil(threshold) - 0.5) * step : (Math.floor(threshold) + 0.5) * step;
  });
}

function withBiases(layer: FrozenBatchNorm, steps: Float64Array): FrozenBatchNorm {
  return withMeans(layer, (channel, mean, factor, bias) => {
    const step = steps[channel] as number;
    return -Math.round((bias / factor - mean) / step) * step;
  });
}

/** The normalization with bias 0 and new means; a channel of scale 0, which is constant, stays as it is. */
function withMeans(
  layer: FrozenBatchNorm,
  meanOf: (channel: number, mean: number, factor: number, bias: number) => number,
): FrozenBatchNorm {
  const mean = layer.mean.data.slice();
  const bias = layer.bias.data.slice();
  for (let channel = 0; channel < mean.length; channel++) {
    const factor =
      (layer.scale.data[channel] as number) / Math.sqrt((layer.variance.data[channel] as number) + layer.epsilon);
    if (factor === 0) continue;
    mean[channel] = meanOf(channel, mean[channel] as number, factor, bias[channel] as number);
    bias[channel] = 0;
  }
  return { ...layer, mean: { shape: layer.mean.shape, data: mean }, bias: { shape: layer.bias.shape, data: bias } };
}
