/** Rows of quantizers of activations in `docs/methods.md`. */
import type { Method } from "../method.ts";
import type { Paper } from "../types.ts";
import type { ActivationCalibrator, ActivationQuantizer } from "./types.ts";

interface ActivationRow {
  readonly method: string;
  readonly file: string;
  readonly paper: Paper;
  readonly published: string;
  readonly kernel: string;
  readonly quantizer: ActivationQuantizer | ActivationCalibrator;
  readonly laws?: readonly string[];
}

/** Measures on the inputs of the trained layer, calibrated (where that is needed) on the first half and quantized on all. */
export function activationRow({ quantizer, laws = [], ...row }: ActivationRow): Method {
  return {
    ...row,
    section: "activations",
    laws: ["codes and values equal plain TypeScript's", "0 stays 0 or is the nearest level", ...laws],
    async measure({ calibration: { samples, inputs } }) {
      const columns = inputs.length / samples;
      const half = Math.ceil(samples / 2);
      const seen = { shape: [half, columns], data: inputs.subarray(0, half * columns) };
      const ready = "calibrate" in quantizer ? await quantizer.calibrate(seen) : quantizer;
      const { error } = await ready.quantize({ shape: [samples, columns], data: inputs });
      return `${error.relativeMse === 0 ? "0" : error.relativeMse.toPrecision(4)} inputs (\`${quantizer.scheme}\`)`;
    },
  };
}
