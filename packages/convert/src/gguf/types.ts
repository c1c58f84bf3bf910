/** Element types of GGUF files by their numbers (`ggml_type`). */
import type { PlainConstant } from "lowbit";
import type { BlockType, StoredFloat } from "lowbit/quantize";

export interface GgufType {
  /** As GGUF's documents spell it. */
  readonly name: string;
  /** Weights and bytes of a block; of plain elements, one element. */
  readonly weights: number;
  readonly bytes: number;
  /** How it is read; absent: it is known and not supported. */
  readonly reads?:
    | { readonly as: "plain"; readonly dtype: PlainConstant["dtype"] }
    | { readonly as: "widened"; readonly stored: StoredFloat }
    | { readonly as: "blocks"; readonly type: BlockType };
}

const plain = (name: string, bytes: number, dtype: PlainConstant["dtype"]): GgufType => ({
  name,
  weights: 1,
  bytes,
  reads: { as: "plain", dtype },
});
const widened = (name: string, bytes: number, stored: StoredFloat): GgufType => ({
  name,
  weights: 1,
  bytes,
  reads: { as: "widened", stored },
});
const blocks = (name: string, weights: number, bytes: number, type: BlockType): GgufType => ({
  name,
  weights,
  bytes,
  reads: { as: "blocks", type },
});
/** Types whose sizes are known, so that the tensors around them can be read. */
const unread = (name: string, weights: number, bytes: number): GgufType => ({ name, weights, bytes });

export const GGUF_TYPES: ReadonlyMap<number, GgufType> = new Map([
  [0, plain("F32", 4, "f32")],
  [1, plain("F16", 2, "f16")],
  [2, blocks("Q4_0", 32, 18, "q4_0")],
  [3, blocks("Q4_1", 32, 20, "q4_1")],
  [6, blocks("Q5_0", 32, 22, "q5_0")],
  [7, blocks("Q5_1", 32, 24, "q5_1")],
  [8, blocks("Q8_0", 32, 34, "q8_0")],
  [9, unread("Q8_1", 32, 36)],
  [10, blocks("Q2_K", 256, 84, "q2_k")],
  [11, blocks("Q3_K", 256, 110, "q3_k")],
  [12, blocks("Q4_K", 256, 144, "q4_k")],
  [13, blocks("Q5_K", 256, 176, "q5_k")],
  [14, blocks("Q6_K", 256, 210, "q6_k")],
  [15, blocks("Q8_K", 256, 292, "q8_k")],
  [16, unread("IQ2_XXS", 256, 66)],
  [17, unread("IQ2_XS", 256, 74)],
  [18, unread("IQ3_XXS", 256, 98)],
  [19, unread("IQ1_S", 256, 50)],
  [20, blocks("IQ4_NL", 32, 18, "iq4_nl")],
  [21, unread("IQ3_S", 256, 110)],
  [22, unread("IQ2_S", 256, 82)],
  [23, blocks("IQ4_XS", 256, 136, "iq4_xs")],
  [24, plain("I8", 1, "int8")],
  [25, plain("I16", 2, "int16")],
  [26, plain("I32", 4, "int32")],
  [27, plain("I64", 8, "int64")],
  [28, widened("F64", 8, "f64")],
  [29, unread("IQ1_M", 256, 56)],
  [30, widened("BF16", 2, "bf16")],
  [34, blocks("TQ1_0", 256, 54, "tq1_0")],
  [35, blocks("TQ2_0", 256, 66, "tq2_0")],
  [39, blocks("MXFP4", 32, 17, "mxfp4")],
  [40, unread("NVFP4", 64, 36)],
]);

/** Names of the types that are read, for messages. */
export const GGUF_READABLE: readonly string[] = [...GGUF_TYPES.values()].flatMap(({ name, reads }) =>
  reads ? [name] : [],
);

/** Their numbers by their names. */
export const GGUF_TYPE_NUMBER: ReadonlyMap<string, number> = new Map(
  [...GGUF_TYPES].map(([number, { name }]) => [name, number] as const),
);
