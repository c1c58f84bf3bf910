/** Where the weights of a layer lie, before and after: what the report draws as a histogram with the levels below it. */

import { layersOf } from "@lowbit/convert";
import type { Constant, Graph } from "lowbit";
import { dequantize } from "lowbit/quantize";
import type { WeightSpread } from "../report/figures.ts";

/** Layers that the report has room for: the largest. */
const LAYERS = 6;
/** Bins across the float weights' range. */
const BINS = 480;

async function floatsOf(constant: Constant | undefined): Promise<Float32Array | undefined> {
  if (constant === undefined) return undefined;
  if (constant.kind === "quantized") return dequantize(constant);
  return constant.dtype === "f32" ? (constant.data as Float32Array) : undefined;
}

/** Counts in equal bins from `low` to `high`; what lies outside counts to the nearest. */
function binned(values: Float32Array, low: number, high: number): number[] {
  const bins = new Array<number>(BINS).fill(0);
  const scale = high > low ? BINS / (high - low) : 0;
  for (const value of values) bins[Math.min(BINS - 1, Math.max(0, Math.floor((value - low) * scale)))]!++;
  return bins;
}

/** The largest layers of `quantized`, each binned over the range of the same layer's weights in `float`. */
export async function spreadsOf(float: Graph, quantized: Graph): Promise<WeightSpread[]> {
  const after = new Map(layersOf(quantized).map((layer) => [layer.name, layer.inputs[1]!]));
  const size = (name: string) => float.constants.get(name)!.shape.reduce((a, b) => a * b, 1);
  const layers = layersOf(float).sort((a, b) => size(b.inputs[1]!) - size(a.inputs[1]!));
  const spreads: WeightSpread[] = [];
  for (const { name, inputs } of layers.slice(0, LAYERS)) {
    const before = await floatsOf(float.constants.get(inputs[1]!));
    const values = await floatsOf(quantized.constants.get(after.get(name) ?? ""));
    if (before === undefined || values === undefined) continue;
    let [low, high] = [0, 0];
    for (const w of before) {
      if (w < low) low = w;
      if (w > high) high = w;
    }
    spreads.push({ layer: name, low, high, bins: binned(values, low, high) });
  }
  return spreads;
}
