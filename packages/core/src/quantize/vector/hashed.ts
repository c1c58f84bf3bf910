/** HashedNets: weights share values by a hash of their position, and no code is stored at all. */
import { OutOfRangeError } from "../../errors.ts";
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { CHEN } from "../papers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import { unitOf } from "./unit.ts";

/** The most shared values that a file may hold. */
const MOST_VALUES = 2 ** 22;

/**
 * HashedNets (Chen et al.): w_ij = ξ(i,j) v_h(i,j), with h and the sign ξ a hash of the position. Of a given tensor the values of least squared error are the means
 *
 *   v_b = Σ ξ w / |b|   over the weights of bucket b.
 *
 * N / ratio values of 32 bits are all that is stored. A hash knows nothing of the weights: of independent ones the relative MSE is 1 - (1 - e^-ratio) / ratio (0.875 at 8), so that it is a structure to train in, with
 * ∂L/∂v_b = Σ ξ ∂L/∂w. What already is such a tensor of the same seed is kept exactly, as are zeros; a constant is not.
 *
 * @param options `ratio`: weights to a value, 1..4096.
 * @throws OutOfRangeError (from `quantize`) where there would be more than 4,194,304 values.
 */
export function hashed({ ratio }: { readonly ratio: number }): Quantizer<"hashed", true, "weights"> {
  const scheme = `hashed:${ratio}`;
  checkInteger(scheme, "ratio", ratio, 1, 4096);
  return defineQuantizer({
    scheme,
    decoding: "hashed",
    bits: 0,
    codebook: "adaptive",
    per: "tensor",
    seeded: true,
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "optimalScale"],
    paper: CHEN,
    encode(w, { random }) {
      const count = Math.ceil(w.length / ratio);
      if (count > MOST_VALUES)
        throw new OutOfRangeError(`quantizer ${scheme}`, "values", `at most ${MOST_VALUES}`, count);
      const seed = random.bits32();
      const { factor, restore } = unitOf(w);
      const values = restore(w.hashedMeans(seed, factor, count));
      return { codes: new Uint8Array(0), decoding: { kind: "hashed", values, seed } };
    },
  });
}

export const hashedFamily: SchemeFamily = {
  syntax: "hashed:<1..4096>",
  summary: "one shared value for that many weights, found by a hash of the position (HashedNets)",
  examples: ["hashed:1", "hashed:8"],
  owns: (head) => head === "hashed",
  parse(scheme, _head, [ratio, ...rest]) {
    noMore(scheme, rest);
    return hashed({ ratio: integerArgument(scheme, "ratio of hashed:<ratio>", ratio, 1, 4096) });
  },
};

export const hashedMethod: Method = {
  method: "HashedNets",
  section: "deterministic: vector quantization",
  file: "vector/hashed.ts",
  paper: CHEN,
  scheme: "hashed:8",
  published: "0.8750 on independent weights, 1 - (1 - e^-8) / 8",
};
