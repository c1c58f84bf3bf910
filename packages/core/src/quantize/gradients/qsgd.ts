/** QSGD: multiples of ‖v‖ / s at random, in Elias' code. */
import { OutOfRangeError } from "../../errors.ts";
import { checkInteger } from "../define.ts";
import type { Method } from "../method.ts";
import { QSGD } from "../papers.ts";
import { figureOf } from "./figure.ts";
import type { GradientQuantizer } from "./types.ts";
import { Message, writeMessage } from "./wire.ts";

export interface QsgdOptions {
  /** s, 1..65535: levels of |v| / ‖v‖ above 0. */
  readonly levels: number;
  /** Numbers that share a norm; the last bucket is shorter where it does not divide. Default: all. */
  readonly bucket?: number;
  /**
   * A code for every number, or only for those that are not 0 and their distances. Default: `dense` where s is at least 4 √n of a bucket, where hardly any is
   * 0.
   */
  readonly coding?: "sparse" | "dense";
}

/**
 * QSGD (Alistarh et al., section 3.1 and 3.2), per bucket v of n numbers:
 *
 *   Q(v_i) = ‖v‖₂ · sign(v_i) · ξ_i,   ξ_i = (l + 1) / s with probability s |v_i| / ‖v‖₂ - l, else l / s, where l = floor(s |v_i| / ‖v‖₂)
 *
 * Unbiased; E‖Q(v) - v‖² <= min(n / s², √n / s) ‖v‖²; with s = 1 at most √n numbers are not 0 on average. Probabilities are multiples of 2^-32. The norm is
 * rounded up to f32, so that no quotient is above 1; a norm beyond f32 is refused (OutOfRangeError). Zeros stay 0; a bucket of one number is exact to the
 * rounding of the result.
 *
 * **Wire**, byte 1 of the frame: 1 for `dense`, 0 for `sparse`; bytes 2..3: s. After it: bucket size u32; per bucket f32 norm; the stream of bits, least
 * significant bit of a byte first, the last byte filled with 0. With ω(k) Elias' recursive code of k >= 1:
 *
 * - sparse, per bucket: ω(1 + number of levels that are not 0), then for each of them ω(distance from the one before it; of the first: 1 + index), sign (1 =
 *   minus), ω(level);
 * - dense, per number: ω(1 + level) and, where the level is not 0, its sign.
 */
export function qsgd({ levels, bucket = 2 ** 31 - 1, coding }: QsgdOptions): GradientQuantizer {
  checkInteger("qsgd:<s>", "levels", levels, 1, 65535);
  checkInteger("qsgd:<s>", "bucket", bucket, 1, 2 ** 31 - 1);
  const whole = bucket === 2 ** 31 - 1;
  const scheme = `qsgd:${levels}${whole ? "" : `:g${bucket}`}${coding === undefined ? "" : `:${coding}`}`;
  return {
    scheme,
    // Sign and level 0..s.
    bits: 33 - Math.clz32(levels),
    unbiased: true,
    feedback: false,
    paper: QSGD,
    encode(gradient, { loops, random }) {
      const count = gradient.length;
      const size = Math.min(bucket, count);
      const dense = coding === undefined ? levels >= 4 * Math.sqrt(size) : coding === "dense";
      const { norms, bytes } = loops.qsgdEncode(gradient, { bucket: size, levels, dense }, random.bits32());
      if (!norms.every(Number.isFinite))
        throw new OutOfRangeError(`encode ${scheme}`, "norm of a bucket", "a finite f32", "more");
      return writeMessage(
        { method: "qsgd", parameter: dense ? 1 : 0, wide: levels, count },
        Uint32Array.of(size),
        norms,
        bytes,
      );
    },
    decode(bytes, loops) {
      const message = new Message(`decode ${scheme}`, bytes, "qsgd");
      const { count, parameter, wide } = message;
      if (parameter > 1) message.corrupt("coding", "0 or 1", parameter);
      message.expect("levels", levels, wide);
      const [size = 0] = message.words(1);
      message.expect("bucket", Math.min(bucket, count), size);
      const norms = message.floats("norms", Math.ceil(count / size), "numbers, not negative", (value) => value >= 0);
      const vector = loops.qsgdDecode(norms, message.rest(), { bucket: size, levels, dense: parameter === 1 }, count);
      if (vector === "truncated") return message.truncated();
      if (vector === "corrupt") return message.corrupt("levels", "a stream of codes to the last byte", "another");
      return vector;
    },
  };
}

export const qsgdMethod: Method = {
  method: "QSGD",
  section: "gradients",
  file: "gradients/qsgd.ts",
  paper: QSGD,
  published: "at most min(n/s², √n/s) = 1 of the norm of a bucket of 256 with s = 16",
  laws: [
    "unbiased",
    "variance at most min(n/s², √n/s) ‖v‖²",
    "Elias' codes",
    "at most s (s + √n) numbers that are not 0 on average",
  ],
  kernel: "gradient_qsgd_encode, gradient_qsgd_decode",
  measure: ({ weights }) => figureOf(qsgd({ levels: 16, bucket: 256 }), weights.data),
};
