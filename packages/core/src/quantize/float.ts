/** No quantization: the row that every comparison starts from. */
import { defineQuantizer } from "./define.ts";
import { SchemeError } from "./errors.ts";
import { IEEE_754 } from "./papers.ts";
import type { SchemeFamily } from "./scheme-family.ts";
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
    if (args.length > 0) throw new SchemeError(scheme, `modifier ":${args[0]}"`, "none");
    return float();
  },
};
