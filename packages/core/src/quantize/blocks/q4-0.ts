/** GGUF's Q4_0: blocks of 32, 4 bits, the largest weight exact to f16. */
import type { Method } from "../method.ts";
import { GGML } from "../papers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { affineBlocks, singleFamily } from "./block-quantizer.ts";

/**
 * Q4_0 as llama.cpp's `quantize_row_q4_0_ref` has it. Per block of 32 weights, with m the one of the largest magnitude (the first of equal ones), each step in
 * f32:
 *
 *   d = m / -8;   code = min(15, trunc(w · (1 / d) + 8.5));   ŵ = (code - 8) f16(d)
 *
 * so that m is code 0 and the other side of the range has 7 steps. f16(d) rounds to nearest, ties to even; codes are those of the unrounded d. In a GGUF file a
 * block is 18 bytes (4.5 bits a weight), see `toBlocks`; in memory the scale is an f32.
 *
 * Range: 15 steps of |m| / 8, from m to -7/8 m. Gradient in training: straight through, ∂L/∂w = ∂L/∂ŵ. A block of zeros has d = -0. Below |m| = 2^-11 d is one
 * of f16's subnormals, at 2^-22 and below it is 0, and so is the block. |m| of 8 · 65520 and above has no f16 and is refused (OutOfRangeError). The last block
 * of a row is shorter where 32 does not divide; GGUF has no such rows.
 */
export function q4_0(): Quantizer<"affine", false, "weights"> {
  return affineBlocks("q4_0", ["idempotent", "signSymmetric", "keepsZero"]);
}

export const q4_0Family: SchemeFamily = singleFamily("q4_0", "GGUF's Q4_0: blocks of 32, 4 bits, f16 scales", q4_0);

export const q4_0Method: Method = {
  method: "GGUF Q4_0",
  section: "since 2018",
  file: "blocks/q4-0.ts",
  paper: GGML,
  scheme: "q4_0",
  published: "0.00738 on N(0,1) in blocks of 32, by integration; 4.5 bits a weight in GGUF",
};
