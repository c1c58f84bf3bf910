/** Logarithms rounded: signed powers of two or of its square root. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { LOGNET } from "../papers.ts";
import { floatAbove, floorLog2, powerOfTwo } from "../powers.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

export type LogBits = 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface LogOptions {
  readonly bits: LogBits;
  /** Default: per tensor, as in the paper. */
  readonly per?: Per;
  /** The base of the logarithm: 2, or its square root, whose levels are twice as dense over half the range. Default 2. */
  readonly base?: 2 | "sqrt2";
}

/** 2^(-1/2) and 2^(-1/4): half a step of each base. */
const HALF_STEP = { 2: Math.SQRT1_2, sqrt2: Math.sqrt(Math.SQRT1_2) } as const;

/** The largest exponent of an f32. */
const MAX_EXPONENT = 127;

/**
 * LogNet (Miyashita, Lee, Murmann): weights are rounded as logarithms,
 *
 *   LogQuant(x) = sign(x) · 2^x̃,   x̃ = round(log₂|x|) clipped to n exponents up to the full-scale range;   0 where x = 0 or x̃ lies below them
 *
 * so that |x| in [2^(e - 1/2), 2^(e + 1/2)) becomes 2^e: the threshold is √2, where {@link pow2} (INQ), which takes the nearest, has 1.5. One code is 0 and the others
 * n = 2^(b-1) - 1 exponents of both signs. With base √2, the paper's for more precision, exponents are multiples of 1/2. The largest is the least integer for
 * which no weight saturates, E - 1 <= log₂ max|w| - s/2 < E with s = 1 or 1/2 the step; the paper chooses it per layer by hand.
 *
 * Range: ±2^E per group. Gradient in training: straight through. Away from the ends an error of at most √2 - 1 = 41 % (of base √2, 19 %) of a level; relative MSE of
 * density 1/x over an octave: 0.0386 (0.0099). E is at most 127; a group of zeros has E = 0.
 */
export function log({ bits, per = "tensor", base = 2 }: LogOptions): Quantizer<"table", false, "weights"> {
  checkInteger("log:<b>", "bits", bits, 2, 8);
  return defineQuantizer({
    scheme: `log:${bits}${perSuffix(per, "tensor")}${base === "sqrt2" ? ":sqrt2" : ""}`,
    decoding: "table",
    bits,
    codebook: "fixed",
    per,
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "keepsZero", "ordered", "monotoneInBits"],
    coarser: bits > 2 ? () => log({ bits: (bits - 1) as LogBits, per, base }) : undefined,
    paper: LOGNET,
    encode(w) {
      const halfStep = HALF_STEP[base];
      const magnitudes = Array.from({ length: 2 ** (bits - 1) - 1 }, (_, i) => power(base, -i));
      const thresholds = magnitudes.map((level) => level * halfStep);
      const codebook = Float32Array.from([...magnitudes.map((level) => -level), 0, ...magnitudes.toReversed()]);
      const scale = w
        .absMax()
        .map((max) => (max === 0 ? 1 : powerOfTwo(Math.min(MAX_EXPONENT, floorLog2(max * halfStep) + 1))));
      // Of irrational thresholds none is met exactly: those of -x are those of x mirrored.
      const ascending = [...thresholds.map((t) => -t), ...thresholds.toReversed()];
      const codes = w.thresholdCodes(Float32Array.from(ascending, floatAbove), scale);
      return { codes, decoding: { kind: "table", codebook }, scale };
    },
  });
}

/** base^exponent, exponent >= -126 (of base √2, in halves). */
function power(base: 2 | "sqrt2", exponent: number): number {
  if (base === 2) return powerOfTwo(exponent);
  const whole = Math.ceil(exponent / 2);
  return exponent % 2 === 0 ? powerOfTwo(whole) : powerOfTwo(whole) * Math.SQRT1_2;
}

export const logFamily: SchemeFamily = {
  syntax: "log:<2..8>[:channel|:g<n>][:sqrt2]",
  summary: "0 and signed powers of two, log2 |w| rounded (LogNet); :sqrt2 for powers of its root",
  examples: ["log:3", "log:4", "log:4:sqrt2"],
  owns: (head) => head === "log",
  parse(scheme, _head, [bits, ...args]) {
    const { per, flags } = modifiers(scheme, args, { per: "tensor", flags: ["sqrt2"] });
    return log({
      bits: integerArgument(scheme, "bits of log:<bits>", bits, 2, 8) as LogBits,
      per,
      base: flags.has("sqrt2") ? "sqrt2" : 2,
    });
  },
};

const row = { section: "deterministic: rounding", file: "rounding/log.ts", paper: LOGNET } as const;

export const logMethods: readonly Method[] = [
  {
    ...row,
    method: "Logarithms rounded (LogNet)",
    scheme: "log:4",
    published:
      "0.0413 on N(0,1) with exponents 2 to -4, by integration; 0.0386 where every octave has its share of weights",
  },
  {
    ...row,
    method: "Logarithms to the base √2 rounded (LogNet)",
    scheme: "log:4:sqrt2",
    published:
      "0.0287 on N(0,1) with exponents 2 to -1, by integration; 0.0099 where every octave has its share of weights",
  },
];
