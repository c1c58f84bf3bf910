/** What the block types with a zero point share: traits, and the pass that makes their codes. */
import { defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import { GGML } from "../papers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Law, Quantizer } from "../types.ts";
import { blockLayouts, type QuantizerBlock } from "./layout.ts";

/** The quantizer of a type whose weights are (code - zero point) d. */
export function affineBlocks(
  type: Exclude<QuantizerBlock, "q4_k">,
  laws: readonly Law[],
): Quantizer<"affine", false, "weights"> {
  const { bits, group, decoding } = blockLayouts[type];
  const zeroPoint = decoding as number;
  return defineQuantizer({
    scheme: type,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per: { group },
    laws,
    paper: GGML,
    encode(w) {
      const { codes, scale } = w.blockCodes(type);
      return { codes, decoding: { kind: "affine", zeroPoint }, scale };
    },
  });
}

/** A family of one scheme without arguments. */
export function singleFamily(scheme: string, summary: string, make: () => Quantizer): SchemeFamily {
  return {
    syntax: scheme,
    summary,
    examples: [scheme],
    owns: (head) => head === scheme,
    parse(written, _head, [extra]) {
      if (extra !== undefined) throw new SchemeError(written, `modifier ":${extra}"`, "none");
      return make();
    },
  };
}
