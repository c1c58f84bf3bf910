/** Loss-aware binarization. */
import { OutOfRangeError, ShapeError } from "../../errors.ts";
import { defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { LAB } from "../papers.ts";
import { modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

/** Sign of each code. */
const SIGNS = Float32Array.of(1, -1);

/**
 * Loss-aware binarization (Hou et al.): the proximal Newton step's projection, min over α >= 0 and b in {-1, +1}ⁿ of Σ d (w - α b)², where d is the diagonal Hessian
 * of the loss (in training sqrt of Adam's second moment):
 *
 *   b = sign(w), sign(0) = +1;   α = ‖d ∘ w‖₁ / ‖d‖₁.
 *
 * It is {@link binary} where d is constant in a group; otherwise weights that matter more count more. Training projects w = ŵ - ∇L / d ({@link proximalNewtonStep}).
 *
 * Range: {-α, +α}, one α per group (default: per output channel; the paper has one per layer, `tensor`). Gradient in training: straight through. On N(0,1) with d independent of
 * w: 1 - 2/π = 0.3634, as binary. A group whose d are all 0 has nothing to say: α = E|w|.
 */
export function lab({ per = "channel" }: { readonly per?: Per } = {}): Quantizer<"sign", false, "curvature"> {
  return defineQuantizer({
    scheme: `lab${perSuffix(per, "channel")}`,
    decoding: "sign",
    bits: 1,
    codebook: "fixed",
    per,
    needs: "curvature",
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "nearest"],
    paper: LAB,
    encode(w, { curvature }) {
      const codes = w.signCodes();
      const { dot, power } = w.scaleSums(codes, SIGNS, curvature);
      const plain = w.meanAbs();
      const scale = plain.map((mean, group) => (power[group] === 0 ? mean : dot[group]! / power[group]!));
      return { codes, decoding: { kind: "sign" }, scale };
    },
  });
}

/**
 * What the next projection starts from: w = ŵ - ∇L(ŵ) / d, one Newton step from the quantized weights ŵ with the diagonal Hessian d.
 *
 * @param quantized ŵ
 * @param gradient ∇L at ŵ, as many numbers
 * @param curvature d > 0, as many numbers
 * @throws ShapeError where the lengths differ, OutOfRangeError where d is not above 0
 */
export function proximalNewtonStep(
  quantized: Float32Array,
  gradient: Float32Array,
  curvature: Float32Array,
): Float32Array {
  const op = "proximalNewtonStep";
  if (gradient.length !== quantized.length) throw new ShapeError(op, "gradient", quantized.length, gradient.length);
  if (curvature.length !== quantized.length) throw new ShapeError(op, "curvature", quantized.length, curvature.length);
  return quantized.map((w, i) => {
    const d = curvature[i]!;
    if (!(d > 0)) throw new OutOfRangeError(op, `curvature ${i}`, "above 0", d);
    return w - gradient[i]! / d;
  });
}

export const labFamily: SchemeFamily = {
  syntax: "lab[:tensor|:g<n>]",
  summary: "sign and curvature-weighted mean |w| per channel (loss-aware binarization)",
  examples: ["lab", "lab:g32"],
  owns: (head) => head === "lab",
  parse: (scheme, _head, args) => lab({ per: modifiers(scheme, args, { per: "channel" }).per }),
};

export const labMethod: Method = {
  method: "Loss-aware binarization",
  section: "deterministic: quantization as optimization",
  file: "optimization/lab.ts",
  paper: LAB,
  scheme: "lab",
  published: "0.3634 on N(0,1) where the curvature is independent of the weights, 1 - 2/π",
  agrees: {
    binary: "both take sign(w); only α differs, a mean of |w| weighted by the curvature",
    "DoReFa-Net's weights, 1 bit": "both take sign(w); DoReFa's α is one plain mean of |w|",
  },
};
