import { expect, it } from "vitest";
import { dequantizeActivations, quantizeActivations } from "../../src/kernels/activations.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { roundTiesToEven } from "../../src/runtime/lower/requantize.ts";
import { integers } from "./random.ts";

const ranges = { int8: [-128, 127], uint8: [0, 255] } as const;
const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1e30, -0, 0.5, 1.5, -2.5];

export function convert(kernels: () => KernelInstance): void {
  it.each(["int8", "uint8"] as const)(
    "%s: floats to codes and back equal the formula, around the sixteens",
    (dtype) => {
      const instance = kernels();
      const next = integers(5);
      const [low, high] = ranges[dtype];
      for (const count of [1, 9, 15, 16, 17, 40, 129])
        for (const [scale, zeroPoint] of [
          [1, low],
          [Math.fround(0.037), low + 77],
          [1 / 64, high],
        ] as const) {
          const x = Float32Array.from({ length: count }, (_, i) =>
            i % 3 === 0 ? specials[next(0, specials.length - 1)]! : (next(-4000, 4000) / 16) * scale,
          );
          const [from, codes, back] = [instance.upload(x), instance.alloc(count), instance.alloc(4 * count)];
          quantizeActivations(instance, from, count, codes, dtype, scale, zeroPoint);
          dequantizeActivations(instance, codes, count, back, dtype, scale, zeroPoint);
          const expected = Array.from(x, (value) => {
            const steps = Math.fround(value / scale);
            if (Number.isNaN(steps)) return zeroPoint;
            const q = Number.isFinite(steps) ? roundTiesToEven(steps) + zeroPoint : steps;
            return Math.min(high, Math.max(low, q));
          });
          const bytes = dtype === "int8" ? instance.i8(codes, count) : instance.u8(codes, count);
          expect([...bytes], `${count} of scale ${scale}`).toEqual(expected);
          expect([...instance.f32(back, count)]).toEqual(expected.map((q) => Math.fround((q - zeroPoint) * scale)));
          instance.free(from, x.byteLength);
          instance.free(codes, count);
          instance.free(back, 4 * count);
        }
    },
  );
}
