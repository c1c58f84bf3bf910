import { lcCompress, lcMultipliers, type Quantizer } from "lowbit/quantize";
import { filled, type HostTensor } from "../values.ts";
import { distance, pullTowards } from "./pull.ts";
import { exportEach, type PlainQuantizer, quantizeSlot } from "./quantized.ts";
import { prefixed, withoutPrefix } from "./saved.ts";
import type { LayerChoice, Strategy, WeightSlot } from "./strategy.ts";

export interface LcOptions {
  /** The C-step's Π: a fixed codebook (`binary()`, `lcTernary()`) or an adaptive one (`lloydMax({ levels })`). */
  readonly quantizer: PlainQuantizer;
  /** μ of the first L-step. Default 1e-3. */
  readonly mu?: number;
  /** Factor of μ after each C-step, above 1. Default 1.1. */
  readonly growth?: number;
  /** Steps of an L-step. Default: an epoch's. */
  readonly every?: number;
  readonly layers?: LayerChoice;
}

/** LC's state, which tests and logs may look at. */
export interface Lc extends Strategy {
  readonly mu: number;
  /** ‖w - Δ(Θ)‖ / ‖w‖ over all its slots at the last C-step. */
  readonly residual: number;
}

/**
 * The learning-compression algorithm (Carreira-Perpiñán, Idelbayev 2017), by its augmented Lagrangian: the L-step moves w by ∇L + μ (w - Δ(Θ)) - λ for `every` steps, then
 *
 *   C-step  Δ(Θ) ← Π(w - λ/μ);   λ ← λ - μ (w - Δ(Θ));   μ ← growth · μ.
 *
 * It is meant to start from a trained network; the step before the first has Δ(Θ) = Π(w), λ = 0 (direct compression). Exported is Π(w - λ/μ). What must hold: μ grows, ‖w - Δ(Θ)‖ → 0.
 */
export function lc({ quantizer, mu = 1e-3, growth = 1.1, every, layers = () => true }: LcOptions): Lc {
  let multipliers: Record<string, HostTensor> = {};
  /** Δ(Θ) + λ/μ by slot. */
  let targets: Record<string, HostTensor> = {};
  let [strength, residual] = [Math.fround(mu), Number.NaN];
  const plain = quantizer as Quantizer<"affine", false, "weights">;

  const retarget = ({ name, shape }: WeightSlot, compressed: Float32Array): void => {
    const { data } = multipliers[name]!;
    targets[name] = { shape, data: compressed.map((c, i) => c + data[i]! / strength) };
  };

  return {
    name: `lc:${quantizer.scheme}:${mu}:${growth}:${every ?? "epoch"}`,
    get mu() {
      return strength;
    },
    get residual() {
      return residual;
    },
    async prepare(view) {
      if (Object.keys(targets).length > 0) return;
      for (const slot of view.slots.filter(layers)) {
        multipliers[slot.name] = filled(slot.shape, 0);
        retarget(slot, await lcCompress(view.latent(slot), multipliers[slot.name]!.data, strength, plain));
      }
    },
    weightsFor: () => ({ constants: pullTowards.constants(targets, strength) }),
    penalty: pullTowards.penalty,
    async afterStep(step, view) {
      if ((step + 1) % (every ?? view.stepsPerEpoch) !== 0) return;
      let [apart, size] = [0, 0];
      const compressed = new Map<WeightSlot, Float32Array>();
      for (const slot of view.slots.filter(layers)) {
        const { shape, data } = view.latent(slot);
        const before = multipliers[slot.name]!.data;
        const delta = await lcCompress({ shape, data }, before, strength, plain);
        multipliers[slot.name] = { shape, data: lcMultipliers(data, delta, before, strength) };
        compressed.set(slot, delta);
        apart += distance(data, delta);
        size += distance(data);
      }
      residual = Math.sqrt(apart / size);
      strength = Math.fround(strength * growth);
      for (const [slot, delta] of compressed) retarget(slot, delta);
    },
    save: () => ({
      mu: filled([1], strength),
      ...prefixed("multiplier/", multipliers),
      ...prefixed("target/", targets),
    }),
    load(saved) {
      strength = saved.mu!.data[0]!;
      multipliers = withoutPrefix("multiplier/", saved);
      targets = withoutPrefix("target/", saved);
    },
    export: (view) =>
      exportEach(view.slots.filter(layers), (slot) => {
        const { shape, data } = view.latent(slot);
        const { data: lambda } = multipliers[slot.name]!;
        return quantizeSlot(slot, { shape, data: data.map((w, i) => w - lambda[i]! / strength) }, quantizer);
      }),
  };
}
