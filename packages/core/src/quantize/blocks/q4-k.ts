/** GGUF's Q4_K: 4 bits with a minimum, and scales of scales. */
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { GGML } from "../papers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { singleFamily } from "./block-quantizer.ts";

/**
 * Q4_K as llama.cpp's `quantize_row_q4_K_ref` has it: without an importance matrix. Per sub-block of 32 weights, each step in f32:
 *
 *   1. weights of the error u = sqrt(E w²) + |w|;
 *   2. codes = round((w - min) / s) of a grid over [min(w, 0), max w], and of 21 grids of n = 14, 14.1 ... 16 steps over it; after each, s and min <= 0 by weighted least
 *      squares with those codes; the least Σ u (s code + min - w)² wins, the earliest on a tie (`make_qkx2_quants`);
 *   3. per block of eight sub-blocks: d = f16(max s / 63), m = f16(max -min / 63); s_j and t_j the 6-bit integers nearest to s / d and -min / m;
 *   4. codes anew: code = clamp(round((w + m t_j) / (d s_j)), 0, 15);   ŵ = d s_j code - m t_j
 *
 * Rounds to nearest, ties to even. In a GGUF file a block of 256 is 144 bytes (4.5 bits a weight), see `toBlocks`; in memory scale and offset are f32.
 *
 * Range: 16 levels per sub-block, of which none need be 0. Gradient in training: straight through, ∂L/∂w = ∂L/∂ŵ. Sub-blocks of zeros are 0. A sub-block of one
 * value is exact to its 6 bits; max s below 63 · 2^-25 rounds to 0. Weights whose d or m has no f16 (from about 4e6 on) are refused (OutOfRangeError). The last
 * block of a row is shorter where 256 does not divide; GGUF has no such rows.
 */
export function q4_k(): Quantizer<"offset", false, "weights"> {
  return defineQuantizer({
    scheme: "q4_k",
    decoding: "offset",
    bits: 4,
    codebook: "adaptive",
    per: { group: 32 },
    laws: ["nearest"],
    paper: GGML,
    encode(w) {
      const { codes, scale, offset } = w.blockCodes("q4_k");
      return { codes, decoding: { kind: "offset", offset: offset! }, scale };
    },
  });
}

export const q4_kFamily: SchemeFamily = singleFamily(
  "q4_k",
  "GGUF's Q4_K: sub-blocks of 32 with a minimum, 4 bits, 6-bit scales of f16 scales",
  q4_k,
);

export const q4_kMethod: Method = {
  method: "GGUF Q4_K",
  section: "since 2018",
  file: "blocks/q4-k.ts",
  paper: GGML,
  scheme: "q4_k",
  published: "0.00509, what llama.cpp's reference has on 2^22 numbers of N(0,1); 4.5 bits a weight in GGUF",
};
