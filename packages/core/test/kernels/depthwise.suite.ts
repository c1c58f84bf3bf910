import { expect, it } from "vitest";
import { DepthwiseAffine, DepthwiseF32 } from "../../src/kernels/depthwise.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { integers, packCodes } from "./random.ts";

const window = { kernel: [3, 2], strides: [2, 1], dilations: [1, 2], pads: [1, 1, 1, 0] } as const;
const [height, width, outHeight, outWidth] = [6, 5, 3, 4];

/** For every output element: its channel of y, and the taps inside the image as [index in x, index of the tap]. */
function* elements(channels: number, outputs: number): Generator<[channel: number, taps: [x: number, tap: number][]]> {
  for (let oy = 0; oy < outHeight; oy++)
    for (let ox = 0; ox < outWidth; ox++)
      for (let o = 0; o < outputs; o++) {
        const taps: [number, number][] = [];
        for (let ky = 0; ky < 3; ky++)
          for (let kx = 0; kx < 2; kx++) {
            const [iy, ix] = [oy * 2 + ky - 1, ox + kx * 2 - 1];
            if (iy >= 0 && iy < height && ix >= 0 && ix < width)
              taps.push([(iy * width + ix) * channels + Math.floor(o / (outputs / channels)), ky * 2 + kx]);
          }
        yield [o, taps];
      }
}

export function depthwise(kernels: () => KernelInstance): void {
  it.each([
    [1, 1],
    [5, 5],
    [19, 19],
    [32, 32],
    [3, 6],
  ])("f32 over %i channels to %i: one chain over the taps", (channels, outputs) => {
    const instance = kernels();
    const next = integers(channels);
    const floats = (length: number) => Float32Array.from({ length }, () => next(-999, 999) / 321);
    const [x, weights, bias] = [floats(height * width * channels), floats(outputs * 6), floats(outputs)];
    using conv = new DepthwiseF32(instance, { input: [height, width], channels, window, weights, bias });
    const count = outHeight * outWidth * outputs;
    const [from, to] = [instance.upload(x), instance.alloc(count * 4)];
    conv.run(from, 1, to);
    const expected = [...elements(channels, outputs)].map(([o, taps]) => {
      let sum = 0;
      for (const [at, tap] of taps) sum = Math.fround(sum + Math.fround(x[at]! * weights[o * 6 + tap]!));
      return Math.fround(sum + bias[o]!);
    });
    expect([...instance.f32(to, count)]).toEqual(expected);
    instance.free(from, x.byteLength);
    instance.free(to, count * 4);
  });

  it.each([4, 8])("uint8 by %i-bit codes: exact sums, padding counts as the zero point", (bits) => {
    const instance = kernels();
    const [channels, zeroPoint] = [21, 2 ** (bits - 1)];
    const next = integers(bits);
    const x = Uint8Array.from({ length: height * width * channels }, () => next(0, 255));
    const codes = Array.from({ length: channels * 6 }, () => next(0, 2 ** bits - 1));
    const input = { dtype: "uint8", zeroPoint: 77 } as const;
    const weights = { n: channels, k: 6, bits, codes: packCodes(codes, 6, bits), zeroPoint } as const;
    const options = {
      ...weights,
      input: [height, width],
      channels,
      window,
      x: input,
      output: { kind: "int32" },
    } as const;
    using conv = new DepthwiseAffine(instance, options);
    const count = outHeight * outWidth * channels;
    const [from, to] = [instance.upload(x), instance.alloc(count * 4)];
    conv.run(from, 1, to);
    const expected = [...elements(channels, channels)].map(([o, taps]) =>
      taps.reduce((sum, [at, tap]) => sum + (x[at]! - 77) * (codes[o * 6 + tap]! - zeroPoint), 0),
    );
    expect([...instance.i32(to, count)]).toEqual(expected);
    instance.free(from, x.byteLength);
    instance.free(to, count * 4);
  });
}
