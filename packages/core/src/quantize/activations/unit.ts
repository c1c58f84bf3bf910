/** Grids that are fixed beforehand: DoReFa's, WRPN's and WAGE's. */
import type { Method } from "../method.ts";
import { DOREFA, WAGE, WRPN } from "../papers.ts";
import { powerOfTwo } from "../powers.ts";
import type { Paper } from "../types.ts";
import { checkActivationBits, checkPositive, fixedGrid } from "./codes.ts";
import { activationRow } from "./methods.ts";
import type { ActivationBits, ActivationQuantizer } from "./types.ts";

/**
 * DoReFa-Net's activations (Zhou et al., section 2.6): quantize_k(x) = round((2^k - 1) x) / (2^k - 1) of x clipped to [0, 1].
 *
 * Gradient in training: straight through on [0, 1] (`clippedGradients`). Negative activations and 0 become 0.
 */
export const dorefaActivations = (options: { readonly bits: ActivationBits }): ActivationQuantizer =>
  unitInterval("dorefa", options.bits, DOREFA);

/**
 * WRPN's activations (Mishra et al., section 5): x_q = round((2^k - 1) x) / (2^k - 1), x clipped to [0, 1]: DoReFa's formula, in layers that are made wider.
 *
 * Gradient in training: straight through on [0, 1].
 */
export const wrpnActivations = (options: { readonly bits: ActivationBits }): ActivationQuantizer =>
  unitInterval("wrpn", options.bits, WRPN);

function unitInterval(name: string, bits: ActivationBits, paper: Paper): ActivationQuantizer {
  const scheme = `${name}${bits}`;
  checkActivationBits(scheme, bits, 1);
  const maxCode = 2 ** bits - 1;
  return fixedGrid({ scheme, bits, paper }, { scale: Math.fround(1 / maxCode), zeroPoint: 0, minCode: 0, maxCode });
}

export interface WageActivationOptions {
  /** k, from 2. */
  readonly bits: ActivationBits;
  /** α, the layer's power-of-two scale: 2^shift. Default 0. */
  readonly shift?: number;
}

/**
 * WAGE's activations (Wu et al., eq. 6 and 8): Q(x, k) = clip(σ·round(x / σ), -1 + σ, 1 - σ) with σ = 2^(1-k), of x / α with the layer's α a power of two. The codes are those of Q(x / α, k), and
 * what they stand for is α times that, so that it is near x.
 *
 * Gradient in training: straight through inside. 0 stays.
 */
export function wageActivations({ bits, shift = 0 }: WageActivationOptions): ActivationQuantizer {
  const scheme = `wage${bits}`;
  checkActivationBits(scheme, bits, 2);
  const scale = Number.isInteger(shift) && Math.abs(shift) < 1000 ? powerOfTwo(shift + 1 - bits) : Number.NaN;
  checkPositive(scheme, "scale 2^(shift + 1 - k)", scale);
  return fixedGrid(
    { scheme, bits, paper: WAGE },
    { scale, zeroPoint: 2 ** (bits - 1), minCode: 1, maxCode: 2 ** bits - 1 },
  );
}

const row = { file: "activations/unit.ts", kernel: "affine_gemm (int8 activations)" } as const;

export const unitActivationMethods: readonly Method[] = [
  activationRow({
    ...row,
    method: "DoReFa activations",
    paper: DOREFA,
    published: "1 / 12 / 15² for inputs spread evenly over 0..1",
    quantizer: dorefaActivations({ bits: 4 }),
  }),
  activationRow({
    ...row,
    method: "WRPN activations",
    paper: WRPN,
    published: "1 / 12 / 15² for inputs spread evenly over 0..1, DoReFa's formula",
    quantizer: wrpnActivations({ bits: 4 }),
  }),
  activationRow({
    ...row,
    method: "WAGE activations",
    paper: WAGE,
    published: "σ² / 12 with σ = 2^(1-k), inside ±(1 - σ)",
    quantizer: wageActivations({ bits: 8 }),
  }),
];
