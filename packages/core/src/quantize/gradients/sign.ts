/** signSGD, its majority vote, and signs with error feedback. */
import { InputError } from "../../errors.ts";
import { kernelGradientLoops } from "../../kernels/gradients.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { kernelsOf } from "../engine.ts";
import type { Method } from "../method.ts";
import { EF_SIGN_SGD, SIGN_SGD } from "../papers.ts";
import { gradientCodec } from "./codec.ts";
import { figureOf } from "./figure.ts";
import { scaledLevels } from "./loops.ts";
import type { GradientQuantizer } from "./types.ts";
import { Message, writeMessage } from "./wire.ts";

/**
 * signSGD (Bernstein et al., algorithm 1): sign(g), and nothing else. Not unbiased; the scale is the learning rate's. 0 and -0 count as positive.
 *
 * **Wire**, after the frame: bits, 1 = minus, number i in bit i mod 8 of byte i / 8, spare ones 0. 8 + ceil(n / 8) bytes.
 */
export function signSgd(): GradientQuantizer {
  return {
    scheme: "sign",
    bits: 1,
    unbiased: false,
    feedback: false,
    paper: SIGN_SGD,
    encode(gradient, { loops }) {
      const count = gradient.length;
      using x = loops.load(gradient);
      return writeMessage({ method: "sign", count }, loops.pack(x.signCodes(), 1, count, 1));
    },
    decode(bytes, loops) {
      const { count, codes } = readSigns("decode sign", bytes);
      return scaledLevels(loops, count, Float32Array.of(1), { bits: 1, codes, decoding: { kind: "sign" } });
    },
  };
}

function readSigns(op: string, bytes: Uint8Array): { count: number; codes: Uint8Array } {
  const message = new Message(op, bytes, "sign");
  message.expect("parameters", 0, message.parameter + message.wide);
  const codes = message.codes(1);
  message.end();
  return { count: message.count, codes };
}

/**
 * The majority vote of signSGD (algorithm 3): of messages of {@link signSgd} the message with the sign of each sum, + where as many say + as -, which odd
 * numbers of workers never do.
 * @throws InputError without messages, WireError where one is none or has another number of signs
 */
export async function majorityVote(messages: readonly Uint8Array[], kernels?: KernelInstance): Promise<Uint8Array> {
  if (messages.length === 0) throw new InputError("majorityVote", "messages", "1 or more", 0);
  const rows = messages.map((bytes, voter) => readSigns(`majorityVote, message ${voter}`, bytes));
  const { count } = rows[0]!;
  const signs = new Uint8Array(rows.length * Math.ceil(count / 8));
  rows.forEach((row, voter) => {
    if (row.count !== count)
      new Message(`majorityVote, message ${voter}`, messages[voter]!, "sign").corrupt("numbers", count, row.count);
    signs.set(row.codes, voter * row.codes.length);
  });
  const loops = kernelGradientLoops(await kernelsOf(kernels));
  return writeMessage({ method: "sign", count }, loops.majority(signs, messages.length, count));
}

/**
 * EF-signSGD (Karimireddy et al., algorithm 1), with e what earlier messages have lost:
 *
 *   p = g + e;   Δ = (‖p‖₁ / n) sign(p);   e ← p - Δ
 *
 * Not unbiased; ‖p - Δ‖² = (1 - ‖p‖₁² / (n ‖p‖²)) ‖p‖², and the sum of messages is off by the last e alone. 0 and -0 count as positive; p of one magnitude are
 * exact; g + e beyond f32 is refused (OutOfRangeError).
 *
 * **Wire**, after the frame: f32 ‖p‖₁ / n; bits as of {@link signSgd}. 12 + ceil(n / 8) bytes.
 */
export function efSignSgd(): GradientQuantizer {
  return {
    scheme: "ef-sign",
    bits: 1,
    unbiased: false,
    feedback: true,
    paper: EF_SIGN_SGD,
    encode(gradient, state) {
      const { loops } = state;
      const count = gradient.length;
      const op = "encode ef-sign";
      const { codes, levels, residual } = loops.oneBit(gradient, state.residualOf(op, count), count, true);
      state.keep(op, residual);
      return writeMessage({ method: "feedbackSign", count }, levels.subarray(0, 1), loops.pack(codes, 1, count, 1));
    },
    decode(bytes, loops) {
      const message = new Message("decode ef-sign", bytes, "feedbackSign");
      const { count } = message;
      message.expect("parameters", 0, message.parameter + message.wide);
      const scale = message.floats("scale", 1, "number, not negative", (value) => value >= 0);
      const codes = message.codes(1);
      message.end();
      return scaledLevels(loops, count, scale, { bits: 1, codes, decoding: { kind: "sign" } });
    },
  };
}

export const signMethods: readonly Method[] = [
  {
    method: "signSGD",
    section: "gradients",
    file: "gradients/sign.ts",
    paper: SIGN_SGD,
    published: "37.07° between N(0,1) and its signs: acos √(2/π)",
    laws: ["signs", "1 bit a number", "majority of votes"],
    kernel: "quantize_signs, gradient_majority",
    async measure({ weights: { data } }) {
      const codec = await gradientCodec(signSgd());
      const bytes = codec.encode(data);
      const signs = codec.decode(bytes);
      const sums = data.reduce(({ dot, squares }, w, i) => ({ dot: dot + w * signs[i]!, squares: squares + w * w }), {
        dot: 0,
        squares: 0,
      });
      const cosine = sums.dot / Math.sqrt(sums.squares * data.length);
      return `cosine ${cosine.toFixed(4)} (0.7979 is 37.07°) with ${((8 * bytes.length) / data.length).toFixed(2)} bits a number`;
    },
  },
  {
    method: "EF-signSGD",
    section: "gradients",
    file: "gradients/sign.ts",
    paper: EF_SIGN_SGD,
    published: "1 - 2/π = 0.363 on N(0,1): 1 - ‖p‖₁² / (n ‖p‖²)",
    laws: ["error feedback: Σ sent + residual = Σ gradients", "error by its closed form", "1 bit a number"],
    kernel: "gradient_one_bit, quantize_decode",
    measure: ({ weights }) => figureOf(efSignSgd(), weights.data),
  },
];
