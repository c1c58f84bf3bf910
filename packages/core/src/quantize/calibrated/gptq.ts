/** GPTQ: columns rounded one after another, each making up for the errors before it. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { GPTQ } from "../papers.ts";
import { defaultRange, type UniformGridOptions, uniform, uniformGrid } from "../rounding/uniform.ts";
import { perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Calibration, Law, Per, Quantizer } from "../types.ts";
import type { Weights } from "../weights.ts";
import { checkDamping, DAMPING, damping } from "./damping.ts";
import { gridSuffix, parseGrid } from "./grid-scheme.ts";

export interface GptqOptions extends Omit<UniformGridOptions, "asymmetric"> {
  /** Default: per output channel. */
  readonly per?: Per;
  /** The grid covers ±max|w| instead of [min(w, 0), max(w, 0)]. Default false, as in the paper's program. */
  readonly symmetric?: boolean;
  /** Columns by falling input power ("act-order") instead of from left to right. Default false. */
  readonly actOrder?: boolean;
  /** λ as a share of the mean of H's diagonal, above 0, at most 1. Default 0.01, as in the paper. */
  readonly damping?: number;
}

/**
 * GPTQ of a layer y = W x, W [N, K], with n calibration inputs X [n, K]: the squared error of the output is tr(ΔW H ΔWᵀ) / 2 with
 *
 *   H = 2/n XᵀX + λI,   λ = `damping` times the mean of its diagonal;   H⁻¹ = Uᵀ U, U upper triangular.
 *
 * For j = 1 ... K, in every row:   ŵ_j = quant(w_j);   w_k ← w_k - (w_j - ŵ_j) / U_jj · U_jk for k > j.
 *
 * `quant` rounds to the grid of `int<b>` (asymmetric unless `symmetric`) over the weights as they were; groups keep to their columns with `actOrder` too ("static groups").
 * A row that rounding to the nearest level serves better (a clamped column can leave more than it takes) gets that. So on the calibration inputs the output never has more
 * error than rounding on the same grid leaves. Published: OPT-175B at 4 bits 8.37 perplexity, float 8.34 (WikiText2).
 *
 * Range: the grid's levels. Gradient in training: none, it ends a training. Inputs that are always 0 have no say and their weights round to the nearest level; all-zero inputs
 * make it `int<b>`. An all-zero group has S = 1. Memory: K² f64 for H beside the weights and a block of inputs. K up to about 8,000 for what a module can address.
 */
export function gptq(options: GptqOptions): Quantizer<"affine", false, "inputs"> {
  const { bits, per = "channel", range = defaultRange(options.bits), symmetric = false, actOrder = false } = options;
  const { damping: share = DAMPING } = options;
  checkInteger("gptq:<b>", "bits", bits, 2, 8);
  checkDamping("gptq:<b>", share);
  const grid = { bits, range, asymmetric: !symmetric };
  const laws: Law[] = ["scaleEquivariant", "noWorseOutput", "monotoneInBits"];
  return defineQuantizer({
    scheme: `gptq:${bits}${perSuffix(per, "channel")}${gridSuffix(grid)}${actOrder ? ":order" : ""}`,
    decoding: "affine",
    bits,
    codebook: "fixed",
    per,
    needs: "inputs",
    // The rounding of Z is not symmetric.
    laws: symmetric ? [...laws, "signSymmetric"] : laws,
    coarser: bits > 2 ? () => gptq({ ...options, range, bits: (bits - 1) as typeof bits }) : undefined,
    uncalibrated: () => uniform({ ...grid, per }),
    paper: GPTQ,
    encode(w, { calibration }) {
      const levels = uniformGrid(w, grid);
      w.release();
      const order = actOrder ? byInputPower(w, calibration) : undefined;
      using gram = w.solver.gram(calibration, w.columns, order);
      const problem = { w: w.values(), grouping: w.grouping, grid: levels };
      const codes = gram.gptq(problem, damping(gram.diagonal, share));
      return { codes, decoding: { kind: "affine", zeroPoint: levels.zeroPoint }, scale: levels.scale };
    },
  });
}

/** Columns by falling Σ x², the lower index first among equals. */
function byInputPower(w: Weights, { inputs }: Calibration): Uint32Array {
  const { sumSquares } = w.solver.columnFigures(inputs, w.columns);
  return Uint32Array.from(sumSquares.keys()).sort((a, b) => sumSquares[b]! - sumSquares[a]! || a - b);
}

export const gptqFamily: SchemeFamily = {
  syntax: "gptq:<2..8>[:tensor|:g<n>][:sym][:mse|:absmax][:order]",
  summary: "the grid of int<b>, its codes by GPTQ on calibration inputs; :order starts with the strongest inputs",
  examples: ["gptq:2:g32", "gptq:3:sym", "gptq:4:g32:order"],
  owns: (head) => head === "gptq",
  parse(scheme, _head, args) {
    const { flags, ...grid } = parseGrid(scheme, args, ["order"]);
    return gptq({ ...grid, actOrder: flags.has("order") });
  },
};

export const gptqMethods: readonly Method[] = [
  {
    method: "GPTQ",
    section: "since 2018",
    file: "calibrated/gptq.ts",
    paper: GPTQ,
    scheme: "gptq:4:g32",
    published: "OPT-175B at 4 bits: perplexity 8.37, float 8.34; output error at most that of rounding",
  },
  {
    method: "GPTQ, strongest inputs first",
    section: "since 2018",
    file: "calibrated/gptq.ts",
    paper: GPTQ,
    scheme: "gptq:4:g32:order",
    published: "output error at most that of rounding on the same grid",
  },
];
