/** TernGrad: -s, 0, +s at random. */
import { OutOfRangeError } from "../../errors.ts";
import type { Method } from "../method.ts";
import { TERNGRAD } from "../papers.ts";
import { figureOf } from "./figure.ts";
import { type GradientLoops, scaledLevels } from "./loops.ts";
import type { GradientQuantizer } from "./types.ts";
import { Message, writeMessage } from "./wire.ts";

export interface TernGradOptions {
  /** c: numbers beyond c standard deviations are clipped to them first (the paper: 2.5). Default: none are, and the result is unbiased. */
  readonly clip?: number;
}

/**
 * TernGrad (Wen et al., eq. 2 to 4 and 10), one layer's gradient at a time:
 *
 *   g̃ = s · sign(g) ∘ b,   s = max|g|,   P(b_k = 1) = |g_k| / s;   with clipping g_k ← sign(g_k) min(|g_k|, c σ) before, σ the standard deviation of g
 *
 * Unbiased, E g̃ = g, with E‖g̃‖² = max|g| · ‖g‖₁ exactly, so that the variance of number k is s |g_k| - g_k²; with clipping it is unbiased for the clipped
 * gradient alone. Probabilities are multiples of 2^-32. A number of the largest magnitude is always exact; 0 stays 0; a gradient of zeros has s = 0.
 *
 * **Wire**, after the frame: f32 s; trits 0, 1, 2 for -s, 0, +s, five to a byte, the first one the lowest digit in base 3 (bytes 0..242; the last one filled
 * with digits 0). 12 + ceil(n / 5) bytes.
 */
export function ternGrad({ clip }: TernGradOptions = {}): GradientQuantizer {
  if (clip !== undefined && !(clip > 0 && Number.isFinite(clip)))
    throw new OutOfRangeError("terngrad:<c>", "clip", "a positive number of standard deviations", clip);
  const scheme = clip === undefined ? "terngrad" : `terngrad:${clip}`;
  return {
    scheme,
    bits: 2,
    unbiased: clip === undefined,
    feedback: false,
    paper: TERNGRAD,
    encode(gradient, { loops, random }) {
      const count = gradient.length;
      const grouping = { rows: 1, columns: count, groupSize: count };
      using x = loops.load(gradient);
      const scale = x.absMax(grouping);
      if (clip !== undefined) scale[0] = Math.min(scale[0]!, clip * deviation(gradient, loops));
      // Codes beyond the ends are clamped to them, which is what clipping does.
      const codes = loops.randomCodes(gradient, grouping, scale, 1, 2, random.bits32());
      return writeMessage({ method: "ternGrad", count }, scale, loops.packTrits(codes));
    },
    decode(bytes, loops) {
      const message = new Message(`decode ${scheme}`, bytes, "ternGrad");
      const { count } = message;
      message.expect("parameters", 0, message.parameter + message.wide);
      const scale = message.floats("s", 1, "number, not negative", (value) => value >= 0);
      const packed = message.take(Math.ceil(count / 5));
      message.end();
      const codes = loops.unpackTrits(packed, count);
      if (typeof codes === "number") return message.corrupt(`byte ${codes} of the trits`, "0 to 242", packed[codes]);
      return scaledLevels(loops, count, scale, {
        bits: 2,
        codes: loops.pack(codes, 1, count, 2),
        decoding: { kind: "affine", zeroPoint: 1 },
      });
    },
  };
}

/** sqrt(E g² - (E g)²), at least 0. */
function deviation(gradient: Float32Array, loops: GradientLoops): number {
  const { signal, dot } = loops.errorSums(gradient, new Float32Array(gradient.length).fill(1));
  const mean = dot / gradient.length;
  return Math.sqrt(Math.max(0, signal / gradient.length - mean * mean));
}

export const ternGradMethods: readonly Method[] = [
  {
    method: "TernGrad",
    section: "gradients",
    file: "gradients/terngrad.ts",
    paper: TERNGRAD,
    published: "variance max|g| ‖g‖₁ - ‖g‖²: by E‖g̃‖² = max|g| ‖g‖₁",
    laws: ["unbiased", "variance of each number s|g| - g²", "1.6 bits a number"],
    kernel: "gradient_random_codes, gradient_pack_trits, quantize_decode",
    measure: ({ weights }) => figureOf(ternGrad(), weights.data),
  },
  {
    method: "TernGrad, clipped at 2.5 σ",
    section: "gradients",
    file: "gradients/terngrad.ts",
    paper: TERNGRAD,
    published: "1.0095 on N(0,1), s = 2.5 σ, by integration",
    laws: ["unbiased for the clipped gradient", "1.6 bits a number"],
    kernel: "gradient_random_codes, gradient_pack_trits, quantize_decode",
    measure: ({ weights }) => figureOf(ternGrad({ clip: 2.5 }), weights.data),
  },
];
