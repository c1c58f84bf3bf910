/** ABC-Net: binary bases that are signs of the shifted weights. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { ABC_NET } from "../papers.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";
import { type BaseCount, encodedBases } from "./bases.ts";

/** Bases of ABC-Net: with one there is no spread to choose shifts from. */
export type AbcBases = Exclude<BaseCount, 1>;

export interface AbcNetOptions {
  /** M: binary bases, 2..8. */
  readonly bases: AbcBases;
  readonly per?: Per;
}

/**
 * ABC-Net's weights (Lin et al.): min over α of ‖W - Σ α_i B_i‖² with bases that are fixed beforehand,
 *
 *   B_i = sign(W - mean(W) + u_i std(W)),   u_i = -1 + (i - 1) · 2 / (M - 1) for i = 1..M,   sign(0) = +1,
 *
 * and α = (BᵀB)⁻¹ Bᵀ W by linear regression. M + 1 of the 2^M codes occur: M thresholds mean - u_i std cut the axis.
 *
 * The bases of (M + 1) / 2 are among those of an odd M, whose error is then never greater. Range: sums of ±α_i, per group (default: per output channel; the
 * paper has both one α for a layer and one for a channel). Gradient in training: straight through each sign. A group of one value is exact: its bases are equal, and all
 * but the first get 0. On N(0,1) the error is that of the conditional means of the M + 1 intervals where these are sums of ±α_i: M = 2: 0.2618, M = 3: 0.1175.
 */
export function abcNet({ bases, per = "channel" }: AbcNetOptions): Quantizer<"bases", false, "weights"> {
  checkInteger("abc:<M>", "bases", bases, 2, 8);
  const odd = bases % 2 === 1;
  return defineQuantizer({
    scheme: `abc:${bases}${perSuffix(per, "channel")}`,
    decoding: "bases",
    bits: bases,
    codebook: "adaptive",
    per,
    laws: ["scaleEquivariant", "optimalScale", ...(odd ? (["monotoneInBits"] as const) : [])],
    coarser: odd ? () => abcNet({ bases: ((bases + 1) / 2) as AbcBases, per }) : undefined,
    paper: ABC_NET,
    encode(w) {
      const { mean, deviation } = w.moments();
      const thresholds = Float32Array.from({ length: w.groups * bases }, (_, at) => {
        const group = Math.floor(at / bases);
        const u = -1 + ((at % bases) * 2) / (bases - 1);
        return mean[group]! - u * deviation[group]!;
      });
      const codes = w.baseCodes(thresholds, bases);
      return encodedBases({ codes, coefficients: w.fitBases(codes, bases), count: bases });
    },
  });
}

export const abcNetFamily: SchemeFamily = {
  syntax: "abc:<2..8>[:tensor|:g<n>]",
  summary: "that many binary bases per channel, signs of shifted weights (ABC-Net)",
  examples: ["abc:3", "abc:5:g32"],
  owns: (head) => head === "abc",
  parse: (scheme, _head, [count, ...args]) =>
    abcNet({
      bases: integerArgument(scheme, "bases of abc:<M>", count, 2, 8) as AbcBases,
      per: modifiers(scheme, args, { per: "channel" }).per,
    }),
};

export const abcNetMethod: Method = {
  method: "ABC-Net (its weights)",
  section: "deterministic: quantization as optimization",
  file: "optimization/abc-net.ts",
  paper: ABC_NET,
  scheme: "abc:3",
  published: "0.1175 on N(0,1): conditional means of the intervals cut at -σ, 0, σ",
};
