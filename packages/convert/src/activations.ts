/** How activations are quantized, as the command line spells it. */

import type { Graph } from "lowbit";
import type { ActivationRange } from "lowbit/quantize";
import type { Calibration } from "./api.ts";
import { calibrate } from "./calibrate.ts";
import { OptionError } from "./errors.ts";

/** What `--activations` takes, for help and messages. */
export const ACTIVATIONS = "float, int8, int8:p<percent above 50>, int8:kl, int8:mse or int8:dynamic";

/** `calibrated`: by the ranges that the calibration has already. `dynamic`: each row by its own, when it comes. */
export interface ActivationScheme {
  readonly kind: "float" | "int8" | "dynamic";
  readonly range: ActivationRange | "calibrated";
}

const PERCENTILE = /^int8:p((?:[5-9]\d|100)(?:\.\d{1,4})?)$/;

/**
 * `int8` has the least and the largest value that was seen at its ends; `int8:p99.9` cuts both at the magnitude that 99.9 % do not exceed, `int8:kl` where the histograms before and after
 * diverge least (TensorRT's), `int8:mse` where the squared error is least; `int8:dynamic` quantizes each row when it comes. docs/methods.md has each.
 * @throws OptionError
 */
export function parseActivations(text: string): ActivationScheme {
  if (text === "float" || text === "int8") return { kind: text, range: "calibrated" };
  if (text === "int8:dynamic") return { kind: "dynamic", range: "calibrated" };
  if (text === "int8:kl" || text === "int8:mse") return { kind: "int8", range: text === "int8:kl" ? "kl" : "mse" };
  const percentile = Number(PERCENTILE.exec(text)?.[1]);
  if (percentile > 50 && percentile <= 100) return { kind: "int8", range: { percentile } };
  throw new OptionError("quantizeModel", "activations", ACTIVATIONS, text);
}

/** The calibration with the ranges that a scheme asks for. */
export async function calibrationFor(
  graph: Graph,
  { range }: ActivationScheme,
  calibration: Calibration,
  signal?: AbortSignal,
): Promise<Calibration> {
  if (range === "calibrated") return calibration;
  return calibrate(graph, calibration.feeds, { range, ...(signal && { signal }) });
}
