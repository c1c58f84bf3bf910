/** Magnitude pruning, alone or in front of another quantizer. */
import { defineQuantizer } from "../define.ts";
import { QuantizerError, SchemeError } from "../errors.ts";
import { float } from "../float.ts";
import type { Method } from "../method.ts";
import { HAN } from "../papers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { BitsOf, Context, DecodingKind, Encoded, Law, Need, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { prunedCount } from "./masks.ts";

export interface PruneOptions<D extends DecodingKind, Seeded extends boolean, N extends Need> {
  /** Share of the weights that becomes 0, 0 or more and below 1. */
  readonly fraction: number;
  /** What quantizes the others. Default: they stay floats. */
  readonly kept?: Quantizer<D, Seeded, N>;
}

/** Laws of the quantizer behind it that pruning leaves standing. */
const KEPT: ReadonlySet<Law> = new Set(["idempotent", "scaleEquivariant", "signSymmetric", "monotoneInBits"]);

/**
 * Magnitude pruning (Han et al. 2015): Q(w) = 0 for the floor(fraction n) smallest |w| of the tensor (those of lower index first where magnitudes
 * tie) and for every w that is 0; the others are quantized, and 0 stays an exact level.
 *
 * - Without `kept` the others stay as they are.
 * - Behind it a codebook per tensor (k-means, ECSQ ...) is learned from the kept weights alone, and 0 is one more level, the last: 1 more bit a code,
 *   which Huffman or sparse packing takes back. Where all weights are 0, that level is the only one.
 * - Any other quantizer sees the tensor with zeros in it, and has to keep zeros (declare the law `keepsZero`).
 *
 * Codes are as large as without: the packed file is where zeros cost little (`pack: "sparse-huffman"`). Gradient in training: that of `kept`, times the mask (`magnitudeMasks`).
 *
 * @throws OutOfRangeError for the fraction; QuantizerError where `kept` has no exact 0
 */
export function prune<D extends DecodingKind = "identity", Seeded extends boolean = false, N extends Need = "weights">({
  fraction,
  kept,
}: PruneOptions<D, Seeded, N>): Quantizer<D, Seeded, N> {
  const inner = kept as Quantizer | undefined;
  const isBare = inner === undefined || inner.scheme === "float";
  const scheme = `prune:${fraction}${isBare ? "" : `+${inner.scheme}`}`;
  prunedCount(`quantizer ${scheme}`, fraction, 1);
  const quantizer = isBare ? alone(scheme, fraction) : behind(scheme, fraction, inner);
  return quantizer as unknown as Quantizer<D, Seeded, N>;
}

const maskOf = (w: Weights, scheme: string, fraction: number): Uint8Array =>
  w.magnitudeMask(prunedCount(`quantizer ${scheme}`, fraction, w.length));

/** The weights with zeros in them. */
const masked = (w: Weights, mask: Uint8Array): Float32Array => w.expand(w.compress(w.values(), mask), mask);

function alone(scheme: string, fraction: number): Quantizer<"identity", false, "weights"> {
  return defineQuantizer({
    ...float(),
    scheme,
    stochastic: false,
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "optimalScale", "keepsZero"],
    paper: HAN,
    encode: (w) => ({ values: masked(w, maskOf(w, scheme, fraction)) }),
  });
}

function behind(scheme: string, fraction: number, inner: Quantizer): Quantizer {
  const learnsLevels = inner.decoding === "table" && inner.per === "tensor" && inner.codebook === "adaptive";
  if (!learnsLevels && !inner.laws.includes("keepsZero"))
    throw new QuantizerError(
      scheme,
      "scheme behind prune",
      "one that keeps zeros, or learns a codebook per tensor",
      inner.scheme,
    );
  if (learnsLevels && (inner.bits === 8 || inner.needs === "inputs"))
    throw new QuantizerError(
      scheme,
      "codebook behind prune",
      "128 levels or fewer, learned without inputs",
      inner.scheme,
    );
  const { coarser } = inner;
  return Object.freeze({
    ...inner,
    scheme,
    bits: learnsLevels ? ((inner.bits + 1) as BitsOf<"table">) : inner.bits,
    laws: [...inner.laws.filter((law) => KEPT.has(law)), "keepsZero"],
    coarser: coarser && (() => prune({ fraction, kept: coarser() })),
    paper: HAN,
    encode(w: Weights, context: Context) {
      const mask = maskOf(w, scheme, fraction);
      if (learnsLevels) return besideZero(w, mask, inner as Quantizer<"table">, context);
      using zeroed = w.others(masked(w, mask), w.rows, inner.per);
      return inner.encode(zeroed, context);
    },
  } as Quantizer);
}

/** The formula sees the kept weights as one row; 0 comes behind its levels. */
function besideZero(w: Weights, mask: Uint8Array, inner: Quantizer<"table">, context: Context): Encoded<"table"> {
  const kept = w.compress(w.values(), mask);
  if (kept.length === 0)
    return { codes: new Uint8Array(w.length), decoding: { kind: "table", codebook: Float32Array.of(0) } };
  const curvature = context.curvature && w.compress(context.curvature, mask);
  using row = w.others(kept, 1, "tensor");
  const { codes, decoding, scale } = inner.encode(row, { ...context, curvature } as Context);
  const { length } = decoding.codebook;
  return {
    codes: w.expandCodes(codes, mask, length),
    decoding: { kind: "table", codebook: Float32Array.of(...decoding.codebook, 0) },
    ...(scale && { scale }),
  };
}

export const pruneFamily: SchemeFamily = {
  syntax: "prune:<0..1>[+SCHEME]",
  summary: "that share of each tensor, the smallest magnitudes, becomes 0; the others by SCHEME, or floats",
  examples: ["prune:0.5", "prune:0.75+kmeans:7", "prune:0.5+int4"],
  owns: (head) => head === "prune",
  parse(scheme, _head, args, parseInner) {
    const [, fraction, inner] = /^(0|0?\.[0-9]{1,17})(?:\+(.+))?$/s.exec(args.join(":")) ?? [];
    if (fraction === undefined)
      throw new SchemeError(scheme, "fraction of prune:<fraction>[+SCHEME]", "a decimal of 0 or more, below 1");
    return inner === undefined
      ? prune({ fraction: Number(fraction) })
      : prune({ fraction: Number(fraction), kept: parseInner(inner) });
  },
};

export const pruneMethod: Method = {
  method: "Magnitude pruning",
  section: "since 2018",
  file: "pruning/prune.ts",
  paper: HAN,
  scheme: "prune:0.5",
  published: "0.0713 on N(0,1): 1/2 - 2 t φ(t) with t = 0.6745",
};
