/** GGUF's TQ1_0 and TQ2_0: blocks of 256 trits. */
import type { Method } from "../method.ts";
import { GGML } from "../papers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { affineBlocks, singleFamily } from "./block-quantizer.ts";

/**
 * TQ1_0 as llama.cpp's `quantize_row_tq1_0_ref` has it. Per block of 256 weights, each step in f32:
 *
 *   d = max|w|;   t = round(w · (1 / d)), halves away from zero;   ŵ = t f16(d)
 *
 * It is made for weights that are ternary already (BitNet b1.58), which it keeps where their scale is a number of f16; of others it keeps those above half the
 * largest. In a GGUF file five trits are a byte and a block is 54 bytes (1.6875 bits a weight), see `toBlocks`; here codes are t + 1 in 2 bits.
 *
 * Range: {-1, 0, +1} f16(d). Gradient in training: straight through, ∂L/∂w = ∂L/∂ŵ. A block of zeros has d = 0; max|w| of at most 2^-25 rounds to 0; 65520 and
 * above has no f16 and is refused (OutOfRangeError). The last block of a row is shorter where 256 does not divide; GGUF has no such rows.
 */
export function tq1_0(): Quantizer<"affine", false, "weights"> {
  return affineBlocks("tq1_0", ["idempotent", "signSymmetric", "keepsZero"]);
}

/** TQ2_0: the codes and scales of {@link tq1_0}; in a GGUF file four to a byte, a block is 66 bytes (2.0625 bits a weight). */
export function tq2_0(): Quantizer<"affine", false, "weights"> {
  return affineBlocks("tq2_0", ["idempotent", "signSymmetric", "keepsZero"]);
}

export const tq1_0Family: SchemeFamily = singleFamily(
  "tq1_0",
  "GGUF's TQ1_0: blocks of 256 trits, five to a byte, f16 scales",
  tq1_0,
);
export const tq2_0Family: SchemeFamily = singleFamily(
  "tq2_0",
  "GGUF's TQ2_0: blocks of 256 trits, four to a byte, f16 scales",
  tq2_0,
);

const row = { section: "since 2018", file: "blocks/tq.ts", paper: GGML } as const;

export const tqMethods: readonly Method[] = [
  {
    ...row,
    method: "GGUF TQ1_0",
    scheme: "tq1_0",
    published: "0.651 on N(0,1) in blocks of 256, by integration; 0 on ternary weights; 1.6875 bits a weight in GGUF",
    agrees: { "GGUF TQ2_0": "TQ1_0 and TQ2_0 are one formula in two packings" },
  },
  {
    ...row,
    method: "GGUF TQ2_0",
    scheme: "tq2_0",
    published: "0.651 on N(0,1) in blocks of 256, by integration; 0 on ternary weights; 2.0625 bits a weight in GGUF",
    agrees: { "GGUF TQ1_0": "TQ1_0 and TQ2_0 are one formula in two packings" },
  },
];
