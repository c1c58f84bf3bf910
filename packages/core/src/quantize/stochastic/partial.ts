/** Stochastic partial quantization: in each step of training some channels are quantized and the others stay floats. */
import { OutOfRangeError } from "../../errors.ts";
import { innerLoops } from "../engine.ts";
import type { Method } from "../method.ts";
import { binary } from "../optimization/binary.ts";
import { STOCHASTIC_QUANTIZATION } from "../papers.ts";
import { exp } from "../powers.ts";
import { type OptionsArgument, quantize } from "../quantize.ts";
import type { Quantized } from "../quantized.ts";
import { Random } from "../random.ts";
import type { DecodingKind, FloatTensor, Need, QuantizeOptions, Quantizer } from "../types.ts";
import { groupingOf, matrixOf } from "../weights.ts";

/** How the chance of a channel falls with its error, f = 1 / (e + 1e-7): the four of the paper, which recommends `linear`. */
export type PartialProbability = "constant" | "linear" | "softmax" | "sigmoid";

export interface PartialChoice {
  /** Share of the channels that is quantized, 0..1: in the paper 0.5, 0.75, 0.875 and 1, one after another. */
  readonly ratio: number;
  /** Default `linear`. */
  readonly probability?: PartialProbability;
  /** 32-bit seed of the choice: another one in every step. Default 0. */
  readonly seed?: number;
}

export interface PartiallyQuantized<D extends DecodingKind = DecodingKind> {
  /** 1 for every channel that is quantized. */
  readonly chosen: Uint8Array;
  /** Hybrid weights: what the codes stand for in the chosen channels, the floats in the others. Forward and gradient are computed with these. */
  readonly weights: Float32Array;
  /** e per channel, ‖W - Q‖₁ / ‖W‖₁; 0 for a channel of zeros. */
  readonly errors: Float64Array;
  /** All channels quantized: what ratio 1 is, and what is left when training ends. */
  readonly quantized: Quantized<D>;
}

/** Keeps f finite where nothing is lost. */
const EPSILON = 1e-7;

/**
 * Stochastic quantization (Dong et al., algorithm 1): of the m channels W_i, round(ratio · m) are drawn without replacement, channel i with
 *
 *   p_i = f_i / Σ_j f_j,   f_i = 1 / (e_i + 1e-7),   e_i = ‖W_i - Q_i‖₁ / ‖W_i‖₁,
 *
 * over the channels that are left (`constant`: 1/m; `softmax`: exp f_i / Σ exp f_j; `sigmoid`: 1 / (1 + exp(-f_i)), to a sum of 1), and Q takes the place of W there. The
 * gradient with respect to the hybrid weights updates the floats.
 *
 * Floats beside codes are a state of training, and no file holds them: at ratio 1 `quantized` is the result.
 *
 * @throws as `quantize`; OutOfRangeError for a ratio outside 0..1
 */
export async function quantizePartially<D extends DecodingKind, Seeded extends boolean, N extends Need>(
  tensor: FloatTensor,
  quantizer: Quantizer<D, Seeded, N>,
  { ratio, probability = "linear", seed = 0 }: PartialChoice,
  ...options: OptionsArgument<Seeded, N>
): Promise<PartiallyQuantized<D>> {
  if (!(ratio >= 0 && ratio <= 1)) throw new OutOfRangeError("quantizePartially", "ratio", "0..1", ratio);
  const quantized = await quantize(tensor, quantizer, ...options);
  const loops = await innerLoops((options as readonly [QuantizeOptions?])[0]?.kernels);
  const { rows, columns } = matrixOf(tensor.shape);
  const values = quantized.dequantize();
  const channels = groupingOf("channel", rows, columns);
  using held = loops.load(tensor.data);
  const magnitudes = held.meanAbs(channels);
  const errors = loops
    .absErrors(channels, tensor.data, values)
    .map((sum, i) => (magnitudes[i] === 0 ? 0 : sum / columns / magnitudes[i]!));

  const chosen = roulette(chances(errors, probability), Math.round(ratio * rows), new Random(seed));
  const weights = tensor.data.slice();
  chosen.forEach((taken, i) => {
    if (taken === 1) weights.set(values.subarray(i * columns, (i + 1) * columns), i * columns);
  });
  return { chosen, weights, errors, quantized };
}

/** Numbers in proportion to the probabilities. */
function chances(errors: Float64Array, probability: PartialProbability): Float64Array {
  const f = errors.map((e) => 1 / (e + EPSILON));
  switch (probability) {
    case "constant":
      return f.fill(1);
    case "linear":
      return f;
    case "sigmoid":
      return f.map((x) => 1 / (1 + exp(-x)));
    case "softmax": {
      const most = f.reduce((a, b) => Math.max(a, b), 0);
      return f.map((x) => exp(x - most));
    }
  }
}

/** Draws `count` of the channels without replacement; those of no chance (an exponential too small for a number) only when no other is left, in order. */
function roulette(chance: Float64Array, count: number, random: Random): Uint8Array {
  const chosen = new Uint8Array(chance.length);
  for (let drawn = 0; drawn < count; drawn++) {
    const total = chance.reduce((sum, p, i) => (chosen[i] === 0 ? sum + p : sum), 0);
    const target = random.uniform() * total;
    let [sum, at] = [0, -1];
    for (let i = 0; i < chance.length && !(at >= 0 && sum > target); i++) {
      if (chosen[i] === 1 || (chance[i] === 0 && total > 0)) continue;
      sum += chance[i]!;
      if (total > 0 || at < 0) at = i;
    }
    chosen[at] = 1;
  }
  return chosen;
}

export const partialMethod: Method = {
  method: "Stochastic partial quantization",
  section: "stochastic: random rounding",
  file: "stochastic/partial.ts",
  paper: STOCHASTIC_QUANTIZATION,
  published: "ratios 0.5, 0.75, 0.875, 1 in training; channels of less error first",
  laws: [
    "ratio of the channels",
    "chance of a channel inversely proportional to its error",
    "ratio 1 is the quantizer",
  ],
  kernel: "that of the quantizer, at ratio 1",
  async measure({ weights }) {
    const { weights: hybrid } = await quantizePartially(weights, binary(), { ratio: 0.5 });
    const loops = await innerLoops();
    const { noise, signal } = loops.errorSums(weights.data, hybrid);
    return `relative MSE ${(noise / signal).toPrecision(4)} with half the channels binary`;
  },
};
