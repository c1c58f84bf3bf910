/** Sizes of GGUF's block types, and what is between weights and blocks: codes and scales. The loops are in crates/kernels/src/blocks. */

export type BlockType = "q4_0" | "q8_0" | "tq1_0" | "tq2_0" | "q4_k";

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
  readonly bits: 2 | 4 | 8;
  /** The code of 0; with offsets it has none. */
  readonly zeroPoint: number;
  readonly offsets: boolean;
}

export const blockLayouts: Readonly<Record<BlockType, BlockLayout>> = {
  q4_0: { number: 0, weights: 32, group: 32, bytes: 18, bits: 4, zeroPoint: 8, offsets: false },
  q8_0: { number: 1, weights: 32, group: 32, bytes: 34, bits: 8, zeroPoint: 128, offsets: false },
  tq1_0: { number: 2, weights: 256, group: 256, bytes: 54, bits: 2, zeroPoint: 1, offsets: false },
  tq2_0: { number: 3, weights: 256, group: 256, bytes: 66, bits: 2, zeroPoint: 1, offsets: false },
  q4_k: { number: 4, weights: 256, group: 32, bytes: 144, bits: 4, zeroPoint: 0, offsets: true },
};

/** Codes, one byte each, and per group a scale and, for Q4_K alone, an offset. */
export interface BlockCodes {
  readonly codes: Uint8Array;
  readonly scale: Float32Array;
  readonly offset?: Float32Array;
}
