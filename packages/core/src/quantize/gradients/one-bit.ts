/** 1-bit SGD: two levels per column and the error fed back. */
import { checkInteger } from "../define.ts";
import type { Method } from "../method.ts";
import { SEIDE } from "../papers.ts";
import { figureOf } from "./figure.ts";
import type { GradientQuantizer } from "./types.ts";
import { Message, writeMessage } from "./wire.ts";

export interface OneBitOptions {
  /**
   * Numbers of a column: the weights of one neuron, here K of a gradient [N, K]; the last one is shorter where it does not divide. Default: the whole gradient.
   */
  readonly column?: number;
}

/**
 * 1-bit SGD (Seide et al., section 3.1), with e what earlier messages have lost:
 *
 *   v = g + e;   bit = [v < 0];   level of each bit = mean of the v of that bit in the column;   e ← v - level
 *
 * The threshold is 0; the means are the levels of least squared error. Not unbiased: each message is off, but the sum of messages is off by the last e alone.
 * 0 and -0 count as positive. A column whose v are all of one sign has 0 for the other level; one of a single number is exact, and so is one of two values of
 * different sign. Sums are in f64, so denormals and f32's largest numbers have their means; g + e beyond f32 is refused (OutOfRangeError).
 *
 * **Wire**, after the frame: column size u32; per column f32 level of bit 0 (>= 0), f32 level of bit 1 (<= 0); the bits, number i in bit i mod 8 of byte i / 8,
 * spare ones 0.
 * 12 + 8 columns + ceil(n / 8) bytes.
 */
export function oneBitSgd({ column = 2 ** 31 - 1 }: OneBitOptions = {}): GradientQuantizer {
  checkInteger("1bit:<column>", "column", column, 1, 2 ** 31 - 1);
  const scheme = column === 2 ** 31 - 1 ? "1bit" : `1bit:${column}`;
  return {
    scheme,
    bits: 1,
    unbiased: false,
    feedback: true,
    paper: SEIDE,
    encode(gradient, state) {
      const { loops } = state;
      const count = gradient.length;
      const size = Math.min(column, count);
      const op = `encode ${scheme}`;
      const { codes, levels, residual } = loops.oneBit(gradient, state.residualOf(op, count), size, false);
      state.keep(op, residual);
      return writeMessage({ method: "oneBit", count }, Uint32Array.of(size), levels, loops.pack(codes, 1, count, 1));
    },
    decode(bytes, loops) {
      const message = new Message(`decode ${scheme}`, bytes, "oneBit");
      const { count } = message;
      message.expect("parameters", 0, message.parameter + message.wide);
      const [size = 0] = message.words(1);
      if (size === 0 || size > count) message.corrupt("column", `1 to ${count}`, size);
      const levels = message.floats(
        "levels",
        2 * Math.ceil(count / size),
        "numbers, of bit 0 not negative, of bit 1 not positive",
        (level, i) => (i % 2 === 0 ? level >= 0 : level <= 0),
      );
      const packed = message.codes(1);
      message.end();
      return loops.twoLevels(loops.unpack(packed, 1, count, 1), size, levels);
    },
  };
}

export const oneBitMethod: Method = {
  method: "1-bit SGD",
  section: "gradients",
  file: "gradients/one-bit.ts",
  paper: SEIDE,
  published: "1 - 2/π = 0.363 on N(0,1): the means of both signs",
  laws: [
    "error feedback: Σ sent + residual = Σ gradients",
    "levels are means",
    "decode(encode) is what the residual says",
  ],
  kernel: "gradient_one_bit, gradient_two_levels",
  measure: ({ weights }) => figureOf(oneBitSgd({ column: weights.data.length / weights.shape[0]! }), weights.data),
};
