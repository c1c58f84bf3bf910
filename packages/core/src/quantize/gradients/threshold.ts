/** Strom's threshold: few numbers, each ±τ. */
import { OutOfRangeError } from "../../errors.ts";
import type { Method } from "../method.ts";
import { STROM } from "../papers.ts";
import { figureOf } from "./figure.ts";
import type { GradientQuantizer } from "./types.ts";
import { Message, writeMessage } from "./wire.ts";

export interface ThresholdOptions {
  /** τ, a positive finite number, rounded to f32. */
  readonly threshold: number;
}

/**
 * Strom's scalable distributed training: with the residual r of earlier gradients,
 *
 *   r ← r + g;   where r > τ: send +τ, r ← r - τ;   where r < -τ: send -τ, r ← r + τ
 *
 * and nothing where |r| <= τ. At most one τ a number and message: a larger r waits for the next one. Not unbiased; the sum of messages is off by the last r
 * alone. Zeros, constants and denormals below τ are sent once they have added up; r + g beyond f32 is refused (OutOfRangeError).
 *
 * **Wire**, after the frame: f32 τ; u32 number of words; the words, u32: index in the upper 31 bits, in the lowest 0 for +τ and 1 for -τ, ascending. 16 + 4
 * words bytes.
 */
export function stromThreshold({ threshold }: ThresholdOptions): GradientQuantizer {
  const tau = Math.fround(threshold);
  if (!(tau > 0 && Number.isFinite(tau)))
    throw new OutOfRangeError("threshold:<τ>", "τ", "a positive finite f32", threshold);
  const scheme = `threshold:${threshold}`;
  return {
    scheme,
    bits: 32,
    unbiased: false,
    feedback: true,
    paper: STROM,
    encode(gradient, state) {
      const count = gradient.length;
      const op = `encode ${scheme}`;
      const { words, residual } = state.loops.thresholdTake(gradient, state.residualOf(op, count), tau);
      state.keep(op, residual);
      return writeMessage({ method: "threshold", count }, Float32Array.of(tau), Uint32Array.of(words.length), words);
    },
    decode(bytes, loops) {
      const message = new Message(`decode ${scheme}`, bytes, "threshold");
      const { count } = message;
      message.expect("parameters", 0, message.parameter + message.wide);
      const [sent = 0] = message.floats("τ", 1, "positive number", (value) => value > 0);
      const [length = 0] = message.words(1);
      if (length > count) message.corrupt("words", `at most ${count}`, length);
      const words = message.words(length);
      message.end();
      const vector = loops.thresholdApply(words, sent, count);
      if (typeof vector === "number")
        return message.corrupt(`index of word ${vector}`, `ascending, below ${count}`, words[vector]! >>> 1);
      return vector;
    },
  };
}

export const thresholdMethod: Method = {
  method: "Strom's threshold",
  section: "gradients",
  file: "gradients/threshold.ts",
  paper: STROM,
  published: "32 bits for each of the numbers above τ, of which N(0,1) has 0.27 % above 3σ",
  laws: ["error feedback: Σ sent + residual = Σ gradients", "|residual| <= τ where |g| <= τ"],
  kernel: "gradient_threshold_take, gradient_threshold_apply",
  measure: ({ weights }) => {
    const squares = weights.data.reduce((sum, w) => sum + w * w, 0);
    return figureOf(stromThreshold({ threshold: 3 * Math.sqrt(squares / weights.data.length) }), weights.data);
  },
};
