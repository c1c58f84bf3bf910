/** Uniform grids of 2..8 bits. */
import { OutOfRangeError } from "../../errors.ts";
import { checkInteger, defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Grid } from "../inner.ts";
import type { Method } from "../method.ts";
import { JACOB, TENSORRT, WU_INTEGER } from "../papers.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Law, Per, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { type RangeRule, rangeOf } from "./ranges.ts";

export type UniformBits = 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** A uniform grid apart from its granularity. */
export interface UniformGridOptions {
  readonly bits: UniformBits;
  /**
   * Which weights the grid covers. Default `absmax`, all; but `mse` for 2 bits, where a grid of three levels that covers the largest weight leaves nearly all
   * others at 0.
   */
  readonly range?: RangeRule;
  /** The grid covers [min(w, 0), max(w, 0)] instead of ±max|w|. Default false. */
  readonly asymmetric?: boolean;
}

export interface UniformOptions extends UniformGridOptions {
  /** Default: per output channel. */
  readonly per?: Per;
}

/**
 * Affine quantization r = S(q - Z) (Jacob et al., eq. 1), q = clamp(round(r / S) + Z), ties to even. With b bits and
 * M = 2^(b-1) - 1 (symmetric) or L = 2^b - 1 (asymmetric):
 *
 *   symmetric:  S = max|w| / M, Z in the middle; levels -M..M times S (the code below -M stays unused, so that -w has the code of w mirrored)
 *   asymmetric: S = (max(w, 0) - min(w, 0)) / L, Z = round(-min(w, 0) / S); 0 is a level
 *
 * `mse` multiplies S by the ratio r of least Σ(w - ŵ)² per group: r = 1, 0.95 ... 0.05, then in steps of 0.01 around the best; the larger r on
 * a tie. `percentile` takes the p-th percentile of |w| for its maximum (the weight at rank floor(n p) of n, so none is left out of fewer than 100 / (100 - p)),
 * and `kl` the end of least KL(P ‖ Q) among 128 parts of the range, P being a histogram of 2048 bins with what lies beyond in the last, Q the same in 2^(b-1)
 * levels: it wants groups of thousands of weights. Gradient in training: straight through inside the range, ∂L/∂w = ∂L/∂ŵ · 1{|w| <= S·M}, else 0.
 *
 * A group of zeros gets S = 1. S is at least 2^-149, and a hair smaller where S·M would round to infinity. An asymmetric grid of weights near
 * f32's maximum may still reach beyond it, which `quantize` refuses (OutOfRangeError).
 */
export function uniform(options: UniformOptions): Quantizer<"affine", false, "weights"> {
  const { bits, per = "channel", range = defaultRange(options.bits), asymmetric = false } = options;
  checkInteger("int<b>", "bits", bits, 2, 8);
  if (typeof range === "object") checkPercentile(range);
  // Rounding Z moves the ends of an asymmetric grid by up to half a step, so that a second pass may see another range; saturation moves a divergence.
  const idempotent: readonly Law[] = asymmetric || range === "kl" ? [] : ["idempotent"];
  const symmetric: readonly Law[] = asymmetric ? [] : ["signSymmetric"];
  const monotone: readonly Law[] = range === "kl" ? [] : ["monotoneInBits"];
  return defineQuantizer({
    scheme: `int${bits}${perSuffix(per, "channel")}${asymmetric ? ":asym" : ""}${rangeSuffix(range, bits)}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    laws: [...idempotent, ...symmetric, "scaleEquivariant", "nearest", "keepsZero", ...monotone],
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
  const limits = { minCode: asymmetric ? 0 : 1, maxCode: 2 ** bits - 1 };
  return { ...rangeOf(w, bits, asymmetric, range, limits), ...limits };
}

export const defaultRange = (bits: number): "absmax" | "mse" => (bits === 2 ? "mse" : "absmax");

function rangeSuffix(range: RangeRule, bits: number): string {
  if (typeof range === "object") return `:p${range.percentile}`;
  return range === defaultRange(bits) ? "" : `:${range}`;
}

/** @throws OutOfRangeError for a percentile that is not 50 up to 100 with four decimals */
function checkPercentile({ percentile }: { readonly percentile: number }): void {
  const decimals = percentile * 10_000;
  if (!(percentile >= 50 && percentile < 100 && Math.abs(decimals - Math.round(decimals)) < 1e-6)) {
    throw new OutOfRangeError("quantizer int<b>", "percentile", "50 up to but not 100, at most 4 decimals", percentile);
  }
}

export const uniformFamily: SchemeFamily = {
  syntax: "int<2..8>[:tensor|:g<n>][:asym][:mse|:absmax|:kl|:p<percent>]",
  summary:
    "uniform grid, symmetric over max |w| per channel; :asym over min..max, :mse (2 bits: by default) for the range of least error, :p99.9 of a percentile, :kl of least divergence",
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
    "int4:tensor:p99.5",
    "int4:asym:p95",
    "int8:tensor:kl",
    "int4:kl",
  ],
  owns: (head) => /^int[2-8]$/.test(head),
  parse(scheme, head, args) {
    const bits = Number(head.slice(3)) as UniformBits;
    const [percentiles, others] = [
      args.filter((arg) => PERCENTILE.test(arg)),
      args.filter((arg) => !PERCENTILE.test(arg)),
    ];
    const { per, flags } = modifiers(scheme, others, { per: "channel", flags: ["asym", "mse", "absmax", "kl"] });
    const ranges: RangeRule[] = [
      ...(["mse", "absmax", "kl"] as const).filter((name) => flags.has(name)),
      ...percentiles.map((text) => ({ percentile: Number(text.slice(1)) })),
    ];
    if (ranges.length > 1) throw new SchemeError(scheme, "range", "one of mse, absmax, kl, p<percent>");
    return uniform({ bits, per, range: ranges[0] ?? defaultRange(bits), asymmetric: flags.has("asym") });
  },
};

/** 50 to 99.9999. */
const PERCENTILE = /^p[5-9][0-9](\.[0-9]{1,4})?$/;

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
  {
    ...rounding,
    method: "Uniform, range of a percentile",
    paper: WU_INTEGER,
    scheme: "int4:tensor:p99.5",
    published: "0.01416 on N(0,1), a step of 2.807 / 7, by integration",
  },
  {
    ...rounding,
    method: "Uniform, range of least divergence (TensorRT's)",
    paper: TENSORRT,
    scheme: "int8:tensor:kl",
    published: "48.1 dB on weights spread evenly, 4 · 127², which lose none of their range",
  },
];
