/** Dynamic ranges: each tensor, or each token of it, has the scale of its own values. */
import type { Method } from "../method.ts";
import { LLM_INT8, WHITE_PAPER } from "../papers.ts";
import { activationQuantizer, checkActivationBits, gridOver, wholeOf } from "./codes.ts";
import { activationRow } from "./methods.ts";
import type { ActivationBits, ActivationQuantizer } from "./types.ts";

export interface DynamicActivationOptions {
  /** Default 8. */
  readonly bits?: ActivationBits;
  /** What shares a scale: the tensor, or a row of its last axis. Default `token`. */
  readonly per?: "tensor" | "token";
  /** 0 in the middle of the codes. Needs 2 bits. Default true: S = max|x| / (2^(b-1) - 1), the absmax of transformers. */
  readonly symmetric?: boolean;
}

/**
 * Scale and zero point of what is to be quantized, without calibration: for a group (a tensor, or a token)
 *
 *   symmetric:  S = max|x| / (2^(b-1) - 1), Z = 2^(b-1)             (vector-wise absmax, Dettmers et al., eq. 1; BitNet's activations)
 *   asymmetric: S = (max(x, 0) - min(x, 0)) / (2^b - 1), Z = round(-min(x, 0) / S)
 *
 * Nothing saturates, so |x̂ - x| <= S/2 (asymmetric: S, at the ends, where Z is rounded), and one outlier costs its own token only. A token of zeros gets S = 1. Gradient in training: straight through.
 */
export function dynamicActivations(options: DynamicActivationOptions = {}): ActivationQuantizer {
  const { bits = 8, per = "token", symmetric = true } = options;
  const scheme = `dynamic${bits}${per === "token" ? "" : ":tensor"}${symmetric ? "" : ":asym"}`;
  checkActivationBits(scheme, bits, symmetric ? 2 : 1);
  const traits = { scheme, bits, paper: per === "token" ? LLM_INT8 : WHITE_PAPER };
  return activationQuantizer(traits, undefined, (x, tokens) => {
    const grouping = per === "token" ? tokens : wholeOf(tokens);
    const { min, max } = x.minMax(grouping);
    const grids = Array.from(min, (low, group) => gridOver(low, max[group]!, bits, symmetric));
    const scale = Float32Array.from(grids, (grid) => grid.scale);
    const zeroPoint = Int32Array.from(grids, (grid) => grid.zeroPoint);
    const { minCode, maxCode } = grids[0]!;
    return { codes: x.gridCodes(grouping, { scale, zeroPoint, minCode, maxCode }), scale, zeroPoint };
  });
}

const row = { file: "activations/dynamic.ts", kernel: "affine_gemm (int8 activations)" } as const;

export const dynamicActivationMethods: readonly Method[] = [
  activationRow({
    ...row,
    method: "Dynamic range per tensor",
    paper: WHITE_PAPER,
    published: "nothing saturates; |x̂ - x| <= S/2",
    quantizer: dynamicActivations({ per: "tensor" }),
  }),
  activationRow({
    ...row,
    method: "Dynamic range per token (absmax)",
    paper: LLM_INT8,
    published: "nothing saturates; an outlier costs its own token only",
    quantizer: dynamicActivations(),
  }),
];
