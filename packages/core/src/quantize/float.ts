/** No quantization: the row that every comparison starts from. */
import { defineQuantizer } from "./define.ts";
import { IEEE_754 } from "./papers.ts";
import { noMore, type SchemeFamily } from "./scheme-family.ts";
import type { Quantizer } from "./types.ts";

/** ŵ = w, 32 bits each; gradient 1. */
export function float(): Quantizer<"identity", false, "weights"> {
  return defineQuantizer({
    scheme: "float",
    decoding: "identity",
    bits: 32,
    codebook: "fixed",
    per: "tensor",
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "nearest", "optimalScale", "keepsZero"],
    paper: IEEE_754,
    encode: () => undefined,
  });
}

export const floatFamily: SchemeFamily = {
  syntax: "float",
  summary: "32-bit floats as they are",
  examples: ["float"],
  owns: (head) => head === "float",
  parse(scheme, _head, args) {
    noMore(scheme, args);
    return float();
  },
};
