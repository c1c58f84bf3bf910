/** Uniform bins with the means of their weights as levels: what Huffman codes then shorten. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { CHOI } from "../papers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { bitsFor } from "./kmeans.ts";
import { unitOf } from "./unit.ts";

/**
 * Uniform quantization for entropy coding (Choi et al., section on uniform quantization): bins of one width Δ around multiples of it, and as the level of each the mean of its weights,
 *
 *   Δ = max |w| / m,   i = round(w / Δ) in -m..m,   m = floor((k - 1) / 2),   cᵢ = Σ w / |Cᵢ|   over its weights.
 *
 * At high rates no scalar quantizer has less error for its entropy H: the relative MSE on N(0,1) nears (πe/6) 2^(-2H). Pruned weights share the bin around 0. Codes are stored in ceil(log₂ k) bits; their
 * entropy is what a Huffman code nears. An empty bin keeps its middle. A tensor of zeros is exact, as is one of equal magnitudes. Gradient in training: ∂L/∂cᵢ = Σ of its members' gradients.
 *
 * @param options `k`: 3..256 levels; of an even number one is not used.
 */
export function ecsqUniform({ k }: { readonly k: number }): Quantizer<"table", false, "weights"> {
  const scheme = `ecsq-uniform:${k}`;
  checkInteger(scheme, "levels", k, 3, 256);
  const most = Math.floor((k - 1) / 2);
  return defineQuantizer({
    scheme,
    decoding: "table",
    bits: bitsFor(k),
    codebook: "adaptive",
    per: "tensor",
    laws: ["scaleEquivariant", "signSymmetric", "optimalScale", "keepsMean", "monotoneInBits"],
    coarser: k >= 5 ? () => ecsqUniform({ k: Math.ceil(k / 2) }) : undefined,
    paper: CHOI,
    encode(w) {
      const step = w.absMax()[0]! / most;
      const codes = w.gridCodes({ scale: Float32Array.of(step), zeroPoint: most, minCode: 0, maxCode: 2 * most });
      const { factor, restore } = unitOf(w);
      using scaled = w.curved(factor, { values: w.values() });
      const sums = scaled.sums(codes, 2 * most + 1);
      const means = Float32Array.from({ length: 2 * most + 1 }, (_, i) =>
        sums[4 * i] === 0 ? (i - most) * step * factor : sums[4 * i + 2]! / sums[4 * i]!,
      );
      return { codes, decoding: { kind: "table", codebook: restore(means) } };
    },
  });
}

export const ecsqUniformFamily: SchemeFamily = {
  syntax: "ecsq-uniform:<3..256>",
  summary: "bins of one width, each with the mean of its weights, for entropy-coded codes",
  examples: ["ecsq-uniform:9", "ecsq-uniform:33"],
  owns: (head) => head === "ecsq-uniform",
  parse(scheme, _head, [k, ...rest]) {
    noMore(scheme, rest);
    return ecsqUniform({ k: integerArgument(scheme, "K of ecsq-uniform:<K>", k, 3, 256) });
  },
};

export const ecsqUniformMethod: Method = {
  method: "Uniform quantization with cluster means, for Huffman codes",
  section: "deterministic: rounding",
  file: "vector/ecsq-uniform.ts",
  paper: CHOI,
  scheme: "ecsq-uniform:33",
  published: "(πe/6) 2^(-2H) on N(0,1) at an entropy H; LeNet 99.28 at 51.25x",
};
