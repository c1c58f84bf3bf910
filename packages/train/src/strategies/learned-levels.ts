import { defineQuantizer, dorefa, type Quantizer, ttq, uniform } from "lowbit/quantize";
import { dorefaWeights, lsqWeights, ttqWeights } from "../estimators/learned-weights.ts";
import { ABOVE_ZERO } from "../optimizers/optimizer.ts";
import { filled, type HostTensor } from "../values.ts";
import { exportEach, exportLatent, quantizeSlot } from "./quantized.ts";
import type { LayerChoice, Strategy } from "./strategy.ts";

interface Layers {
  readonly layers?: LayerChoice;
}

const meanMagnitude = ({ data }: HostTensor): number => data.reduce((sum, w) => sum + Math.abs(w), 0) / data.length;

/**
 * DoReFa-Net's weights of k bits (Zhou et al. 2016): 2 quantize_k(tanh(w) / (2 max|tanh w|) + 1/2) - 1, straight through the rounding alone; of 1 bit sign(w) E|w|. Their levels lie in -1..1, so a normalization
 * follows each layer.
 *
 * @param bits 1..8
 */
export function dorefaTraining({
  bits,
  layers = () => true,
}: Layers & { readonly bits: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 }): Strategy {
  const quantizer = dorefa({ bits: bits as 2, ...(bits === (1 as number) ? {} : { scale: "paper" }) });
  return {
    name: `dorefa:${bits}`,
    weight: (slot, latent) => (layers(slot) ? dorefaWeights(latent, bits) : latent),
    export: (view) => exportLatent(view, (slot) => (layers(slot) ? quantizer : undefined)),
  };
}

/**
 * Trained ternary quantization (Zhu et al. 2017): +W_p where w > Δ, -W_n where w < -Δ, else 0, Δ = 0.05 max|w|. The levels are learned, parameters `name.positive` and `name.negative` that start at the mean magnitude:
 * ∂L/∂W_p = Σ_{w > Δ} ∂L/∂q, ∂L/∂W_n = -Σ_{w < -Δ} ∂L/∂q, and ∂L/∂w = ∂L/∂q times W_p, 1, W_n.
 */
export function ttqTraining({ layers = () => true }: Layers = {}): Strategy {
  const levelsOf = (name: string) => [`${name}.positive`, `${name}.negative`] as const;
  return {
    name: "ttq",
    initialize: (slots, parameters) =>
      Object.fromEntries(
        slots
          .filter(layers)
          .flatMap(({ name }) => levelsOf(name).map((level) => [level, filled([1], meanMagnitude(parameters[name]!))])),
      ),
    weight(slot, latent, _given, { parameters }) {
      if (!layers(slot)) return latent;
      const [positive, negative] = levelsOf(slot.name);
      return ttqWeights(latent, parameters[positive]!.ref, parameters[negative]!.ref);
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) => {
        const [positive, negative] = levelsOf(slot.name).map((level) => view.parameter(level).data[0]!);
        const learned = withTable(ttq(), Float32Array.of(-negative!, 0, positive!));
        return quantizeSlot(slot, view.latent(slot), learned);
      }),
  };
}

/** A quantizer with its own codes and another table. */
const withTable = (
  quantizer: Quantizer<"table", false, "weights">,
  codebook: Float32Array,
): Quantizer<"table", false, "weights"> => ({
  ...quantizer,
  encode(weights, context) {
    const { codes } = quantizer.encode(weights, context);
    return { codes, decoding: { kind: "table", codebook } };
  },
});

/**
 * Learned step size quantization (Esser et al. 2020): round(clip(w/s, -2^(b-1), 2^(b-1) - 1)) s, s a parameter `name.step` > 0 that starts at 2 E|w| / √Q_P, Q_P = 2^(b-1) - 1, with its gradient times 1 / √(N Q_P), N weights.
 *
 * @param bits 2..8
 */
export function lsqTraining({
  bits,
  layers = () => true,
}: Layers & { readonly bits: 2 | 3 | 4 | 5 | 6 | 7 | 8 }): Strategy {
  const most = 2 ** (bits - 1) - 1;
  const stepOf = (name: string): string => `${name}.step`;
  const { paper } = uniform({ bits });
  return {
    name: `lsq:${bits}`,
    initialize: (slots, parameters) =>
      Object.fromEntries(
        slots
          .filter(layers)
          .map(({ name }) => [stepOf(name), filled([1], (2 * meanMagnitude(parameters[name]!)) / Math.sqrt(most))]),
      ),
    limits: (slots) => Object.fromEntries(slots.filter(layers).map(({ name }) => [stepOf(name), ABOVE_ZERO])),
    weight: (slot, latent, _given, { parameters }) =>
      layers(slot) ? lsqWeights(latent, parameters[stepOf(slot.name)]!.ref, bits) : latent,
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) => {
        const scale = view.parameter(stepOf(slot.name)).data.slice(0, 1);
        const quantizer = defineQuantizer({
          scheme: `lsq:${bits}`,
          decoding: "affine",
          bits,
          codebook: "adaptive",
          per: "tensor",
          laws: [],
          paper,
          encode(w) {
            const zeroPoint = most + 1;
            const codes = w.gridCodes({ scale, zeroPoint, minCode: 0, maxCode: 2 ** bits - 1 });
            return { codes, decoding: { kind: "affine", zeroPoint }, scale };
          },
        });
        return quantizeSlot(slot, view.latent(slot), quantizer);
      }),
  };
}
