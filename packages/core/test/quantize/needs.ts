/** What quantizers may need besides the weights, seeded, for suites that run over all of them. */
import { type QuantizeOptions, type Quantizer, Random } from "../../src/quantize.ts";

export function sampleNeeds({ needs }: Quantizer, rows: number, columns: number): QuantizeOptions {
  const random = new Random(77);
  const draw = (count: number): Float32Array => Float32Array.from({ length: count }, () => 0.01 + random.uniform());
  if (needs === "inputs") {
    const samples = 4 * columns;
    return { calibration: { samples, inputs: draw(samples * columns) } } as QuantizeOptions;
  }
  return (needs === "curvature" ? { curvature: draw(rows * columns) } : {}) as QuantizeOptions;
}
