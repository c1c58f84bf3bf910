import type { Quantized, Quantizer } from "lowbit/quantize";
import { RecipeError } from "../errors.ts";
import { pick } from "../layers/pick.ts";
import { filled, type HostTensor } from "../values.ts";
import { exportEach, quantizeSlot } from "./quantized.ts";
import { prefixed, withoutPrefix } from "./saved.ts";
import type { LayerChoice, Strategy } from "./strategy.ts";

export interface CodebookOptions {
  /** One table for a tensor, no scales: `kmeans({ k })`, `lloydMax({ levels })`, `ttq()` ... */
  readonly quantizer: Quantizer<"table", boolean, "weights">;
  readonly layers?: LayerChoice;
}

/**
 * Fine-tuning of a codebook (Han, Mao, Dally 2016, section 3.3): the weights of a trained network are clustered once; from then on codes stay and the centroids are the parameters,
 *
 *   ŵ_i = c[code_i],   ∂L/∂c_k = Σ_{i: code_i = k} ∂L/∂ŵ_i.
 *
 * An entry that is exactly 0 stays 0, and so do the weights that have it: give a pruned network to a quantizer that keeps zeros (`ttq()`). Of others (`kmeans`) a pruned weight is a weight as any.
 *
 * Before training it throws RecipeError where the quantizer has scales (`pow2`, `dorefa`, `admmShift`): a code would stand for its entry times one of them.
 */
export function codebookTuning({ quantizer, layers = () => true }: CodebookOptions): Strategy {
  const entries = 2 ** quantizer.bits;
  const codebookOf = (name: string): string => `${name}.codebook`;
  const movingOf = (name: string): string => `${name}.moving`;
  let codes: Record<string, HostTensor> = {};
  /** 1 for each entry of a table that moves, 0 for one that is 0 and stays. */
  let moving: Record<string, HostTensor> = {};
  return {
    name: `codebook:${quantizer.scheme}`,
    initialize: (slots) =>
      Object.fromEntries(slots.filter(layers).map(({ name }) => [codebookOf(name), filled([entries], 0)])),
    async prepare(view) {
      if (Object.keys(codes).length > 0) return;
      for (const slot of view.slots.filter(layers)) {
        const found: Quantized = await quantizeSlot(slot, view.latent(slot), quantizer, { seed: view.seed });
        if (found.scales !== undefined) throw scalesError(slot.name, quantizer.scheme);
        codes[slot.name] = { shape: slot.shape, data: Float32Array.from(found.unpackCodes()) };
        const table = filled([entries], 0);
        table.data.set(found.codebook!);
        moving[movingOf(slot.name)] = { shape: [entries], data: table.data.map((c) => (c === 0 ? 0 : 1)) };
        view.replaceParameter(codebookOf(slot.name), table);
      }
    },
    weightsFor: () => ({ constants: { ...codes, ...moving } }),
    weight(slot, latent, _given, { parameters, constants }) {
      if (!layers(slot)) return latent;
      latent.dispose();
      // An entry that stays is 0 already: this takes its gradient away.
      const table = parameters[codebookOf(slot.name)]!.ref.mul(constants[movingOf(slot.name)]!.ref);
      return slot.columns(pick(table, constants[slot.name]!.ref));
    },
    save: () => ({ ...prefixed("codes/", codes), ...prefixed("moving/", moving) }),
    load(saved) {
      codes = withoutPrefix("codes/", saved);
      moving = withoutPrefix("moving/", saved);
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) => {
        const { data: table } = view.parameter(codebookOf(slot.name));
        const own = Uint8Array.from(codes[slot.name]!.data);
        return quantizeSlot(slot, view.latent(slot), fixedCodes(quantizer, own, table));
      }),
  };
}

const scalesError = (weight: string, scheme: string): RecipeError =>
  new RecipeError(
    `codebookTuning needs one table for a tensor and no scales, as kmeans({ k }) has it, but ${scheme} gives ${weight} scales beside its table`,
  );

/** These codes with this table, packed by the core. */
const fixedCodes = (
  quantizer: Quantizer<"table", boolean, "weights">,
  codes: Uint8Array,
  codebook: Float32Array,
): Quantizer<"table", boolean, "weights"> => ({
  ...quantizer,
  encode: () => ({ codes, decoding: { kind: "table", codebook } }),
});
