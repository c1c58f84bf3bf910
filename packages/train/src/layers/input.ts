import type { ActivationQuantization } from "lowbit";
import { type GraphWriter, vector } from "../export/graph.ts";
import { filled } from "../values.ts";
import type { Layer } from "./layer.ts";

/** (pixel - mean) / std in front of a float network; the pixels are 0..255. */
export function normalizedPixels(name: string, mean: number, std: number): Layer {
  return {
    name,
    apply: (x) => x.sub(mean).div(std),
    write(graph, x) {
      const centred = graph.add("sub", `${name}.sub`, [x, vector(graph, `${name}.mean`, filled([1], mean))], {});
      return graph.add("div", `${name}.div`, [centred, vector(graph, `${name}.std`, filled([1], std))], {});
    },
    freeze: () => [{ kind: "normalize", name, mean, std }],
  };
}

/**
 * Pixels 0..255 as int8 codes, pixel = code + 128 (scale 1, zero point -128): the first layer then computes on integers.
 * Training images hold whole numbers already, so there is nothing to round here. Outside the image is pixel 0, code -128,
 * which is what the border of a digit is.
 */
export function int8Pixels(name: string): Layer {
  const grid = { scale: 1, zeroPoint: -128 };
  return {
    name,
    apply: (x) => x,
    write: (graph, x) => quantizeNode(graph, name, x, grid),
    freeze: () => [{ kind: "quantize", name, ...grid }],
  };
}

/** The reals of int8 codes: `quantize` and `dequantize`, which the converter's passes join with what stands around them. */
export function quantizeNode(
  graph: GraphWriter,
  name: string,
  x: string,
  quantization: ActivationQuantization,
): string {
  const codes = graph.add("quantize", name, [x], {}, { info: { dtype: "int8", quantization } });
  return graph.add("dequantize", `${name}.reals`, [codes], {});
}
