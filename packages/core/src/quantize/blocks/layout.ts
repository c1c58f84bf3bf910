/** Sizes of GGUF's block types, and what is between weights and blocks: codes and scales. The loops are in crates/kernels/src/blocks. */

/** Types that a quantizer of this library makes. */
export type QuantizerBlock = "q4_0" | "q8_0" | "tq1_0" | "tq2_0" | "q4_k";

/** Types that are read and written. */
export type BlockType =
  | QuantizerBlock
  | "q4_1"
  | "q5_0"
  | "q5_1"
  | "q2_k"
  | "q3_k"
  | "q5_k"
  | "q6_k"
  | "q8_k"
  | "iq4_nl"
  | "iq4_xs"
  | "mxfp4";

export interface BlockLayout {
  /** Number of the type across the border of the kernels. */
  readonly number: number;
  /** Weights of a block; rows of a file are multiples of it. */
  readonly weights: number;
  /** Weights that share a scale. */
  readonly group: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Bits of a code when it is not in a block. */
  readonly bits: 2 | 3 | 4 | 5 | 6 | 8;
  /** How codes become weights: around the code of 0, by a scale and an offset per group, or by a table of levels. */
  readonly decoding: number | "offset" | readonly number[];
}

/** ggml's `kvalues_iq4nl`. */
const IQ4_LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
/** ggml's `kvalues_mxfp4`: E2M1 doubled, under half the power of two; its -0 is 0. */
const MXFP4_LEVELS = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

const layout = (
  number: number,
  [weights, group, bytes]: readonly [number, number, number],
  bits: BlockLayout["bits"],
  decoding: BlockLayout["decoding"],
): BlockLayout => ({ number, weights, group, bytes, bits, decoding });

export const blockLayouts: Readonly<Record<BlockType, BlockLayout>> = {
  q4_0: layout(0, [32, 32, 18], 4, 8),
  q8_0: layout(1, [32, 32, 34], 8, 128),
  tq1_0: layout(2, [256, 256, 54], 2, 1),
  tq2_0: layout(3, [256, 256, 66], 2, 1),
  q4_k: layout(4, [256, 32, 144], 4, "offset"),
  q4_1: layout(5, [32, 32, 20], 4, "offset"),
  q5_0: layout(6, [32, 32, 22], 5, 16),
  q5_1: layout(7, [32, 32, 24], 5, "offset"),
  q2_k: layout(8, [256, 16, 84], 2, "offset"),
  q3_k: layout(9, [256, 16, 110], 3, 4),
  q5_k: layout(10, [256, 32, 176], 5, "offset"),
  q6_k: layout(11, [256, 16, 210], 6, 32),
  q8_k: layout(12, [256, 256, 292], 8, 128),
  iq4_nl: layout(13, [32, 32, 18], 4, IQ4_LEVELS),
  iq4_xs: layout(14, [256, 32, 136], 4, IQ4_LEVELS),
  mxfp4: layout(15, [32, 32, 17], 4, MXFP4_LEVELS),
};

/** Codes, one byte each, and per group a scale and, for types with a minimum, an offset. */
export interface BlockCodes {
  readonly codes: Uint8Array;
  readonly scale: Float32Array;
  readonly offset?: Float32Array;
}
