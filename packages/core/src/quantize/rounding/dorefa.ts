/** DoReFa-Net's weights. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { DOREFA } from "../papers.ts";
import { atanh, floatAbove, tanh } from "../powers.ts";
import { integerArgument, modifiers, type SchemeFamily } from "../scheme-family.ts";
import type { BitsOf, Quantizer } from "../types.ts";
import { fittedScale } from "./fit.ts";

export interface DorefaOptions<Bits extends number = number> {
  readonly bits: Bits;
  /**
   * `fit`: levels times the α of least squared error, for weights as they come. `paper`: levels in -1..1, for a net that was trained with them. Default `fit`;
   * one bit has the paper's own scale.
   */
  readonly scale?: "fit" | "paper";
}

type DorefaBits = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/**
 * Zhou et al.: of one bit sign(w) · E|w| over the layer; of k bits
 *
 *   ŵ = 2 quantize_k( tanh(w) / (2 max|tanh(w)|) + 1/2 ) - 1,   quantize_k(x) = round((2^k - 1) x) / (2^k - 1)
 *
 * tanh limits what large weights do to the range, and the scale of the weights is left to the batch normalization behind the layer, hence {@link DorefaOptions.scale}.
 * Code j begins where tanh(w) = max|tanh| · ((2j - 1) / (2^k - 1) - 1): the thresholds are atanh of that, rounded to f32 upwards, and no weight needs a tanh of its
 * own. Only the middle one, w = 0, can be met, and is a tie between two codes of which the upper is even.
 *
 * Range: 2^k levels in -1..1, none of them 0, times α. Gradient in training: straight through quantize_k, through tanh as it is. All-zero weights have α = 0.
 */
export function dorefa(options: DorefaOptions<1>): Quantizer<"sign", false, "weights">;
export function dorefa(options: DorefaOptions<2 | 3 | 4 | 5 | 6 | 7 | 8>): Quantizer<"table", false, "weights">;
export function dorefa(options: DorefaOptions<DorefaBits>): Quantizer<"sign" | "table", false, "weights">;
export function dorefa({
  bits,
  scale: rule = "fit",
}: DorefaOptions): Quantizer<"sign", false, "weights"> | Quantizer<"table", false, "weights"> {
  checkInteger("dorefa:<b>", "bits", bits, 1, 8);
  if (bits === 1) return binary();
  return defineQuantizer({
    scheme: `dorefa:${bits}${rule === "paper" ? ":paper" : ""}`,
    decoding: "table",
    bits: bits as BitsOf<"table">,
    codebook: "fixed",
    per: "tensor",
    laws: rule === "fit" ? ["signSymmetric", "optimalScale", "ordered"] : ["signSymmetric", "ordered"],
    range: rule === "paper" ? [-1, 1] : undefined,
    paper: DOREFA,
    encode(w) {
      const steps = 2 ** bits - 1;
      const codebook = Float32Array.from({ length: steps + 1 }, (_, j) => (2 * j) / steps - 1);
      const [max = 0] = w.absMax();
      const most = tanh(max);
      const thresholds = Float32Array.from({ length: steps }, (_, j) =>
        floatAbove(atanh((most * (2 * j + 1 - steps)) / steps)),
      );
      const codes = w.thresholdCodes(thresholds);
      const scale = rule === "fit" || max === 0 ? fittedScale(w, codes, codebook) : Float32Array.of(1);
      return { codes, decoding: { kind: "table", codebook }, scale };
    },
  });
}

function binary(): Quantizer<"sign", false, "weights"> {
  return defineQuantizer({
    scheme: "dorefa:1",
    decoding: "sign",
    bits: 1,
    codebook: "fixed",
    per: "tensor",
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "nearest", "optimalScale", "ordered"],
    paper: DOREFA,
    encode: (w) => ({ codes: w.signCodes(), decoding: { kind: "sign" }, scale: w.meanAbs() }),
  });
}

export const dorefaFamily: SchemeFamily = {
  syntax: "dorefa:<1..8>[:paper]",
  summary: "uniform in tanh(w), one scale of least error per tensor (DoReFa-Net); :paper for levels in -1..1",
  examples: ["dorefa:1", "dorefa:2", "dorefa:4"],
  owns: (head) => head === "dorefa",
  parse(scheme, _head, [text, ...args]) {
    const bits = integerArgument(scheme, "bits of dorefa:<bits>", text, 1, 8) as DorefaBits;
    const { flags } = modifiers(scheme, args, { per: "tensor", groups: false, flags: bits === 1 ? [] : ["paper"] });
    return dorefa({ bits, scale: flags.has("paper") ? "paper" : "fit" });
  },
};

const row = { section: "deterministic: rounding", file: "rounding/dorefa.ts", paper: DOREFA } as const;

export const dorefaMethods: readonly Method[] = [
  {
    ...row,
    method: "DoReFa-Net's weights, 1 bit",
    scheme: "dorefa:1",
    published: "0.3634 on N(0,1), 1 - 2/π",
    agrees: {
      "Binary weight networks (XNOR-Net's weights)":
        "both are sign(w); here one scale is the layer's, there each channel has its own",
    },
  },
  {
    ...row,
    method: "DoReFa-Net's weights, k bits",
    scheme: "dorefa:4",
    published: "0.0699 on N(0,1) up to 4.2 σ, by integration",
  },
];
