import { admmStep, type Quantizer } from "lowbit/quantize";
import { filled, type HostTensor } from "../values.ts";
import { distance, pullTowards } from "./pull.ts";
import { exportEach, type PlainQuantizer, quantizeSlot } from "./quantized.ts";
import { prefixed, withoutPrefix } from "./saved.ts";
import type { LayerChoice, Strategy, WeightSlot } from "./strategy.ts";

export interface AdmmOptions {
  /** Π, of the core: `admmTernary()`, `admmShift`, `binary()` ... */
  readonly quantizer: PlainQuantizer;
  /** ρ, the pull towards the low-bit copy. Default 1e-3. */
  readonly rho?: number;
  /** Factor of ρ after each projection; λ, which is scaled by ρ, shrinks as much. Default 1. */
  readonly growth?: number;
  /** Steps between two projections. Default: an epoch's. */
  readonly every?: number;
  readonly layers?: LayerChoice;
}

/** ADMM's low-bit copy, which tests and logs may look at. */
export interface Admm extends Strategy {
  /** ‖W - G‖ / ‖W‖ over all its slots at the last projection. */
  readonly residual: number;
}

/**
 * ADMM (Leng et al. 2018): min f(W) subject to W = G with G low-bit. Steps move W by ∇f + ρ (W - G + λ); every `every` steps
 *
 *   G ← Π(W + λ),   λ ← λ + W - G.
 *
 * The paper's W-step is the optimizer {@link extragradient}: a predicted step, then the gradient there; `every` is even then. It takes two steps for one, so the recipes have Nesterov's look-ahead of `sgd` in its place. Exported is Π(W + λ). What must hold: ‖W - G‖ / ‖W‖ → 0.
 */
export function admm({ quantizer, rho = 1e-3, growth = 1, every, layers = () => true }: AdmmOptions): Admm {
  /** λ and G - λ by slot. */
  let multipliers: Record<string, HostTensor> = {};
  let targets: Record<string, HostTensor> = {};
  let [strength, residual] = [Math.fround(rho), Number.NaN];

  /** Projects W + λ; returns ‖W - G‖² and ‖W‖². */
  async function project(slot: WeightSlot, weight: HostTensor): Promise<[number, number]> {
    const { shape } = slot;
    const { copy, multiplier } = await admmStep(
      weight,
      multipliers[slot.name]!.data,
      quantizer as Quantizer<"affine", false, "weights">,
    );
    multipliers[slot.name] = { shape, data: multiplier.map((l) => l / growth) };
    targets[slot.name] = { shape, data: copy.map((g, i) => g - multiplier[i]! / growth) };
    return [distance(weight.data, copy), distance(weight.data)];
  }

  return {
    name: `admm:${quantizer.scheme}:${rho}:${growth}:${every ?? "epoch"}`,
    get residual() {
      return residual;
    },
    async prepare(view) {
      if (Object.keys(targets).length > 0) return;
      for (const slot of view.slots.filter(layers)) {
        multipliers[slot.name] = filled(slot.shape, 0);
        await project(slot, view.latent(slot));
        // The first copy is where W starts from; what it differs by is not yet a debt.
        targets[slot.name] = addTo(targets[slot.name]!, multipliers[slot.name]!);
        multipliers[slot.name] = filled(slot.shape, 0);
      }
    },
    weightsFor: () => ({ constants: pullTowards.constants(targets, strength) }),
    penalty: pullTowards.penalty,
    async afterStep(step, view) {
      if ((step + 1) % (every ?? view.stepsPerEpoch) !== 0) return;
      let [apart, size] = [0, 0];
      for (const slot of view.slots.filter(layers)) {
        const [d, s] = await project(slot, view.latent(slot));
        apart += d;
        size += s;
      }
      strength = Math.fround(strength * growth);
      residual = Math.sqrt(apart / size);
    },
    save: () => ({
      rho: filled([1], strength),
      ...prefixed("multiplier/", multipliers),
      ...prefixed("target/", targets),
    }),
    load(saved) {
      strength = saved.rho!.data[0]!;
      multipliers = withoutPrefix("multiplier/", saved);
      targets = withoutPrefix("target/", saved);
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) =>
        quantizeSlot(slot, addTo(view.latent(slot), multipliers[slot.name]!), quantizer),
      ),
  };
}

const addTo = ({ shape, data }: HostTensor, other: HostTensor): HostTensor => ({
  shape,
  data: data.map((x, i) => x + other.data[i]!),
});
