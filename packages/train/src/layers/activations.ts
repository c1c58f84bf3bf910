import { nn, np } from "../autograd.ts";
import { signSte, straightThrough } from "../estimators/ste.ts";
import { signNodes } from "../export/graph.ts";
import { quantizeNode } from "./input.ts";
import type { Layer } from "./layer.ts";

const RELU = { min: 0, max: Number.POSITIVE_INFINITY };

/** Gaussian error linear unit by tanh (Hendrycks, Gimpel 2016). */
export const gelu = (name: string): Layer => ({
  name,
  apply: (x) => nn.gelu(x, { approximate: true }),
  write: (graph, x) => graph.add("gelu", name, [x], { approximate: "tanh" }),
});

/** max(x, 0) */
export function relu(name: string): Layer {
  return {
    name,
    apply: (x) => np.maximum(x, 0),
    write: (graph, x) => graph.add("clip", name, [x], RELU),
    freeze: () => [{ kind: "relu", name }],
  };
}

/** Sign with sign(0) = +1 and the clipped straight-through gradient. (Frozen, sign(0) is 0, as in ONNX; `alignToIntegers` makes it unreachable.) */
export function sign(name: string): Layer {
  return {
    name,
    apply: signSte,
    write: (graph, x) => signNodes(graph, name, x),
    freeze: () => [{ kind: "sign", name }],
  };
}

/** Largest code of a quantized ReLU: the non-negative half of int8, so that the zero point is 0. */
const LARGEST_CODE = 127;

/**
 * ReLU on a uniform grid: y = step * clamp(roundTiesToEven(x / step), 0, 127), int8 codes with zero point 0. The gradient
 * is 1 where 0 < x < 127 step, else 0 (a clipped ReLU with a fixed clip, as PACT has a learned one: Choi et al. 2018).
 *
 * @param step a power of two keeps x / step exact
 */
export function quantizedRelu(name: string, step: number): Layer {
  return {
    name,
    apply(x) {
      const clipped = np.clip(x, 0, LARGEST_CODE * step);
      return straightThrough(np.round(clipped.ref.div(step)).mul(step), clipped);
    },
    write(graph, x) {
      const positive = graph.add("clip", name, [x], RELU);
      return quantizeNode(graph, `${name}.codes`, positive, { scale: step, zeroPoint: 0 });
    },
    freeze: () => [
      { kind: "relu", name },
      { kind: "quantize", name: `${name}.codes`, scale: step, zeroPoint: 0 },
    ],
  };
}
