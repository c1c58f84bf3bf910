/** Additive quantization of a layer by its inputs. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { EGIAZARIAN } from "../papers.ts";
import type { SchemeFamily } from "../scheme-family.ts";
import type { Law, Quantizer } from "../types.ts";
import { type AqOptions, additiveCodes, aq, improved } from "../vector/aq.ts";
import { bitsFor } from "../vector/kmeans.ts";
import { checkRows, checkSums, parseSums } from "../vector/rq.ts";

export interface AqlmOptions extends AqOptions {
  /** Codings of a row that the search keeps, 1..32. Default 2. */
  readonly rowBeam?: number;
  /** Times that codebooks are fitted and codes searched by the inputs, at most. Default 4. */
  readonly rowRounds?: number;
}

/** Steps of conjugate gradients of one fit. */
const STEPS = 4;

/** Rounds end when one lessens the error by less than this part. */
const SETTLED = 1e-3;

/**
 * The layer-wise part of AQLM (Egiazarian et al.): additive codes of sub-vectors of D weights, chosen for the output of the layer y = W x, W [N, K], with n calibration inputs X [n, K],
 *
 *   min Σ_rows (w - ŵ) H (w - ŵ)ᵀ,   H = 2/n XᵀX,   ŵ_s = Σ_m C_m[code_m(s)],
 *
 * from the codes and codebooks of `aq` on. By turns,
 *
 *   codebooks   least squares for the codes that there are, by four steps of conjugate gradients;
 *   codes       a beam search along each row: sub-vector after sub-vector and codebook after codebook, each of the kept codings of the row tries all K entries; what a change does to the rest of
 *               the row is in (w - ŵ) H, which goes along.
 *
 * No step makes the error of the output larger, so on the calibration inputs it is at most that of `aq`. M ceil(log₂ K) / D bits per weight and 32 K D M for the codebooks. Left out of the paper are its scale for each
 * output (the codebooks are the layer's, as everywhere in this package) and its tuning of codebooks and norms by gradients of a whole block. Published: Llama-2-7B at 2 bits, perplexity 5.92 with tuning.
 *
 * Range: all weights. Gradient in training: each entry gets the sum of its members' gradients. Inputs that are always 0 have no say. Memory: K² f64 for H and 16 K f64 for each of the `rowBeam` codings beside the weights.
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
  ...size
}: AqlmOptions): Quantizer<"additive", true, "inputs"> {
  const { dimension, centroids, codebooks } = size;
  const scheme = `aqlm:${dimension}x${centroids}x${codebooks}`;
  const sums = { dimension, centroids, stages: codebooks, restarts, iterations };
  const inWeights = { ...size, restarts, iterations, beam, rounds };
  checkSums(scheme, sums);
  checkInteger(scheme, "beam", beam, 1, 32);
  checkInteger(scheme, "rounds", rounds, 1, 1000);
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
    coarser: codebooks > 1 ? () => aqlm({ ...inWeights, codebooks: codebooks - 1, rowBeam, rowRounds }) : undefined,
    uncalibrated: () => aq(inWeights),
    paper: EGIAZARIAN,
    encode(w, { random, calibration }) {
      checkRows(scheme, w, dimension);
      const start = additiveCodes(w, random, { ...sums, beam, rounds });
      w.release();
      using gram = w.solver.gram(calibration, w.columns);
      const fitted = gram.additive(w.values(), { ...start, dimension }, { steps: 0, beam: 0 });
      const { codes, codebooks: codebook } = improved(fitted, rowRounds, SETTLED, (best) =>
        gram.additive(w.values(), { ...best, dimension }, { steps: STEPS, beam: rowBeam }),
      );
      return { codes, decoding: { kind: "additive", codebook, dimension, count: codebooks } };
    },
  });
}

export const aqlmFamily: SchemeFamily = {
  syntax: "aqlm:<1..16384>x<2..256>x<1..16>",
  summary: "the codes of aq, chosen on calibration inputs for the layer's output (AQLM)",
  examples: ["aqlm:4x16x2", "aqlm:2x8x3"],
  owns: (head) => head === "aqlm",
  parse(scheme, head, args) {
    const { stages, ...size } = parseSums(scheme, head, args, "M");
    return aqlm({ ...size, codebooks: stages });
  },
};

export const aqlmMethod: Method = {
  method: "Additive quantization by inputs (AQLM)",
  section: "since 2018",
  file: "calibrated/aqlm.ts",
  paper: EGIAZARIAN,
  scheme: "aqlm:4x64x2",
  published:
    "Llama-2-7B at 2 bits, tuned: perplexity 5.92 (1 codebook of 2^16), 6.69 (2 of 2^8); output error at most that of aq",
};
