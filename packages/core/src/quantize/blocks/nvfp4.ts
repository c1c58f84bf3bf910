/** NVFP4: 4-bit floats under 8-bit float scales and one scale of the tensor. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { NVFP4 } from "../papers.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { singleFamily } from "./block-quantizer.ts";
import { E2M1_LEVELS, E2M1_MAX } from "./e2m1.ts";

/** The largest number of E4M3. */
const E4M3_MAX = 448;

/**
 * NVFP4, per tensor and per group of 16 weights:
 *
 *   s_t = max|w| of the tensor / (448 · 6), in f32;   s_g = E4M3(max|w| of the group / 6 / s_t);   ŵ = s_t s_g · E2M1(w / (s_t s_g))
 *
 * each E to nearest, ties to even, beyond its largest number to that. s_t s_g is rounded to f32 and is the scale of the group here; as stored elsewhere s_g is
 * a byte (4.5 bits a weight).
 *
 * Range: ±6 s_t s_g, short of a group's largest weight by 1/16 at most. Gradient in training: straight through inside the range, ∂L/∂w = ∂L/∂ŵ · 1{|w| <= 6 s_t
 * s_g}, else 0. A group whose s_g rounds to 0, which is below 2^-10 beside the tensor's 448, is 0 and has the scale 0; so has a tensor of zeros, and one whose
 * s_t is below 2^-150.
 */
export function nvfp4(): Quantizer<"table", false, "weights"> {
  return defineQuantizer({
    scheme: "nvfp4",
    decoding: "table",
    bits: 4,
    codebook: "fixed",
    per: { group: 16 },
    laws: ["scaleEquivariant", "signSymmetric", "nearest", "keepsZero"],
    paper: NVFP4,
    encode(w) {
      const codebook = Float32Array.from(E2M1_LEVELS);
      const max = w.absMax();
      const tensorScale = Math.fround(max.reduce((most, m) => Math.max(most, m), 0) / (E4M3_MAX * E2M1_MAX));
      const scale = max.map((m) => (tensorScale === 0 ? 0 : tensorScale * e4m3(m / E2M1_MAX / tensorScale)));
      // Under an infinite scale every weight is nearest to 0.
      const divisor = scale.map((s) => (s === 0 ? Number.POSITIVE_INFINITY : s));
      return { codes: w.nearest(codebook, divisor), decoding: { kind: "table", codebook }, scale };
    },
  });
}

/** The number of E4M3 (4 bits of exponent, bias 7, 3 of mantissa, no infinities) nearest to x >= 0, ties to even, 448 beyond. */
export function e4m3(x: number): number {
  const step = powerOfTwo((x < powerOfTwo(-6) ? -6 : floorLog2(x)) - 3);
  const places = x / step;
  const below = Math.floor(places);
  const rest = places - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  return Math.min(E4M3_MAX, rounded * step);
}

export const nvfp4Family: SchemeFamily = singleFamily(
  "nvfp4",
  "4-bit floats (E2M1) under 8-bit float scales per group of 16 (NVFP4)",
  nvfp4,
);

export const nvfp4Method: Method = {
  method: "NVFP4",
  section: "since 2018",
  file: "blocks/nvfp4.ts",
  paper: NVFP4,
  scheme: "nvfp4",
  published: "0.00905 on N(0,1) in groups of 16, by integration",
};
