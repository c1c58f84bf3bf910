/** Additive quantization of a layer by its inputs. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { EGIAZARIAN } from "../papers.ts";
import type { Law, Quantizer } from "../types.ts";
import { type AqOptions, additiveCodes, additiveFamily, aq, checkAdditive, improved } from "../vector/aq.ts";
import { bitsFor } from "../vector/kmeans.ts";
import type { AdditiveCodes } from "../vector/loops.ts";
import { checkRows } from "../vector/rq.ts";
import { checkDamping, DAMPING, damping } from "./damping.ts";

export interface AqlmOptions extends AqOptions {
  /** Codings of a row that the search keeps, 1..32. Default 2. */
  readonly rowBeam?: number;
  /** Times that codebooks are fitted and codes searched by the inputs, at most. Default 4. */
  readonly rowRounds?: number;
  /** λ as a share of the mean of H's diagonal, above 0, at most 1. Default 0.01, as in GPTQ. */
  readonly damping?: number;
}

/** Steps of conjugate gradients of one fit. */
const STEPS = 4;

/** Rounds end when one lessens the error by less than this part. */
const SETTLED = 1e-3;

/**
 * The layer-wise part of AQLM (Egiazarian et al.): additive codes of sub-vectors of D weights, chosen for the output of the layer y = W x, W [N, K], with n calibration inputs X [n, K],
 *
 *   min Σ_rows (w - ŵ) H (w - ŵ)ᵀ,   H = 2/n XᵀX + λI,   ŵ_s = Σ_m C_m[code_m(s)],
 *
 * with λ = `damping` times the mean of XᵀX's diagonal, from the codes and codebooks of `aq` on. By turns,
 *
 *   codebooks   least squares for the codes that there are, by four steps of conjugate gradients;
 *   codes       a beam search along each row: sub-vector after sub-vector and codebook after codebook, each of the kept codings of the row tries all K entries; what a change does to the rest of
 *               the row is in (w - ŵ) H, which goes along.
 *
 * No step makes this error larger. Codes that leave more error in the output itself (λ = 0) than those of `aq` are dropped for them, so that on the calibration inputs it is at most that of `aq`. Where
 * columns of inputs are orthogonal and of one power, H is a multiple of the identity, and the error is that of `aq`: 0.1175 on N(0,1) with D = 1, K = M = 2. M ceil(log₂ K) / D bits per weight and 32 K D M for the codebooks. Left out of the paper are its scale for each
 * output (the codebooks are the layer's, as everywhere in this package) and its tuning of codebooks and norms by gradients of a whole block. Published: Llama-2-7B at 2 bits, perplexity 5.92 with tuning.
 *
 * Range: all weights. Gradient in training: each entry gets the sum of its members' gradients. Inputs that are always 0 have λ's say; all-zero inputs make it `aq` fitted on. Memory: K² f64 for H and 16 K f64 for each of the `rowBeam` codings beside the weights.
 * Speed: a layer of 384 x 1536 with D = 8, K = 256, M = 2 takes about a minute of one core.
 *
 * @throws ShapeError (from `quantize`) where D does not divide the weights of a row.
 */
export function aqlm({
  rowBeam = 2,
  rowRounds = 4,
  restarts = 1,
  iterations = 50,
  beam = 4,
  rounds = 10,
  damping: share = DAMPING,
  ...size
}: AqlmOptions): Quantizer<"additive", true, "inputs"> {
  const { dimension, centroids, codebooks } = size;
  const scheme = `aqlm:${dimension}x${centroids}x${codebooks}`;
  const search = { dimension, centroids, stages: codebooks, restarts, iterations, beam, rounds };
  const inWeights = { ...size, restarts, iterations, beam, rounds };
  checkAdditive(scheme, search);
  checkDamping(scheme, share);
  checkInteger(scheme, "beam of a row", rowBeam, 1, 32);
  checkInteger(scheme, "rounds by inputs", rowRounds, 1, 1000);
  const laws: Law[] = ["scaleEquivariant", "noWorseOutput", "monotoneInBits"];
  return defineQuantizer({
    scheme,
    decoding: "additive",
    bits: bitsFor(centroids),
    codebook: "adaptive",
    per: "tensor",
    seeded: true,
    needs: "inputs",
    laws,
    coarser:
      codebooks > 1
        ? () => aqlm({ ...inWeights, codebooks: codebooks - 1, rowBeam, rowRounds, damping: share })
        : undefined,
    uncalibrated: () => aq(inWeights),
    paper: EGIAZARIAN,
    encode(w, { random, calibration }) {
      checkRows(scheme, w, dimension);
      const start = additiveCodes(w, random, search);
      w.release();
      using gram = w.solver.gram(calibration, w.columns);
      const step = (from: AdditiveCodes, steps: number, beam: number) =>
        gram.additive(w.values(), { ...from, dimension }, { steps, beam });
      gram.damp(damping(gram.diagonal, share));
      const found = improved(step(start, 0, 0), rowRounds, SETTLED, (best) => step(best, STEPS, rowBeam));
      gram.damp(0);
      const isWorse = step(found, 0, 0).error > step(start, 0, 0).error;
      const { codes, codebooks: codebook } = isWorse ? start : found;
      return { codes, decoding: { kind: "additive", codebook, dimension, count: codebooks } };
    },
  });
}

export const aqlmFamily = additiveFamily(
  "aqlm",
  "the codes of aq, chosen on calibration inputs for the layer's output (AQLM)",
  aqlm,
);

export const aqlmMethod: Method = {
  method: "Additive quantization by inputs (AQLM)",
  section: "since 2018",
  file: "calibrated/aqlm.ts",
  paper: EGIAZARIAN,
  scheme: "aqlm:4x64x2",
  published:
    "Llama-2-7B at 2 bits, tuned: perplexity 5.92 (1 codebook of 2^16), 6.69 (2 of 2^8); output error at most that of aq",
};
