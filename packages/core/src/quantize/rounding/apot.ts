/** Sums of powers of two. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { APOT } from "../papers.ts";
import { LEAST_FLOAT, powerOfTwo } from "../powers.ts";
import { integerArgument, noMore, type SchemeFamily } from "../scheme-family.ts";
import type { Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { levelSums } from "./fit.ts";

export type ApotBits = 3 | 4 | 5 | 6 | 7;

/**
 * Exponents of the terms that a magnitude of b - 1 bits is the sum of, one (or nothing) of each list: lists of three are 2 bits, lists of one 1 bit. With n terms
 * the i-th has 2^-i, 2^-(i+n), 2^-(i+2n) ...; for an odd number of bits the last term is one more power, as the authors' program has it.
 */
const TERMS: Record<ApotBits, readonly (readonly number[])[]> = {
  3: [[1, 2, 3]],
  4: [[1, 2, 4], [3]],
  5: [
    [1, 3, 5],
    [2, 4, 6],
  ],
  6: [[1, 3, 6], [2, 4, 7], [5]],
  7: [
    [1, 4, 7],
    [2, 5, 8],
    [3, 6, 9],
  ],
};

/**
 * Additive powers of two (Li, Dong, Wang): a sign and a magnitude of b - 1 bits that is a sum of n terms,
 *
 *   Q^a(α, kn) = γ · { Σᵢ pᵢ : pᵢ in {0, 2^-i, 2^-(i+n) ... 2^-(i+(2^k-2)n)} },   k = 2 bits a term
 *
 * γ making the largest level α. Levels are dense near 0 as a power of two's are, and finer at the ends, where those are coarse; a product is n shifts and an addition.
 * Each weight goes to the nearest level, and what lies beyond α is clipped.
 *
 * The paper learns α in training; here it is the share of max|w| (1, 0.95 ... 0.05, then in steps of 0.01 around the best, the larger on a tie) with the least
 * Σ(w - ŵ)². Range: 2^b - 1 levels within ±α, one α per tensor. Gradient in training: straight through below α, and ∂ŵ/∂α = sign(w) above.
 * A tensor of zeros has α = 1.
 */
export function apot({ bits }: { readonly bits: ApotBits }): Quantizer<"table", false, "weights"> {
  checkInteger("apot:<b>", "bits", bits, 3, 7);
  return defineQuantizer({
    scheme: `apot:${bits}`,
    decoding: "table",
    bits,
    codebook: "fixed",
    per: "tensor",
    laws: ["scaleEquivariant", "signSymmetric", "nearest", "keepsZero", "ordered", "monotoneInBits"],
    coarser: bits > 3 ? () => apot({ bits: (bits - 1) as ApotBits }) : undefined,
    paper: APOT,
    encode(w) {
      const codebook = signedLevels(bits);
      const scale = bestScale(w, codebook);
      return { codes: w.nearest(codebook, scale), decoding: { kind: "table", codebook }, scale };
    },
  });
}

/** Every sum of a term of each list, over the largest of them, with both signs: ascending in magnitude, so that a tie goes to the smaller. */
export function signedLevels(bits: ApotBits): Float32Array {
  let sums = [0];
  for (const exponents of TERMS[bits]) {
    const term = [0, ...exponents.map((exponent) => powerOfTwo(-exponent))];
    sums = sums.flatMap((sum) => term.map((power) => sum + power));
  }
  const most = Math.max(...sums);
  const magnitudes = sums.toSorted((a, b) => a - b).map((sum) => sum / most);
  return Float32Array.from(magnitudes.flatMap((level) => (level === 0 ? [0] : [level, -level])));
}

/** The scale, a share of max|w|, with which the nearest levels have the least squared error. */
function bestScale(w: Weights, levels: Float32Array): Float32Array {
  const [max = 0] = w.absMax();
  if (max === 0) return Float32Array.of(1);
  const [power = 0] = w.power();
  const scaleOf = (percent: number): Float32Array => Float32Array.of(Math.max((max * percent) / 100, LEAST_FLOAT));
  /** Σ(w - s l)² = Σw² - 2s Σ l Σ_{code} w + s² Σ l² n. */
  const errorAt = (percent: number): number => {
    const scale = scaleOf(percent);
    const { cross, square } = levelSums(w, w.nearest(levels, scale), levels);
    const s = scale[0]!;
    return power - 2 * s * cross + s * s * square;
  };
  let [best, least] = [100, Number.POSITIVE_INFINITY];
  const attempt = (percent: number): void => {
    const error = errorAt(percent);
    if (error < least) [best, least] = [percent, error];
  };
  for (let percent = 100; percent >= 5; percent -= 5) attempt(percent);
  const coarse = best;
  for (let offset = 4; offset >= -4; offset--) if (offset !== 0 && coarse + offset <= 100) attempt(coarse + offset);
  return scaleOf(best);
}

export const apotFamily: SchemeFamily = {
  syntax: "apot:<3..7>",
  summary: "0 and signed sums of powers of two, 2 bits a term (APoT)",
  examples: ["apot:3", "apot:4", "apot:5"],
  owns: (head) => head === "apot",
  parse(scheme, _head, [bits, ...rest]) {
    noMore(scheme, rest);
    return apot({ bits: integerArgument(scheme, "bits of apot:<bits>", bits, 3, 7) as ApotBits });
  },
};

export const apotMethod: Method = {
  method: "Additive powers of two (APoT)",
  section: "since 2018",
  file: "rounding/apot.ts",
  paper: APOT,
  scheme: "apot:4",
  published: "0.01210 on N(0,1), its 15 levels with the best α, by integration",
};
