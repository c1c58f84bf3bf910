/** GGUF's Q8_0: blocks of 32, 8 bits. */
import type { Method } from "../method.ts";
import { GGML } from "../papers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { affineBlocks, singleFamily } from "./block-quantizer.ts";

/**
 * Q8_0 as llama.cpp's `quantize_row_q8_0_ref` has it. Per block of 32 weights, each step in f32:
 *
 *   d = max|w| / 127;   q = round(w · (1 / d)), halves away from zero;   ŵ = q f16(d)
 *
 * Codes here are q + 128 around the zero point 128; q = -128 occurs in files of others only. In a GGUF file a block is 34 bytes (8.5 bits a weight), see
 * `toBlocks`.
 *
 * Range: ±127 f16(d). Gradient in training: straight through, ∂L/∂w = ∂L/∂ŵ. A block of zeros has d = 0. Where max|w| is below 127 · 2^-25 d rounds to 0 and so
 * does the block; 127 · 65520 and above has no f16 and is refused (OutOfRangeError). The last block of a row is shorter where 32 does not divide; GGUF has no
 * such rows.
 */
export function q8_0(): Quantizer<"affine", false, "weights"> {
  return affineBlocks("q8_0", ["idempotent", "signSymmetric", "keepsZero"]);
}

export const q8_0Family: SchemeFamily = singleFamily("q8_0", "GGUF's Q8_0: blocks of 32, 8 bits, f16 scales", q8_0);

export const q8_0Method: Method = {
  method: "GGUF Q8_0",
  section: "since 2018",
  file: "blocks/q8-0.ts",
  paper: GGML,
  scheme: "q8_0",
  published: "2.86e-5 on N(0,1) in blocks of 32, by integration; 8.5 bits a weight in GGUF",
};
