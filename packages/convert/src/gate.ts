import type { Agreement, Gate, LayerReport, Refusal } from "./api.ts";

/** Floors where the caller gives none. docs/decisions/2026-11-23-gate.md says how they were found. */
export const DEFAULT_GATE = { minAgreement: 0.98, minCosine: 0.95, minSqnr: 6 } as const satisfies Gate;

/**
 * Refuses a quantized model by what was measured: how often it agrees with float, how far its logits are off, how noisy
 * its layers' outputs are. Nothing here knows a scheme; a scheme that does well passes, whatever its name.
 *
 * @returns undefined where every floor is reached; otherwise the first one missed, in this order: agreement, cosine,
 *   SQNR
 */
export function judge(
  layers: readonly Pick<LayerReport, "name" | "sqnr" | "measured">[],
  agreement: Agreement | undefined,
  gate: Gate,
): Refusal | undefined {
  const worst = worstLayer(layers);
  if (worst === undefined) return undefined;
  const refuse = (figure: Refusal["figure"], value: number, floor: number, sentence: string): Refusal => ({
    figure,
    value,
    floor,
    layer: worst.name,
    layerSqnr: worst.sqnr,
    message: `${sentence}; the noisiest layer is "${worst.name}" with ${decibels(worst.sqnr)} of signal to noise. Give it more bits (--layer '${worst.name}=int8'), or train with the low-bit weights`,
  });
  if (agreement) {
    const { minAgreement, minCosine } = gate;
    if (minAgreement !== undefined && !(agreement.top1 >= minAgreement)) {
      const got = `agrees with float on ${percent(agreement.top1)} of ${agreement.samples} samples`;
      return refuse("agreement", agreement.top1, minAgreement, `${got}, the floor is ${percent(minAgreement)}`);
    }
    if (minCosine !== undefined && !(agreement.cosine >= minCosine)) {
      const got = `cosine of its outputs with float is ${agreement.cosine.toFixed(4)}`;
      return refuse("cosine", agreement.cosine, minCosine, `${got}, the floor is ${minCosine}`);
    }
  }
  if (gate.minSqnr !== undefined && !(worst.sqnr >= gate.minSqnr)) {
    return refuse(
      "sqnr",
      worst.sqnr,
      gate.minSqnr,
      `layer "${worst.name}" has ${decibels(worst.sqnr)} in its ${worst.measured}, the floor is ${decibels(gate.minSqnr)}`,
    );
  }
  return undefined;
}

/** The layer with the lowest SQNR; a NaN counts as the lowest. */
function worstLayer<L extends { readonly sqnr: number }>(layers: readonly L[]): L | undefined {
  return layers.reduce<L | undefined>(
    (worst, layer) => (worst === undefined || !(layer.sqnr >= worst.sqnr) ? layer : worst),
    undefined,
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const decibels = (value: number): string => `${value.toFixed(1)} dB`;
