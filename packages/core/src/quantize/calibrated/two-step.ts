/** Two-step quantization's second step: ternary weights that answer a layer's inputs as the float ones do. */
import { defineQuantizer } from "../define.ts";
import { SchemeError } from "../errors.ts";
import type { Method } from "../method.ts";
import { ternary } from "../optimization/ternary.ts";
import { WANG_TSQ } from "../papers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Gram } from "../solve.ts";
import type { Quantizer } from "../types.ts";
import { checkDamping, DAMPING, damping } from "./damping.ts";

/** Times that codes are searched and α is solved for, at most; rows settle in about five. */
const ROUNDS = 20;

/** Codes 0, 1, 2 stand for these. */
const LEVELS = Float32Array.of(-1, 0, 1);
const ZERO_CODE = 1;

/** What rounding of sums could be mistaken for a gain. */
const GAIN = 1e-9;

export interface TwoStepOptions {
  /** λ as a share of the mean of H's diagonal, above 0, at most 1. Default 0.01, as in GPTQ. */
  readonly damping?: number;
}

/** A channel's codes and scale. */
interface Row {
  readonly codes: Uint8Array;
  readonly alpha: number;
}

const additive = (gram: Gram, x: Float32Array, codes: Uint8Array, beam: number) =>
  gram.additive(x, { codes, codebooks: LEVELS, count: 1, dimension: 1 }, { steps: 0, beam });

/** (w - αt) H (w - αt)ᵀ. @param scaled the channel's weights times a factor */
const errorOf = (gram: Gram, scaled: (factor: number) => Float32Array, { codes, alpha }: Row): number =>
  alpha * alpha * additive(gram, scaled(1 / alpha), codes, 0).error;

/**
 * The transformation function learning of two-step quantization (Wang et al.) for a layer y = W x with n calibration inputs X [n, K], each output channel w by itself:
 *
 *   min ‖X w - α X t‖² over α > 0 and t in {-1, 0, +1}ᴷ,   that is (w - αt) H (w - αt)ᵀ with H = 2/n XᵀX + λI,
 *
 * with λ = `damping` times the mean of XᵀX's diagonal, from the ternary weights of least error on. By turns, until nothing changes,
 *
 *   t    one weight after another, to the best of its three values while the others stand;
 *   α    = w H t / t H t.
 *
 * Neither makes this error larger. A channel whose output itself (λ = 0) `ternary:mse` answers better gets that, so that on the calibration inputs the error is at most that of `ternary:mse`. The paper's first step, codes for activations, is a training; give the inputs as
 * they will be, quantized. Where columns of inputs are orthogonal and of one power it is `ternary:mse`: 0.1902 on N(0,1).
 *
 * Range: {-α, 0, +α} per output channel. Gradient in training: none, it ends a training. An all-zero channel has α = 0; all-zero inputs leave the weights of least error. Memory: K² f64 for H.
 * Time: N K² per turn.
 */
export function twoStep({ damping: share = DAMPING }: TwoStepOptions = {}): Quantizer<"affine", false, "inputs"> {
  checkDamping("tsq:ternary", share);
  return defineQuantizer({
    scheme: "tsq:ternary",
    decoding: "affine",
    bits: 2,
    codebook: "fixed",
    per: "channel",
    needs: "inputs",
    laws: ["scaleEquivariant", "signSymmetric", "noWorseOutput"],
    uncalibrated: () => ternary({ threshold: "mse" }),
    paper: WANG_TSQ,
    encode(w, { calibration }) {
      const nearest = ternary({ threshold: "mse" }).encode(w, {
        random: undefined,
        calibration: undefined,
        curvature: undefined,
      });
      const { codes } = nearest;
      const scale = nearest.scale!;
      w.release();
      const { columns, solver } = w;
      using gram = solver.gram(calibration, columns);
      const rowOf = (n: number) => w.values().subarray(n * columns, (n + 1) * columns);
      const scaledBy = (n: number) => (factor: number) =>
        solver.scale(rowOf(n), columns, Float64Array.of(factor), Float64Array.of(1));
      gram.damp(damping(gram.diagonal, share));
      const found = Array.from(scale, (alpha, n): Row => {
        const start = { codes: codes.slice(n * columns, (n + 1) * columns), alpha };
        return alpha > 0 ? answering(gram, scaledBy(n), start) : start;
      });
      gram.damp(0);
      for (const [n, row] of found.entries()) {
        const start = { codes: codes.slice(n * columns, (n + 1) * columns), alpha: scale[n]! };
        if (start.alpha === 0 || errorOf(gram, scaledBy(n), row) > errorOf(gram, scaledBy(n), start)) continue;
        codes.set(row.codes, n * columns);
        scale[n] = row.alpha;
      }
      return { codes, decoding: { kind: "affine", zeroPoint: ZERO_CODE }, scale };
    },
  });
}

/** The turns of a channel. @param scaled its weights times a factor */
function answering(gram: Gram, scaled: (factor: number) => Float32Array, start: Row): Row {
  const zeros = new Uint8Array(start.codes.length).fill(ZERO_CODE);
  const nothing = scaled(0);
  const a = additive(gram, scaled(1), zeros, 0).error;
  let best = start;
  let least = errorOf(gram, scaled, start);
  for (let round = 0; round < ROUNDS; round++) {
    const unit = scaled(1 / best.alpha);
    const { codes, error } = additive(gram, unit, best.codes, 1);
    // w H t by what w, t and w - αt have of H.
    const c = additive(gram, nothing, codes, 0).error;
    const b = (best.alpha * (additive(gram, unit, zeros, 0).error + c - error)) / 2;
    const alpha = Math.fround(b / c);
    if (!(alpha > 0 && Number.isFinite(alpha))) break;
    const next = { codes, alpha };
    const left = errorOf(gram, scaled, next);
    if (!(left < least - GAIN * a)) break;
    [best, least] = [next, left];
  }
  return best;
}

export const twoStepFamily: SchemeFamily = {
  syntax: "tsq:ternary",
  summary: "-α, 0, +α chosen on calibration inputs for the layer's output (two-step quantization's weights)",
  examples: ["tsq:ternary"],
  owns: (head) => head === "tsq",
  parse(scheme, _head, args) {
    if (args.length !== 1 || args[0] !== "ternary") throw new SchemeError(scheme, "levels", "tsq:ternary");
    return twoStep();
  },
};

export const twoStepMethod: Method = {
  method: "Two-step quantization, ternary weights by inputs",
  section: "deterministic: quantization as optimization",
  file: "calibrated/two-step.ts",
  paper: WANG_TSQ,
  scheme: "tsq:ternary",
  published:
    "0.1902 on N(0,1) where inputs are uncorrelated, the ternary optimum; output error at most that of ternary:mse",
};
