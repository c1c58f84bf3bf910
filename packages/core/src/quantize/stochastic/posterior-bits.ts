/** Bayesian compression: as many bits as the posterior leaves certain. */
import { NotFiniteError, OutOfRangeError, ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { checkInteger, defineQuantizer } from "../define.ts";
import { innerLoops } from "../engine.ts";
import { groupCount } from "../inner.ts";
import type { Method } from "../method.ts";
import { BAYESIAN_COMPRESSION } from "../papers.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";
import type { UniformBits } from "../rounding/uniform.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { FloatTensor, Per, Quantizer } from "../types.ts";
import { groupingOf, matrixOf } from "../weights.ts";
import { type PosteriorOptions, samplesArgument, samplesSuffix } from "./posterior.ts";

export interface PosteriorGridOptions extends PosteriorOptions {
  /** Bits that a code may have at most: 2..8. Default 8. */
  readonly bits?: UniformBits;
  /** Default: per output channel; the paper has one precision per layer (`tensor`). */
  readonly per?: Per;
}

/** Exponents of steps that f32 has. */
const LEAST_EXPONENT = -149;
const MOST_EXPONENT = 127;

/**
 * Bayesian compression (Louizos et al., section 4.1): weights are rounded in steps whose unit round-off is no larger than the posterior standard deviation, for what
 * lies below it the data do not tell. With the least σ of a group
 *
 *   δ = 2^⌊log₂ 2σ⌋,   ŵ = δ·round(w / δ),   so |ŵ - w| <= δ/2 <= σ,
 *
 * and a group needs the bits of a sign and of max|w| / δ (`posteriorBits`). Codes have at most `bits`; where that does not reach max|w|, δ is doubled until it does. (The authors' code
 * takes the bits of each weight and their maximum or mean over a layer; the maximum, as here, is that of the least σ. Whole groups are pruned in training, by their scale z.)
 *
 * σ² comes in as curvature, σ² = 1 / (n·curvature). Range: ±(2^(b-1) - 1)·δ. Gradient in training: none of its own. Zeros stay; an all-zero group has δ = 1; a group without
 * curvature becomes 0, for nothing is known of it. Weights that round to beyond f32's maximum are refused by `quantize` (OutOfRangeError).
 */
export function posteriorGrid(options: PosteriorGridOptions = {}): Quantizer<"affine", false, "curvature"> {
  const { bits = 8, per = "channel", samples = 1 } = options;
  checkInteger("bayes:<b>", "bits", bits, 2, 8);
  checkInteger("bayes", "training samples", samples, 1, 999_999_999);
  const zeroPoint = 2 ** (bits - 1);
  return defineQuantizer({
    scheme: `bayes:${bits}${perSuffix(per, "channel")}${samplesSuffix(samples)}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    needs: "curvature",
    laws: ["idempotent", "signSymmetric", "nearest", "keepsZero"],
    paper: BAYESIAN_COMPRESSION,
    encode(w, { curvature }) {
      using precision = w.resident(curvature, 1);
      const { max: sharpest } = precision.minMax(w.grouping);
      const scale = w
        .absMax()
        .map((max, group) => stepFor(max, 1 / Math.sqrt(samples * sharpest[group]!), zeroPoint - 1));
      const codes = w.gridCodes({ scale, zeroPoint, minCode: 1, maxCode: 2 ** bits - 1 });
      return { codes, decoding: { kind: "affine", zeroPoint }, scale };
    },
  });
}

/** The power of two that is at most 2σ, but at least so large that `ends` of it reach `max`, and no larger than what rounds all weights to 0. */
function stepFor(max: number, sigma: number, ends: number): number {
  if (max === 0) return 1;
  const most = floorLog2(max) + 2;
  // An infinite or huge σ has no exponent of interest.
  let exponent = 2 * sigma < powerOfTwo(most) ? floorLog2(Math.max(2 * sigma, powerOfTwo(LEAST_EXPONENT))) : most;
  while (ends * powerOfTwo(exponent) < max) exponent++;
  return powerOfTwo(Math.min(exponent, MOST_EXPONENT));
}

export interface PosteriorBits {
  /** δ per group. */
  readonly step: Float32Array;
  /** Bits of a code per group, a sign and the magnitude of max|w| / δ; 0 where all weights round to 0, at most 32. */
  readonly bits: Uint8Array;
  /** Mean of the bits over all weights: what packing each group at its own width would take. */
  readonly bitsPerWeight: number;
}

/**
 * Bits that a posterior leaves certain, per group: for mixed precision, or to see what a layer needs before it is quantized.
 *
 * @param means posterior means, [N, ...]
 * @param variance posterior variances, as many, none negative
 * @throws ShapeError, NotFiniteError, OutOfRangeError (a negative variance)
 */
export async function posteriorBits(
  means: FloatTensor,
  variance: Float32Array,
  { per = "channel", kernels }: { readonly per?: Per; readonly kernels?: KernelInstance } = {},
): Promise<PosteriorBits> {
  const op = "posteriorBits";
  const { rows, columns } = matrixOf(means.shape);
  if (!(rows * columns >= 1)) throw new ShapeError(op, "weights", "1 or more", rows * columns);
  if (means.data.length !== rows * columns) throw new ShapeError(op, "means", rows * columns, means.data.length);
  if (variance.length !== means.data.length) throw new ShapeError(op, "variances", means.data.length, variance.length);
  const loops = await innerLoops(kernels);
  for (const [what, values] of [
    ["means", means.data],
    ["variances", variance],
  ] as const) {
    const position = loops.firstNonFinite(values);
    if (position >= 0) throw new NotFiniteError(op, what, position);
  }
  using held = loops.load(means.data);
  using spread = loops.load(variance);
  const grouping = groupingOf(per, rows, columns);
  const { min: least } = spread.minMax(grouping);
  const negative = least.find((v) => v < 0);
  if (negative !== undefined) throw new OutOfRangeError(op, "variance", "0 or more", negative);
  const max = held.absMax(grouping);
  const step = max.map((m, group) => stepFor(m, Math.sqrt(least[group]!), Number.POSITIVE_INFINITY));
  const bits = Uint8Array.from(max, (m, group) => {
    const magnitude = Math.round(m / step[group]!);
    return magnitude === 0 ? 0 : Math.min(32, floorLog2(magnitude) + 2);
  });
  let total = 0;
  const perRow = groupCount(grouping) / grouping.rows;
  for (let group = 0; group < bits.length; group++) {
    const from = (group % perRow) * grouping.groupSize;
    total += bits[group]! * Math.min(grouping.groupSize, grouping.columns - from);
  }
  return { step, bits, bitsPerWeight: total / means.data.length };
}

export const posteriorGridFamily: SchemeFamily = {
  syntax: "bayes:<2..8>[:tensor|:g<n>][:n<samples>]",
  summary: "steps of a power of two no larger than the posterior leaves certain (Bayesian compression)",
  examples: ["bayes:4:n100", "bayes:8:tensor:n10000"],
  owns: (head) => head === "bayes",
  parse(scheme, _head, [width, ...rest]) {
    const bits = integerArgument(scheme, "bits of bayes:<bits>", width, 2, 8) as UniformBits;
    const samples = rest.filter((argument) => /^n/.test(argument));
    const { per } = modifiers(
      scheme,
      rest.filter((argument) => !/^n/.test(argument)),
      { per: "channel" },
    );
    return posteriorGrid({ bits, per, samples: samplesArgument(scheme, samples) });
  },
};

export const posteriorGridMethod: Method = {
  method: "Bayesian compression, bits by posterior variance",
  section: "stochastic: probabilistic",
  file: "stochastic/posterior-bits.ts",
  paper: BAYESIAN_COMPRESSION,
  scheme: "bayes:8:n1000",
  published: "7 to 18 bits of LeNet-5's layers at 1.0 % error; |ŵ - w| <= σ",
};
