import { INQ_STEPS, inqStep, pow2 } from "lowbit/quantize";
import type { HostTensor } from "../values.ts";
import { exportEach, quantizeSlot } from "./quantized.ts";
import { prefixed, withoutPrefix } from "./saved.ts";
import type { LayerChoice, Strategy, View, WeightSlot } from "./strategy.ts";

export interface InqOptions {
  /** Of a power of two with its sign and 0: 2..8; the paper's 5 has 0, ±2^n2 .. ±2^n1 of 16 powers. */
  readonly bits: 2 | 3 | 4 | 5 | 6 | 7 | 8;
  /** Shares that are frozen at the beginning of each part of the run, the last of which is 1 and comes at its end. Default the paper's 0.5, 0.75, 0.875, 1. */
  readonly shares?: readonly number[];
  readonly layers?: LayerChoice;
}

/** What INQ has frozen, which tests and logs may look at. */
export interface Inq extends Strategy {
  /** By slot: 1 where frozen, and the powers of two there. */
  readonly frozen: Readonly<Record<string, { readonly mask: HostTensor; readonly values: HostTensor }>>;
}

/**
 * Incremental network quantization (Zhou et al. 2017): the largest weights become powers of two and stay so, the others are retrained around them, part by part until all are.
 * It is meant to start from a trained network. The run is cut into as many equal parts as there are shares but the last; a frozen weight has no gradient, and the step computes with its power of two,
 * whatever the optimizer's momentum does to the latent one.
 */
export function inq({ bits, shares = INQ_STEPS, layers = () => true }: InqOptions): Inq {
  let masks: Record<string, HostTensor> = {};
  let values: Record<string, HostTensor> = {};
  const exponents: Record<string, number> = {};

  /** The weights of now: powers of two where frozen. */
  function effective(view: View, slot: WeightSlot): HostTensor {
    const { shape, data } = view.latent(slot);
    const [mask, frozen] = [masks[slot.name]?.data, values[slot.name]?.data];
    return { shape, data: mask === undefined ? data : data.map((w, i) => (mask[i] === 1 ? frozen![i]! : w)) };
  }

  async function freeze(view: View, slot: WeightSlot, share: number) {
    const { name, shape } = slot;
    const before = masks[name];
    const step = await inqStep(effective(view, slot), {
      bits,
      share,
      frozen: before && Uint8Array.from(before.data),
      exponent: exponents[name],
    });
    const mask = { shape, data: Float32Array.from(step.frozen) };
    return { mask, values: { shape, data: step.values.map((w, i) => w * mask.data[i]!) }, exponent: step.exponent };
  }

  async function advance(view: View, share: number): Promise<void> {
    for (const slot of view.slots.filter(layers)) {
      const next = await freeze(view, slot, share);
      masks[slot.name] = next.mask;
      values[slot.name] = next.values;
      exponents[slot.name] = next.exponent;
    }
  }

  return {
    name: `inq:${bits}:${shares.join()}`,
    get frozen() {
      return Object.fromEntries(
        Object.keys(masks).map((name) => [name, { mask: masks[name]!, values: values[name]! }]),
      );
    },
    async prepare(view) {
      if (Object.keys(masks).length === 0) await advance(view, shares[0]!);
    },
    weightsFor: () => ({ weights: values, constants: prefixed("mask/", masks) }),
    weight(slot, latent, given, { constants }) {
      if (given === undefined) return latent;
      const mask = slot.columns(constants[`mask/${slot.name}`]!.ref);
      return slot.columns(given).add(latent.mul(mask.mul(-1).add(1)));
    },
    async afterStep(step, view) {
      const parts = shares.length - 1;
      const part = Math.floor(((step + 1) * parts) / view.steps);
      if (part > Math.floor((step * parts) / view.steps)) await advance(view, shares[part]!);
    },
    save: () => ({
      ...prefixed("mask/", masks),
      ...prefixed("values/", values),
      ...prefixed(
        "exponent/",
        Object.fromEntries(
          Object.entries(exponents).map(([name, exponent]) => [name, { shape: [1], data: Float32Array.of(exponent) }]),
        ),
      ),
    }),
    load(saved) {
      masks = withoutPrefix("mask/", saved);
      values = withoutPrefix("values/", saved);
      for (const [name, { data }] of Object.entries(withoutPrefix("exponent/", saved))) exponents[name] = data[0]!;
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), async (slot) => {
        const { values: whole } = await freeze(view, slot, 1);
        // Powers of two of the same largest exponent: this only writes their codes.
        return quantizeSlot(slot, whole, pow2({ bits }));
      }),
  };
}
