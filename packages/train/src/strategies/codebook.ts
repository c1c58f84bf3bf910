import type { Quantized, Quantizer } from "lowbit/quantize";
import { pick } from "../layers/pick.ts";
import { filled, type HostTensor } from "../values.ts";
import { exportEach, quantizeSlot } from "./quantized.ts";
import { prefixed, withoutPrefix } from "./saved.ts";
import type { LayerChoice, Strategy } from "./strategy.ts";

export interface CodebookOptions {
  /** One table for a tensor, no scales: `kmeans({ k })`, `hkmeans`, `lloydMax` ... */
  readonly quantizer: Quantizer<"table", boolean, "weights">;
  readonly layers?: LayerChoice;
}

/**
 * Fine-tuning of a codebook (Han, Mao, Dally 2016, section 3.3): the weights of a trained network are clustered once; from then on codes stay and the centroids are the parameters,
 *
 *   ŵ_i = c[code_i],   ∂L/∂c_k = Σ_{i: code_i = k} ∂L/∂ŵ_i.
 *
 * A weight that is 0 before (pruned) is a weight as others here; give it to a quantizer that keeps it.
 */
export function codebookTuning({ quantizer, layers = () => true }: CodebookOptions): Strategy {
  const entries = 2 ** quantizer.bits;
  const codebookOf = (name: string): string => `${name}.codebook`;
  let codes: Record<string, HostTensor> = {};
  return {
    name: `codebook:${quantizer.scheme}`,
    initialize: (slots) =>
      Object.fromEntries(slots.filter(layers).map(({ name }) => [codebookOf(name), filled([entries], 0)])),
    async prepare(view) {
      if (Object.keys(codes).length > 0) return;
      for (const slot of view.slots.filter(layers)) {
        const found: Quantized = await quantizeSlot(slot, view.latent(slot), quantizer, { seed: view.seed });
        codes[slot.name] = { shape: slot.shape, data: Float32Array.from(found.unpackCodes()) };
        const table = filled([entries], 0);
        table.data.set(found.codebook!);
        view.replaceParameter(codebookOf(slot.name), table);
      }
    },
    weightsFor: () => ({ constants: codes }),
    weight(slot, latent, _given, { parameters, constants }) {
      if (!layers(slot)) return latent;
      latent.dispose();
      return slot.columns(pick(parameters[codebookOf(slot.name)]!.ref, constants[slot.name]!.ref));
    },
    save: () => prefixed("codes/", codes),
    load(saved) {
      codes = withoutPrefix("codes/", saved);
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) => {
        const { data: table } = view.parameter(codebookOf(slot.name));
        const own = Uint8Array.from(codes[slot.name]!.data);
        return quantizeSlot(slot, view.latent(slot), fixedCodes(quantizer, own, table));
      }),
  };
}

/** These codes with this table, packed by the core. */
const fixedCodes = (
  quantizer: Quantizer<"table", boolean, "weights">,
  codes: Uint8Array,
  codebook: Float32Array,
): Quantizer<"table", boolean, "weights"> => ({
  ...quantizer,
  encode: () => ({ codes, decoding: { kind: "table", codebook } }),
});
