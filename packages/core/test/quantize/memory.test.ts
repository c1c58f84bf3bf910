/** What quantizing takes of WASM memory: at most three times the tensor, and what a method is told of the layer: one Hessian and a block of its inputs, or a curvature. */
import { describe, expect, it } from "vitest";
import { bundledWasm } from "../../src/bundled.ts";
import { loadKernels } from "../../src/kernels/load.ts";
import { availableTiers } from "../../src/kernels/tiers.ts";
import { Random } from "../../src/quantize/random.ts";
import { adaround, gptq, parseScheme, type QuantizeOptions, quantize, registry } from "../../src/quantize.ts";

const schemes = registry.flatMap(({ examples }) => examples);

/** Inputs that are looked at together: 2^18 floats. */
const BLOCK = 4 * 2 ** 18;

function numbers(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.uniform() + random.uniform() + random.uniform() - 1.5);
}

/** A square layer, the smallest of which a page of memory is no part that counts. */
const [rows, columns] = [384, 384];
const data = numbers(rows * columns, 7);
const calibration = { samples: 768, inputs: numbers(768 * columns, 8) };
const curvature = numbers(rows * columns, 9).map((value) => Math.abs(value) + 0.1);

/** What a method is told, and the bytes that this is given beside the tensor. */
const told = {
  weights: { options: {}, bytes: 0 },
  inputs: { options: { calibration }, bytes: 8 * columns ** 2 + BLOCK },
  curvature: { options: { curvature }, bytes: curvature.byteLength },
} as const;

// Memory is laid out alike on every tier.
const tier = availableTiers()[0]!;

describe("WASM memory of a quantizer", () => {
  it.each(schemes)("%s takes at most three times the tensor", async (scheme) => {
    const quantizer = parseScheme(scheme);
    const { options, bytes } = told[quantizer.needs];
    using own = await loadKernels({ tier, part: "quantize", wasm: bundledWasm });
    const before = own.memoryBytes;
    await quantize({ shape: [rows, columns], data }, quantizer, { kernels: own, ...options } as QuantizeOptions);
    expect((own.memoryBytes - before - bytes) / data.byteLength).toBeLessThan(3);
  });

  // The Hessian of such a layer is eight times the tensor: a copy of it as floats would not go unseen.
  it.each([gptq({ bits: 4 }), adaround({ bits: 4, iterations: 2 })])(
    "$scheme of a layer four times as wide as high takes one Hessian",
    async (quantizer) => {
      const [rows, columns, samples] = [384, 1536, 256];
      const wide = numbers(rows * columns, 7);
      const calibration = { samples, inputs: numbers(samples * columns, 8) };
      using own = await loadKernels({ tier, part: "quantize", wasm: bundledWasm });
      const before = own.memoryBytes;
      await quantize({ shape: [rows, columns], data: wide }, quantizer, { kernels: own, calibration });
      expect((own.memoryBytes - before - 8 * columns ** 2 - BLOCK) / wide.byteLength).toBeLessThan(3);
    },
  );
});
