/** Dettmers' 8-bit data type with a dynamic exponent. */
import type { Method } from "../method.ts";
import { DETTMERS } from "../papers.ts";
import { figureOf } from "./figure.ts";
import { scaledLevels } from "./loops.ts";
import type { GradientQuantizer } from "./types.ts";
import { Message, writeMessage } from "./wire.ts";

/**
 * What each of 256 codes stands for. Behind the sign (the highest bit, 1 = minus) z zeros mean a factor of 10^-z, the next 1 ends them, and the i = 6 - z bits
 * left are the place of the value among 2^i equal parts of [0.1, 1], whose middle it is:
 *
 *   0b0_000_1101: z = 3, i = 3, fifth part of eight: 10^-3 (0.1 + 0.9 (5 + 1/2) / 8)
 *
 * 0b0_0000000 is 0. 0b1_0000000 would be -0 and stands for 1, so that the largest magnitude is exact where it is positive.
 */
export function dynamicTreeLevels(): Float32Array {
  const levels = new Float32Array(256);
  levels[0x80] = 1;
  [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1].forEach((power, i) => {
    for (let part = 0; part < 1 << i; part++) {
      const value = (0.1 + (0.9 * (part + 0.5)) / (1 << i)) * power;
      levels[(1 << i) | part] = value;
      levels[0x80 | (1 << i) | part] = -value;
    }
  });
  return levels;
}

/**
 * 8-bit approximations for parallelism in deep learning (Dettmers, section 3): g / max|g| to the nearest of the levels of the dynamic tree, the lowest code on
 * a tie. From 0.1 to 1 the error is at most 0.45 / 64 = 0.0070 of the maximum; ten times below it is a fifth of that, and so on, so that small numbers keep a
 * relative error that a uniform grid of 8 bits does not.
 *
 * Deterministic, not unbiased. A gradient of zeros has the maximum 0 and is exact; g / max|g| is one f32 division, so denormals are quantized like all others.
 *
 * **Wire**, after the frame: f32 max|g|; a byte of code for each number. 12 + n bytes.
 */
export function dynamicTree(): GradientQuantizer {
  const scheme = "dynamic8";
  const codebook = dynamicTreeLevels();
  return {
    scheme,
    bits: 8,
    unbiased: false,
    feedback: false,
    paper: DETTMERS,
    encode(gradient, { loops }) {
      const count = gradient.length;
      const grouping = { rows: 1, columns: count, groupSize: count };
      using x = loops.load(gradient);
      const scale = x.absMax(grouping);
      const codes = scale[0] === 0 ? new Uint8Array(count) : x.nearest(codebook, 1, { grouping, scale });
      return writeMessage({ method: "dynamicTree", count }, scale, codes);
    },
    decode(bytes, loops) {
      const message = new Message(`decode ${scheme}`, bytes, "dynamicTree");
      const { count } = message;
      message.expect("parameters", 0, message.parameter + message.wide);
      const scale = message.floats("max |g|", 1, "number, not negative", (value) => value >= 0);
      const codes = message.take(count);
      message.end();
      return scaledLevels(loops, count, scale, { bits: 8, codes, decoding: { kind: "table", codebook } });
    },
  };
}

export const dynamicTreeMethod: Method = {
  method: "8-bit dynamic tree",
  section: "gradients",
  file: "gradients/dynamic-tree.ts",
  paper: DETTMERS,
  published: "error of a number at most 0.45/64 = 0.0070 of max |g|: half of one of 64 parts of [0.1, 1]",
  laws: ["levels by their bits", "nearest level", "decode(encode(decode)) is the same"],
  kernel: "quantize_nearest, quantize_decode",
  measure: ({ weights }) => figureOf(dynamicTree(), weights.data),
};
