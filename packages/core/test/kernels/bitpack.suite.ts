import { expect, it } from "vitest";
import {
  BitMaxPool,
  packPlanes,
  packSigns,
  packSignsInt8,
  packTrits,
  unpackSigns,
  unpackTrits,
} from "../../src/kernels/bitpack.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { integers, packSigns as naivePack, sizes } from "./random.ts";

const special = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, -1e-45];
const signBit = (x: number) => (x < 0 ? -1 : 1);
const sign = (x: number) => (x < 0 ? -1 : x > 0 ? 1 : 0);

export function bitpack(kernels: () => KernelInstance): void {
  /** Uploads x, hands `run` its address and that of `bytes` bytes for y, and reads y. */
  function withMemory<T>(x: ArrayBufferView, bytes: number, run: (x: number, y: number) => T): T {
    const instance = kernels();
    const [from, to] = [instance.upload(x), instance.alloc(bytes)];
    try {
      return run(from, to);
    } finally {
      instance.free(from, x.byteLength);
      instance.free(to, bytes);
    }
  }

  it("f32 to bits and trits and back, special values among them", () => {
    const instance = kernels();
    for (const channels of sizes)
      for (const rows of [1, 3]) {
        const next = integers(channels + rows);
        const count = rows * channels;
        const x = Float32Array.from({ length: count }, () => (next(0, 2) ? next(-50, 50) / 7 : special[next(0, 6)]!));
        const words = rows * Math.ceil(channels / 32);
        withMemory(x, words * 8, (from, to) => {
          packSigns(instance, from, rows, channels, to);
          const bits = instance.u32(to, words).slice();
          expect(bits).toEqual(naivePack([...x].map(signBit), channels, false));
          withMemory(bits, count * 4, (packed, back) => {
            unpackSigns(instance, packed, rows, channels, back);
            expect([...instance.f32(back, count)]).toEqual([...x].map(signBit));
          });
          const zeros = packTrits(instance, from, rows, channels, to);
          expect(zeros).toBe([...x].filter((value) => sign(value) === 0).length);
          const trits = instance.u32(to, zeros === 0 ? words : 2 * words).slice();
          expect(trits).toEqual(naivePack([...x].map(sign), channels, zeros > 0));
          if (zeros > 0)
            withMemory(trits, count * 4, (packed, back) => {
              unpackTrits(instance, packed, rows, channels, back);
              expect([...instance.f32(back, count)]).toEqual([...x].map(sign));
            });
        });
      }
  });

  it.each(["int8", "uint8"] as const)("%s to bits around the zero point", (dtype) => {
    const low = dtype === "int8" ? -128 : 0;
    for (const channels of [1, 31, 32, 33, 100]) {
      const next = integers(channels);
      const x = Array.from({ length: 2 * channels }, () => next(low, low + 255));
      for (const zeroPoint of [low, low + 127, low + 255])
        withMemory(Uint8Array.from(x), 8 * Math.ceil(channels / 32), (from, to) => {
          packSignsInt8(kernels(), from, 2, channels, to, { dtype, zeroPoint });
          const expected = naivePack(
            x.map((value) => signBit(value - zeroPoint)),
            channels,
            false,
          );
          expect(kernels().u32(to, expected.length)).toEqual(expected);
        });
    }
    withMemory(new Uint8Array(4), 4, (from, to) => {
      const pack = (zeroPoint: number) => packSignsInt8(kernels(), from, 1, 4, to, { dtype, zeroPoint });
      expect(() => pack(low - 1)).toThrow(/bitpack: zero point/);
      expect(() => pack(low + 256)).toThrow(/bitpack: zero point/);
    });
  });

  it("codes to planes: +1 where the bit is set, higher bits ignored", () => {
    for (const channels of [1, 31, 32, 33, 100])
      for (let bits = 1; bits <= 8; bits++) {
        const next = integers(channels + bits);
        const x = Array.from({ length: 2 * channels }, () => next(0, 255));
        const planes = [0, 1].flatMap((row) =>
          Array.from({ length: bits * channels }, (_, i) =>
            (x[row * channels + (i % channels)]! >> Math.floor(i / channels)) & 1 ? 1 : -1,
          ),
        );
        const expected = naivePack(planes, channels, false);
        withMemory(Uint8Array.from(x), expected.byteLength, (from, to) => {
          packPlanes(kernels(), from, 2, channels, bits, to);
          expect(kernels().u32(to, expected.length)).toEqual(expected);
        });
      }
    withMemory(new Uint8Array(4), 64, (from, to) => {
      expect(() => packPlanes(kernels(), from, 1, 4, 0, to)).toThrow(/bitpack: bits per code, expected 1, got 0/);
      expect(() => packPlanes(kernels(), from, 1, 4, 9, to)).toThrow(/bitpack: bits per code, expected 8, got 9/);
    });
  });

  it("max pooling of bits is the largest of each window", () => {
    const [height, width, channels] = [5, 6, 40];
    const next = integers(3);
    const x = Array.from({ length: height * width * channels }, () => 1 - 2 * next(0, 1));
    const window = { kernel: [3, 2], strides: [2, 1], dilations: [1, 2], pads: [1, 1, 0, 1] } as const;
    using pool = new BitMaxPool(kernels(), { input: [height, width], channels, window });
    const [outHeight, outWidth] = [2, 6];
    const y: number[] = [];
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let c = 0; c < channels; c++) {
          let largest = -1;
          for (let ky = 0; ky < 3; ky++)
            for (let kx = 0; kx < 2; kx++) {
              const [iy, ix] = [oy * 2 + ky - 1, ox + kx * 2 - 1];
              if (iy >= 0 && iy < height && ix >= 0 && ix < width)
                largest = Math.max(largest, x[(iy * width + ix) * channels + c]!);
            }
          y.push(largest);
        }
    const expected = naivePack(y, channels, false);
    withMemory(naivePack(x, channels, false), expected.byteLength, (from, to) => {
      pool.run(from, 1, to);
      expect(kernels().u32(to, expected.length)).toEqual(expected);
    });
  });
}
