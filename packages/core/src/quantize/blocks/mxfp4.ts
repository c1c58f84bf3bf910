/** MXFP4: 4-bit floats under a shared power of two. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { OCP_MX } from "../papers.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { singleFamily } from "./block-quantizer.ts";
import { E2M1_LEVELS } from "./e2m1.ts";

/** Exponent of the largest power of two among the levels: 4. */
const ELEMENT_EXPONENT = 2;
/** The smallest shared exponent, that of E8M0. */
const LEAST_EXPONENT = -127;

/**
 * MXFP4 (OCP microscaling formats 1.0, sections 5.3 and 6.3), per group of 32 weights:
 *
 *   X = 2^(floor(log₂ max|w|) - 2), at least 2^-127;   ŵ = X · E2M1(w / X), to nearest, ties to even, beyond 6 to ±6
 *
 * Range: ±6 X, where max|w| lies in [4 X, 8 X): the largest weights are clipped by up to a quarter. Gradient in training: straight through inside the range,
 * ∂L/∂w = ∂L/∂ŵ · 1{|w| <= 6 X}, else 0. A group of zeros has X = 1. Below 2^-125 X stays at 2^-127 and denormals have its steps of 2^-128. As stored elsewhere
 * a scale is a byte (4.25 bits a weight); here it is an f32.
 */
export function mxfp4(): Quantizer<"table", false, "weights"> {
  return defineQuantizer({
    scheme: "mxfp4",
    decoding: "table",
    bits: 4,
    codebook: "fixed",
    per: { group: 32 },
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "nearest", "keepsZero"],
    paper: OCP_MX,
    encode(w) {
      const codebook = Float32Array.from(E2M1_LEVELS);
      const scale = w
        .absMax()
        .map((max) => (max === 0 ? 1 : powerOfTwo(Math.max(LEAST_EXPONENT, floorLog2(max) - ELEMENT_EXPONENT))));
      return { codes: w.nearest(codebook, scale), decoding: { kind: "table", codebook }, scale };
    },
  });
}

export const mxfp4Family: SchemeFamily = singleFamily(
  "mxfp4",
  "4-bit floats (E2M1) under a power of two per group of 32 (OCP MX)",
  mxfp4,
);

export const mxfp4Method: Method = {
  method: "MXFP4",
  section: "since 2018",
  file: "blocks/mxfp4.ts",
  paper: OCP_MX,
  scheme: "mxfp4",
  published: "0.0132 on N(0,1) in groups of 32, by integration",
};
