import type { Constant } from "lowbit";
import { defineQuantizer, type Quantized, type Quantizer, quantize } from "lowbit/quantize";
import type { GradientEstimator } from "../estimators/gradients.ts";
import type { Limit } from "../optimizers/optimizer.ts";
import type { HostTensor } from "../values.ts";
import type { LayerChoice, View, WeightSlot } from "./strategy.ts";

/** Any quantizer of the core for weights: of weights alone, drawn, or by curvature. */
export type WeightQuantizer = Quantizer;

/** One of weights alone: neither drawn nor by curvature. */
export type PlainQuantizer =
  | Quantizer<"affine", false, "weights">
  | Quantizer<"table", false, "weights">
  | Quantizer<"sign", false, "weights">
  | Quantizer<"bases", false, "weights">;

/** Which quantizer a slot has: one for all, or each its own; `undefined` leaves it float. */
export type QuantizerChoice = WeightQuantizer | ((slot: WeightSlot) => WeightQuantizer | undefined);

/** The quantizer of a slot. */
export const quantizerOf = (choice: QuantizerChoice, slot: WeightSlot): WeightQuantizer | undefined =>
  typeof choice === "function" ? choice(slot) : choice;

/**
 * ±1 without a scale: BinaryConnect's deterministic binarization, w_b = sign(w), sign(0) = +1 (Courbariaux et al. 2015, eq. 1), where `binary()` has ±α. Latent weights are kept within -1..1 in training.
 * What a scale would have done is left to a normalization behind the layer.
 */
export const unitSigns = (): Quantizer<"sign", false, "weights"> =>
  defineQuantizer({
    scheme: "sign",
    decoding: "sign",
    bits: 1,
    codebook: "fixed",
    per: "tensor",
    range: [-1, 1],
    laws: ["idempotent", "signSymmetric", "nearest"],
    paper: {
      title: "BinaryConnect: training deep neural networks with binary weights during propagations",
      authors: "Courbariaux, Bengio, David",
      year: 2015,
      url: "https://arxiv.org/abs/1511.00363",
    },
    encode: (w) => ({ codes: w.signCodes(), decoding: { kind: "sign" }, scale: Float32Array.of(1) }),
  });

/** The same choice among some slots alone; the others stay float. */
export const among = (choice: QuantizerChoice, layers: LayerChoice | undefined): QuantizerChoice =>
  layers === undefined ? choice : (slot) => (layers(slot) ? quantizerOf(choice, slot) : undefined);

/** A choice in words, part of what tells one run from another: one quantizer's scheme, or `mixed`. */
export const schemeOf = (choice: QuantizerChoice): string => (typeof choice === "function" ? "mixed" : choice.scheme);

/** How far latent weights may go under a quantizer and a gradient: to where either has nothing more to say. */
export function limitsOf(
  choice: QuantizerChoice,
  slots: readonly WeightSlot[],
  estimator: GradientEstimator,
): Record<string, Limit> {
  const limits: Record<string, Limit> = {};
  for (const slot of slots) {
    const quantizer = quantizerOf(choice, slot);
    const limit = quantizer && (estimator.limit ?? quantizer.range);
    if (limit !== undefined) limits[slot.name] = limit;
  }
  return limits;
}

/** What a quantizer may ask for besides the weights. */
export interface QuantizerInputs {
  readonly seed?: number;
  /** Diagonal Hessian, in the core's layout. */
  readonly curvature?: Float32Array;
}

/** A weight quantized by the core, with the seed and the curvature where its quantizer takes them. */
export function quantizeSlot(
  slot: WeightSlot,
  weight: HostTensor,
  quantizer: WeightQuantizer,
  { seed = 0, curvature }: QuantizerInputs = {},
): Promise<Quantized> {
  const options = {
    name: slot.name,
    ...(quantizer.seeded ? { seed } : {}),
    ...(quantizer.needs === "curvature" && curvature !== undefined ? { curvature } : {}),
  };
  return quantize(weight, quantizer, options as Parameters<typeof quantize>[2]);
}

/** Slots of a strategy. */
export const chosenSlots = (view: View, layers: LayerChoice = () => true): WeightSlot[] => view.slots.filter(layers);

/** What a step computes with in the place of latent weights: slots, each quantized as it asks; those for which nothing comes are left out. */
export async function floatEach(
  slots: readonly WeightSlot[],
  quantized: (slot: WeightSlot, index: number) => Promise<Quantized> | undefined,
): Promise<Record<string, HostTensor>> {
  const tensors: Record<string, HostTensor> = {};
  for (const [index, slot] of slots.entries()) {
    const found = await quantized(slot, index);
    if (found !== undefined) tensors[slot.name] = { shape: slot.shape, data: found.dequantize() };
  }
  return tensors;
}

/** The constants of slots, each quantized as it asks. */
export async function exportEach(
  slots: Iterable<WeightSlot>,
  quantized: (slot: WeightSlot) => Promise<Quantized>,
): Promise<Record<string, Constant>> {
  const constants: Record<string, Constant> = {};
  for (const slot of slots) constants[slot.name] = (await quantized(slot)).toConstant();
  return constants;
}

/** The constants of all slots that have a quantizer, from their latent weights. */
export function exportLatent(
  view: View,
  choice: QuantizerChoice,
  inputsOf: (slot: WeightSlot) => QuantizerInputs = () => ({}),
): Promise<Record<string, Constant>> {
  const chosen = new Map<WeightSlot, WeightQuantizer>();
  for (const slot of view.slots) {
    const quantizer = quantizerOf(choice, slot);
    if (quantizer !== undefined) chosen.set(slot, quantizer);
  }
  return exportEach(chosen.keys(), (slot) => quantizeSlot(slot, view.latent(slot), chosen.get(slot)!, inputsOf(slot)));
}
