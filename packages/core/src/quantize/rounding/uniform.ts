/** Uniform grids of 2..8 bits. */
import { checkInteger, defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Grid } from "../inner.ts";
import type { Method } from "../method.ts";
import { JACOB } from "../papers.ts";
import { LEAST_FLOAT, previousFloat } from "../powers.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Law, Per, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";

export type UniformBits = 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** A uniform grid apart from its granularity. */
export interface UniformGridOptions {
  readonly bits: UniformBits;
  /**
   * `absmax`: the grid covers every weight. `mse`: it is shrunk to the range of least squared error. Default `absmax`, but `mse` for 2 bits, where a grid
   * of three levels that covers the largest weight leaves nearly all others at 0.
   */
  readonly range?: "absmax" | "mse";
  /** The grid covers [min(w, 0), max(w, 0)] instead of ±max|w|. Default false. */
  readonly asymmetric?: boolean;
}

export interface UniformOptions extends UniformGridOptions {
  /** Default: per output channel. */
  readonly per?: Per;
}

/** A grid as each group has it: the largest magnitude that its ends stand for is `scale` times the ends. */
interface Range {
  readonly scale: Float32Array;
  readonly zeroPoint: number | Int32Array;
}

/**
 * Affine quantization r = S(q - Z) (Jacob et al., eq. 1), q = clamp(round(r / S) + Z), ties to even. With b bits and
 * M = 2^(b-1) - 1 (symmetric) or L = 2^b - 1 (asymmetric):
 *
 *   symmetric:  S = max|w| / M, Z in the middle; levels -M..M times S (the code below -M stays unused, so that -w has the code of w mirrored)
 *   asymmetric: S = (max(w, 0) - min(w, 0)) / L, Z = round(-min(w, 0) / S); 0 is a level
 *
 * `mse` multiplies S by the ratio r of least Σ(w - ŵ)² per group: r = 1, 0.95 ... 0.05, then in steps of 0.01 around the best; the larger r on
 * a tie. Gradient in training: straight through inside the range, ∂L/∂w = ∂L/∂ŵ · 1{|w| <= S·M}, else 0.
 *
 * A group of zeros gets S = 1. S is at least 2^-149, and a hair smaller where S·M would round to infinity. An asymmetric grid of weights near
 * f32's maximum may still reach beyond it, which `quantize` refuses (OutOfRangeError).
 */
export function uniform(options: UniformOptions): Quantizer<"affine", false, "weights"> {
  const { bits, per = "channel", range = defaultRange(options.bits), asymmetric = false } = options;
  checkInteger("int<b>", "bits", bits, 2, 8);
  const rangeSuffix = range === defaultRange(bits) ? "" : `:${range}`;
  // Rounding Z moves the ends of an asymmetric grid by up to half a step, so that a second pass may see another range.
  const symmetricLaws: readonly Law[] = asymmetric ? [] : ["idempotent", "signSymmetric"];
  return defineQuantizer({
    scheme: `int${bits}${perSuffix(per, "channel")}${asymmetric ? ":asym" : ""}${rangeSuffix}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    laws: [...symmetricLaws, "scaleEquivariant", "nearest", "keepsZero", "monotoneInBits"],
    coarser: bits > 2 ? () => uniform({ ...options, range, bits: (bits - 1) as UniformBits }) : undefined,
    paper: JACOB,
    encode(w) {
      const grid = uniformGrid(w, options);
      return { codes: w.gridCodes(grid), decoding: { kind: "affine", zeroPoint: grid.zeroPoint }, scale: grid.scale };
    },
  });
}

/** The grid of {@link uniform} for these weights, for quantizers that round to it by another rule. */
export function uniformGrid(
  w: Weights,
  { bits, range = defaultRange(bits), asymmetric = false }: UniformGridOptions,
): Grid {
  const widest = asymmetric ? asymmetricRange(w, bits) : symmetricRange(w, bits);
  const limits = { minCode: asymmetric ? 0 : 1, maxCode: 2 ** bits - 1 };
  return { ...(range === "mse" ? leastErrorRange(w, widest, limits) : widest), ...limits };
}

export const defaultRange = (bits: number): "absmax" | "mse" => (bits === 2 ? "mse" : "absmax");

function symmetricRange(w: Weights, bits: number): Range {
  const ends = 2 ** (bits - 1) - 1;
  return { scale: w.absMax().map((max) => scaleFor(max, ends)), zeroPoint: 2 ** (bits - 1) };
}

function asymmetricRange(w: Weights, bits: number): Range {
  const steps = 2 ** bits - 1;
  const { min, max } = w.minMax();
  const low = min.map((m) => Math.min(m, 0));
  const scale = max.map((m, group) => scaleFor(Math.max(m, 0) - low[group]!, steps));
  // -low / scale is at least 0, so Math.round (ties up) differs from ties-to-even in the choice of one of two equally good grids.
  return { scale, zeroPoint: Int32Array.from(scale, (s, group) => Math.min(steps, Math.round(-low[group]! / s))) };
}

/** f32 scale so that `steps` of it reach `extent`. */
export function scaleFor(extent: number, steps: number): number {
  if (extent === 0) return 1;
  const scale = Math.max(Math.fround(extent / steps), LEAST_FLOAT);
  return Math.fround(scale * steps) === Number.POSITIVE_INFINITY ? previousFloat(scale) : scale;
}

/** Shrinks each group's range to the ratio of least squared error. */
function leastErrorRange(w: Weights, widest: Range, limits: { minCode: number; maxCode: number }): Range {
  const bestError = new Float64Array(w.groups).fill(Number.POSITIVE_INFINITY);
  const bestPercent = new Uint8Array(w.groups).fill(100);
  const scaleAt = (percent: (group: number) => number): Float32Array =>
    widest.scale.map((scale, group) => Math.max((scale * percent(group)) / 100, LEAST_FLOAT));
  const attempt = (percent: (group: number) => number): void => {
    const errors = w.gridErrors({ scale: scaleAt(percent), zeroPoint: widest.zeroPoint, ...limits });
    for (let group = 0; group < errors.length; group++) {
      if (errors[group]! < bestError[group]!) {
        bestError[group] = errors[group]!;
        bestPercent[group] = percent(group);
      }
    }
  };
  for (let percent = 100; percent >= 5; percent -= 5) attempt(() => percent);
  const coarse = bestPercent.slice();
  for (let offset = 4; offset >= -4; offset--) {
    if (offset !== 0) attempt((group) => Math.min(100, coarse[group]! + offset));
  }
  return { scale: scaleAt((group) => bestPercent[group]!), zeroPoint: widest.zeroPoint };
}

export const uniformFamily: SchemeFamily = {
  syntax: "int<2..8>[:tensor|:g<n>][:asym][:mse|:absmax]",
  summary:
    "uniform grid, symmetric over max |w| per channel; :asym over min..max, :mse (2 bits: by default) for the range of least error",
  examples: [
    "int2",
    "int3",
    "int4",
    "int8",
    "int4:tensor",
    "int4:g32",
    "int2:absmax",
    "int4:mse",
    "int8:mse",
    "int2:asym",
    "int4:asym",
    "int4:g32:asym:mse",
  ],
  owns: (head) => /^int[2-8]$/.test(head),
  parse(scheme, head, args) {
    const { per, flags } = modifiers(scheme, args, { per: "channel", flags: ["asym", "mse", "absmax"] });
    if (flags.has("mse") && flags.has("absmax")) throw new SchemeError(scheme, "range", "one of mse, absmax");
    const bits = Number(head.slice(3)) as UniformBits;
    const range = flags.has("mse") ? "mse" : flags.has("absmax") ? "absmax" : defaultRange(bits);
    return uniform({ bits, per, range, asymmetric: flags.has("asym") });
  },
};

const rounding = { section: "deterministic: rounding", file: "rounding/uniform.ts", paper: JACOB } as const;

export const uniformMethods: readonly Method[] = [
  {
    ...rounding,
    method: "Uniform, symmetric over max |w|",
    scheme: "int8",
    published: "6.02 dB more for each bit",
  },
  {
    ...rounding,
    method: "Uniform, range of least squared error",
    scheme: "int4:mse",
    published: "0.01289 on N(0,1), best grid of 15 levels",
  },
  {
    ...rounding,
    method: "Uniform, asymmetric",
    scheme: "int4:asym",
    published: "6.02 dB more for each bit",
  },
];
