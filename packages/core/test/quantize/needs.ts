/** What quantizers that look at more than weights are given in tests: the seeded samples that their laws are tested on. */
import { sampleNeeds } from "../../src/quantize/laws.ts";
import { matrixOf } from "../../src/quantize/weights.ts";
import type { Quantizer, QuantizeOptions } from "../../src/quantize/types.ts";

/** Options that `quantize` asks for with weights of this shape. */
export function needed({ needs }: Pick<Quantizer, "needs">, shape: readonly number[], seed = 1): QuantizeOptions {
  const { rows, columns } = matrixOf(shape);
  // A shape that `quantize` is to refuse has no samples.
  if (!(Number.isInteger(rows) && Number.isInteger(columns) && rows > 0 && columns > 0)) return NONE;
  return sampleNeeds([rows, columns], seed)[needs] as QuantizeOptions;
}

const NONE = { calibration: { samples: 1, inputs: new Float32Array(1) }, curvature: new Float32Array() } as never;
