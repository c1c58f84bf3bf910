/** AdaRound: each weight up or down, as the layer's output asks. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { ADAROUND } from "../papers.ts";
import { defaultRange, type UniformGridOptions, uniform, uniformGrid } from "../rounding/uniform.ts";
import { perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Law, Per, Quantizer } from "../types.ts";
import { gridSuffix, parseGrid } from "./grid-scheme.ts";

export interface AdaroundOptions extends Omit<UniformGridOptions, "asymmetric"> {
  /** Default: per output channel. */
  readonly per?: Per;
  /** The grid covers ±max|w| instead of [min(w, 0), max(w, 0)]. Default false. */
  readonly symmetric?: boolean;
  /** Steps of Adam. Default 200: the gradient is that of all samples at once, the paper's 10,000 are of 32 samples each. */
  readonly iterations?: number;
}

/** Step size of Adam, λ (in units of c, below; the paper's 0.01 is in those of its loss), and the β that the regularizer is annealed over. Chosen by the output error that they reach. */
const SEARCH = { rate: 0.1, weight: 0.4, beta: [20, 2] } as const;

/**
 * AdaRound of a layer y = W x: on the grid of `int<b>` with scale s,
 *
 *   min over V of ‖W x - W̃ x‖² + λ Σ 1 - |2h(V) - 1|^β,   W̃ = s · clip(⌊W / s⌋ + h(V), n, p),
 *   h(V) = clip(σ(V)(ζ - γ) + γ, 0, 1),   ζ = 1.1, γ = -0.1,
 *
 * from h(V) = W/s - ⌊W/s⌋ on, by Adam; β falls from 20 to 2, and for the first fifth of the steps λ is 0. At the end h >= 1/2 rounds up. The first term is taken over all
 * calibration inputs, ΔW H ΔWᵀ / 2c with H = 2/n XᵀX and c the row's mean of s² H_kk, so that neither the scale of weights nor of inputs matters. A row that rounding to the
 * nearest level serves better gets that. Published: ResNet-18 at 4 bits (weights) 68.7 % top-1, nearest 24.0, float 69.7.
 *
 * Range: the grid's levels, each weight to one of the two around it. Gradient in training: none, it ends a training. All-zero inputs leave the nearest levels; an all-zero
 * group has S = 1. exp, log and pow are libm's, so the same input gives the same codes everywhere. Time: N K² per step.
 */
export function adaround(options: AdaroundOptions): Quantizer<"affine", false, "inputs"> {
  const { bits, per = "channel", range = defaultRange(options.bits), symmetric = false, iterations = 200 } = options;
  checkInteger("adaround:<b>", "bits", bits, 2, 8);
  checkInteger("adaround:<b>", "iterations", iterations, 1, 1_000_000);
  const grid = { bits, range, asymmetric: !symmetric };
  const laws: Law[] = ["scaleEquivariant", "noWorseOutput", "monotoneInBits"];
  return defineQuantizer({
    scheme: `adaround:${bits}${perSuffix(per, "channel")}${gridSuffix(grid)}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    needs: "inputs",
    laws,
    coarser: bits > 2 ? () => adaround({ ...options, range, bits: (bits - 1) as typeof bits }) : undefined,
    uncalibrated: () => uniform({ ...grid, per }),
    paper: ADAROUND,
    encode(w, { calibration }) {
      const levels = uniformGrid(w, grid);
      w.release();
      using gram = w.solver.gram(calibration, w.columns);
      const problem = { w: w.values(), grouping: w.grouping, grid: levels };
      const codes = gram.adaround(problem, { ...SEARCH, iterations });
      return { codes, decoding: { kind: "affine", zeroPoint: levels.zeroPoint }, scale: levels.scale };
    },
  });
}

export const adaroundFamily: SchemeFamily = {
  syntax: "adaround:<2..8>[:tensor|:g<n>][:sym][:mse|:absmax]",
  summary: "the grid of int<b>, each weight up or down by AdaRound on calibration inputs",
  examples: ["adaround:3", "adaround:4:g32:sym"],
  owns: (head) => head === "adaround",
  parse(scheme, _head, args) {
    const { flags: _, ...grid } = parseGrid(scheme, args);
    return adaround(grid);
  },
};

export const adaroundMethod: Method = {
  method: "AdaRound",
  section: "since 2018",
  file: "calibrated/adaround.ts",
  paper: ADAROUND,
  scheme: "adaround:4",
  published: "ResNet-18, 4-bit weights: 68.7 % top-1, nearest 24.0, float 69.7; output error at most that of rounding",
};
