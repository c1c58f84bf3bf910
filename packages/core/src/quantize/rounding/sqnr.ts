/** Uniform quantizers of the best step for Gaussian weights, and how many bits each layer gets. */
import { OutOfRangeError, ShapeError } from "../../errors.ts";
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { LIN_TALATHI } from "../papers.ts";
import { expm1, log10 } from "../powers.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { BitsOf, Per, Quantizer } from "../types.ts";

/**
 * Steps Δ, in standard deviations, of the 2^β-level mid-rise grid of least squared error on N(0,1), β = 1..8: the root of dD/dΔ = 0 where, with levels
 * lᵢ = (i + 1/2)Δ over [iΔ, (i+1)Δ) and the last one to infinity (boundaries lie midway, so that their motion adds nothing),
 *
 *   Δ = Σᵢ (i + 1/2) ∫ x φ / Σᵢ (i + 1/2)² ∫ φ,   i = 0 .. 2^(β-1) - 1
 *
 * and ∫ x φ and ∫ φ are differences of φ and of Φ. The paper prints 1.596, 0.996, 0.586, 0.335, 0.188, 0.104 ...
 */
const STEP_SIZE = [
  1.5957691216, 0.9956866859, 0.5860194414, 0.3352006122, 0.1881387903, 0.1040630094, 0.0568676724, 0.0307623876,
] as const;

/**
 * Lin, Talathi and Annapureddy's fixed point of best signal to quantization noise: the step of a layer is
 *
 *   Δ = σ · Stepsize(β),   levels ±Δ/2, ±3Δ/2 ... ±(2^β - 1)Δ/2
 *
 * Stepsize(β) being the best for Gaussian weights of mean 0 (Max's uniform quantizer), σ the root mean square of the group's weights (default: per tensor).
 * SQNR on N(0,1): 4.40, 9.25, 14.27, 19.38, 24.57, 29.83, 35.17, 40.57 dB for 1..8 bits, about 5 for each.
 *
 * Range: no level is 0. Gradient in training: straight through. A group of zeros has Δ = 0; where the last level leaves f32, `quantize`
 * refuses (OutOfRangeError).
 */
export function sqnr({
  bits,
  per = "tensor",
}: {
  readonly bits: BitsOf<"table">;
  readonly per?: Per;
}): Quantizer<"table", false, "weights"> {
  checkInteger("sqnr:<b>", "bits", bits, 1, 8);
  return defineQuantizer({
    scheme: `sqnr:${bits}${perSuffix(per, "tensor")}`,
    decoding: "table",
    bits,
    codebook: "fixed",
    per,
    laws: ["scaleEquivariant", "signSymmetric", "nearest", "ordered", "monotoneInBits"],
    coarser: bits > 1 ? () => sqnr({ bits: (bits - 1) as BitsOf<"table">, per }) : undefined,
    paper: LIN_TALATHI,
    encode(w) {
      // Descending, so that 0, which lies midway, becomes +Δ/2.
      const codebook = Float32Array.from({ length: 2 ** bits }, (_, i) => (2 ** bits - 1) / 2 - i);
      const lengths = w.lengths();
      const scale = Float32Array.from(
        w.power(),
        (power, group) => Math.sqrt(power / lengths[group]!) * STEP_SIZE[bits - 1]!,
      );
      const codes = w.nearest(
        codebook,
        scale.map((step) => step || 1),
      );
      return { codes, decoding: { kind: "table", codebook }, scale };
    },
  });
}

/** What {@link allocateBits} gives. */
export interface BitAllocation {
  /** Whole bits per layer. */
  readonly bits: readonly number[];
  /** The law's real numbers: βᵢ - βⱼ = 10 log₁₀(ρⱼ/ρᵢ) / κ, and Σ ρβ is the budget. */
  readonly real: readonly number[];
  /** 10 log₁₀(1 / Σ 10^(-κβ/10)) in dB with the whole bits: the layers' noise added up. */
  readonly sqnr: number;
}

/**
 * Bits for each layer under a budget (Lin et al.): layers of ρᵢ weights with βᵢ bits have an SQNR of κβᵢ dB each, noise adds up, and the least of it,
 * min Σ 10^(-κβᵢ/10) with Σ ρᵢβᵢ = budget, is where βᵢ - βⱼ = 10 log₁₀(ρⱼ/ρᵢ) / κ: the larger the layer, the fewer its bits.
 *
 * Whole bits start at `least` and go one by one to the layer that loses most noise for each bit stored, the first of equal ones, as far as the budget lasts:
 * what remains is less than a bit of each layer that could have one more.
 *
 * @param weights ρ of each layer, at least one layer.
 * @param budget bits in all.
 * @param options κ `dbPerBit` (default 5: Gaussian weights with the best step, see {@link sqnr}); `least` (1) and `most` (8) bits of a layer.
 * @throws ShapeError without layers; OutOfRangeError for counts below 1, a budget below `least` bits for each weight, κ <= 0.
 */
export function allocateBits(
  weights: readonly number[],
  budget: number,
  {
    dbPerBit = 5,
    least = 1,
    most = 8,
  }: { readonly dbPerBit?: number; readonly least?: number; readonly most?: number } = {},
): BitAllocation {
  const op = "allocateBits";
  if (weights.length === 0) throw new ShapeError(op, "layers", "at least 1", 0);
  for (const count of weights) checkInteger(op, "weights of a layer", count, 1, 2 ** 40);
  checkInteger(op, "least bits", least, 1, 8);
  checkInteger(op, "most bits", most, least, 8);
  if (!(dbPerBit > 0 && dbPerBit <= 100)) throw new OutOfRangeError(op, "dB per bit", "above 0, at most 100", dbPerBit);
  const all = weights.reduce((sum, count) => sum + count, 0);
  if (!(budget >= least * all))
    throw new OutOfRangeError(op, "budget", `at least ${least} bits of ${all} weights`, budget);

  const shares = weights.map((count) => (-10 * log10(count)) / dbPerBit);
  const level = (budget - shares.reduce((sum, share, i) => sum + share * weights[i]!, 0)) / all;

  /** Noise of β bits. */
  const noise = (bits: number): number => 1 + expm1((-Math.LN10 * dbPerBit * bits) / 10);
  const gain = (layer: number): number =>
    bits[layer]! < most ? (noise(bits[layer]!) - noise(bits[layer]! + 1)) / weights[layer]! : 0;
  const bits = weights.map(() => least);
  let left = budget - least * all;
  for (;;) {
    let best = -1;
    for (const [layer, count] of weights.entries()) {
      if (count <= left && gain(layer) > 0 && (best < 0 || gain(layer) > gain(best))) best = layer;
    }
    if (best < 0) break;
    bits[best]!++;
    left -= weights[best]!;
  }
  const total = bits.reduce((sum, b) => sum + noise(b), 0);
  return { bits, real: shares.map((share) => share + level), sqnr: -10 * log10(total) };
}

export const sqnrFamily: SchemeFamily = {
  syntax: "sqnr:<1..8>[:channel|:g<n>]",
  summary: "uniform grid without 0, its step the best for Gaussian weights of the tensor's σ (Lin et al.)",
  examples: ["sqnr:2", "sqnr:4", "sqnr:3:channel"],
  owns: (head) => head === "sqnr",
  parse(scheme, _head, [bits, ...args]) {
    return sqnr({
      bits: integerArgument(scheme, "bits of sqnr:<bits>", bits, 1, 8) as BitsOf<"table">,
      per: modifiers(scheme, args, { per: "tensor" }).per,
    });
  },
};

export const sqnrMethod: Method = {
  method: "Uniform of best SQNR for Gaussian weights",
  section: "deterministic: rounding",
  file: "rounding/sqnr.ts",
  paper: LIN_TALATHI,
  scheme: "sqnr:4",
  published: "0.01154 on N(0,1), 19.38 dB",
};
