import type { Layer } from "./layer.ts";

/** (pixel - mean) / std in front of a float network; the pixels are 0..255. */
export function normalizedPixels(name: string, mean: number, std: number): Layer {
  return { name, apply: (x) => x.sub(mean).div(std), freeze: () => [{ kind: "normalize", name, mean, std }] };
}

/**
 * Pixels 0..255 as int8 codes, pixel = code + 128 (scale 1, zero point -128): the first layer then computes on integers.
 * Training images hold whole numbers already, so there is nothing to round here. Outside the image is pixel 0, code -128,
 * which is what the border of a digit is.
 */
export function int8Pixels(name: string): Layer {
  return { name, apply: (x) => x, freeze: () => [{ kind: "quantize", name, scale: 1, zeroPoint: -128 }] };
}
