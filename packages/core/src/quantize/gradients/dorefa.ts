/** DoReFa-Net's gradients: a uniform grid and noise of one step. */
import { OutOfRangeError } from "../../errors.ts";
import { checkInteger } from "../define.ts";
import type { Method } from "../method.ts";
import { DOREFA } from "../papers.ts";
import { floatAbove } from "../powers.ts";
import { figureOf } from "./figure.ts";
import { scaledLevels } from "./loops.ts";
import type { GradientQuantizer } from "./types.ts";
import { Message, writeMessage } from "./wire.ts";

export interface DorefaGradientOptions {
  /** k */
  readonly bits: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
}

/**
 * DoReFa-Net's gradients (Zhou et al., eq. 12), with L = 2^k - 1 and quantize_k(x) = round(L x) / L:
 *
 *   f(g) = 2 max|g| [ quantize_k( g / (2 max|g|) + 1/2 + N ) - 1/2 ],   N uniform in ±1/2 · 1 / L
 *
 * round(a + noise of ±1/2) is floor(a + u) with u uniform in [0, 1): stochastic rounding to the grid of steps 2 max|g| / L. Unbiased; the error of a number is
 * below a step. For odd L, which is every one, 0 is no level: zeros become ± half a step, a gradient of zeros alone stays. The step is rounded up to f32, so
 * that no number lies beyond the grid; one beyond f32 is refused (OutOfRangeError).
 *
 * **Wire**, byte 1 of the frame: k. After it: f32 step; codes of k bits, least significant bit first, spare bits 0; code c stands for (c - L / 2) step. 12 +
 * ceil(n k / 8) bytes.
 */
export function dorefaGradient({ bits }: DorefaGradientOptions): GradientQuantizer {
  checkInteger("dorefa-gradient:<k>", "bits", bits, 1, 8);
  const scheme = `dorefa-gradient:${bits}`;
  const most = 2 ** bits - 1;
  const codebook = Float32Array.from({ length: 2 ** bits }, (_, code) => code - most / 2);
  return {
    scheme,
    bits,
    unbiased: true,
    feedback: false,
    paper: DOREFA,
    encode(gradient, { loops, random }) {
      const count = gradient.length;
      const grouping = { rows: 1, columns: count, groupSize: count };
      using x = loops.load(gradient);
      const step = x.absMax(grouping).map((max) => floatAbove((2 * max) / most));
      if (!Number.isFinite(step[0]))
        throw new OutOfRangeError(
          `encode ${scheme}`,
          `2 max |g| / ${most}`,
          "a finite f32",
          (2 * x.absMax(grouping)[0]!) / most,
        );
      const codes = loops.randomCodes(gradient, grouping, step, most / 2, most, random.bits32());
      return writeMessage({ method: "dorefa", parameter: bits, count }, step, loops.pack(codes, 1, count, bits));
    },
    decode(bytes, loops) {
      const message = new Message(`decode ${scheme}`, bytes, "dorefa");
      const { count, parameter, wide } = message;
      message.expect("bits", bits, parameter);
      message.expect("parameters", 0, wide);
      const scale = message.floats("step", 1, "number, not negative", (value) => value >= 0);
      const codes = message.codes(bits);
      message.end();
      return scaledLevels(loops, count, scale, { bits, codes, decoding: { kind: "table", codebook } });
    },
  };
}

export const dorefaGradientMethod: Method = {
  method: "DoReFa gradients",
  section: "gradients",
  file: "gradients/dorefa.ts",
  paper: DOREFA,
  published: "variance of a number at most step²/4, on average step²/6 where places between levels are uniform",
  laws: ["unbiased", "error below a step", "k bits a number"],
  kernel: "gradient_random_codes, quantize_decode",
  measure: ({ weights }) => figureOf(dorefaGradient({ bits: 4 }), weights.data),
};
