/** What quantizers ask for besides weights, as seeded numbers of exact arithmetic. */
import { Random } from "../../src/quantize/random.ts";
import type { Calibration, Quantizer } from "../../src/quantize.ts";

/** `calibration` or `curvature` where the quantizer of [rows, columns] weights needs it: an argument of `quantize`. */
export function sampleNeeds(
  { needs }: Quantizer,
  rows: number,
  columns: number,
): { calibration?: Calibration; curvature?: Float32Array } {
  const random = new Random(50);
  const uniforms = (count: number) => Float32Array.from({ length: count }, () => 0.01 + random.uniform());
  if (needs === "curvature") return { curvature: uniforms(rows * columns) };
  if (needs === "inputs") return { calibration: { samples: 2 * columns, inputs: uniforms(2 * columns * columns) } };
  return {};
}
