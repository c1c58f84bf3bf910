/** Loss-aware quantization to three and more levels. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { LAQ } from "../papers.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";
import { integerLevels, powerLevels, projectOnLevels } from "./scaled-levels.ts";

export type LaqBits = 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface LaqOptions {
  /** m: 2 is ternary. */
  readonly bits: LaqBits;
  readonly per?: Per;
}

/**
 * Loss-aware quantization (Hou, Kwok): min over α >= 0 and b in Qⁿ of Σ d (w - α b)² with the diagonal Hessian d of the loss, in alternation
 *
 *   b = Π_Q(w / α);   α = ‖b ∘ d ∘ w‖₁ / ‖b ∘ d ∘ b‖₁
 *
 * until α stays as it is, with the linear levels Q = {-1 ... -1/k, 0, 1/k ... 1}, k = 2^(m-1) - 1. m = 2 is ternary (LAT's approximate form).
 * Training projects w = ŵ - ∇L / d (`proximalNewtonStep`).
 *
 * Range: αQ per group (default: per output channel; the paper has one α per layer, `tensor`), stored as integers times α / k. Gradient in training: straight through. On N(0,1)
 * with d independent of w: ternary 0.1902, 3 bits 0.0469, 4 bits 0.0129, the best uniform grids of 3, 7, 15 levels. With d constant the ternary one is `ternary:mse`.
 */
export function laq({ bits, per = "channel" }: LaqOptions): Quantizer<"affine", false, "curvature"> {
  checkInteger("laq:<m>", "bits", bits, 2, 8);
  const k = 2 ** (bits - 1) - 1;
  return defineQuantizer({
    scheme: `laq:${bits === 2 ? "ternary" : bits}${perSuffix(per, "channel")}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    needs: "curvature",
    laws: [
      "scaleEquivariant",
      "signSymmetric",
      "nearest",
      "keepsZero",
      ...(bits === 2 ? (["idempotent"] as const) : []),
    ],
    paper: LAQ,
    encode(w, { curvature }) {
      const { codes, scale } = projectOnLevels(w, integerLevels(k), curvature);
      return { codes, decoding: { kind: "affine", zeroPoint: k }, scale };
    },
  });
}

/**
 * {@link laq} with the paper's logarithmic levels Q = {±1, ±1/2 ... ±1/2^(k-1), 0}, k = 2^(m-1) - 1, for 3 to 5 bits: products are shifts and one multiplication by α.
 * Stored as the table {±2^(k-1) ... ±1, 0} times α / 2^(k-1). Equally near levels: the larger.
 */
export function laqLog({
  bits,
  per = "channel",
}: {
  readonly bits: 3 | 4 | 5;
  readonly per?: Per;
}): Quantizer<"table", false, "curvature"> {
  checkInteger("laq:<m>:log", "bits", bits, 3, 5);
  const levels = powerLevels(2 ** (bits - 1) - 1);
  return defineQuantizer({
    scheme: `laq:${bits}${perSuffix(per, "channel")}:log`,
    decoding: "table",
    bits,
    codebook: "fixed",
    per,
    needs: "curvature",
    laws: ["scaleEquivariant", "signSymmetric", "nearest", "keepsZero"],
    paper: LAQ,
    encode(w, { curvature }) {
      const { codes, scale } = projectOnLevels(w, levels, curvature);
      return { codes, decoding: { kind: "table", codebook: levels.values }, scale };
    },
  });
}

export const laqFamily: SchemeFamily = {
  syntax: "laq:ternary|<3..8>[:tensor|:g<n>][:log]",
  summary:
    "ternary or linear levels and α of least curvature-weighted error per channel (loss-aware quantization); :log for powers of two",
  examples: ["laq:ternary", "laq:3", "laq:3:log"],
  owns: (head) => head === "laq",
  parse(scheme, _head, [kind, ...args]) {
    const { per, flags } = modifiers(scheme, args, { per: "channel", flags: kind === "ternary" ? [] : ["log"] });
    if (kind === "ternary") return laq({ bits: 2, per });
    const most = flags.has("log") ? 5 : 8;
    const bits = integerArgument(scheme, "laq:ternary, or bits of laq:<bits>,", kind, 3, most);
    return flags.has("log") ? laqLog({ bits: bits as 3 | 4 | 5, per }) : laq({ bits: bits as LaqBits, per });
  },
};

export const laqMethods: readonly Method[] = [
  {
    method: "Loss-aware ternarization",
    section: "deterministic: quantization as optimization",
    file: "optimization/laq.ts",
    paper: LAQ,
    scheme: "laq:ternary",
    published: "0.1902 on N(0,1) where the curvature is independent of the weights",
  },
  {
    method: "Loss-aware quantization, linear levels",
    section: "deterministic: quantization as optimization",
    file: "optimization/laq.ts",
    paper: LAQ,
    scheme: "laq:3",
    published: "0.0469 on N(0,1), the best grid of 7 levels",
  },
  {
    method: "Loss-aware quantization, logarithmic levels",
    section: "deterministic: quantization as optimization",
    file: "optimization/laq.ts",
    paper: LAQ,
    scheme: "laq:3:log",
    published: "0.0475 on N(0,1), the best scale of {0, ±1, ±2, ±4}",
  },
];
