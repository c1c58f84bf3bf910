/** Windows over images without a matrix product. */
import { BitMaxPool } from "../../src/kernels/bitpack.ts";
import { DepthwiseAffine, DepthwiseF32 } from "../../src/kernels/depthwise.ts";
import { Pool } from "../../src/kernels/pool.ts";
import { packCodes, packSigns } from "../kernels/random.ts";
import { call, type Fuzzer, finish, pixels, readOf, windowed } from "./problem.ts";

const { fround } = Math;

export const depthwiseF32: Fuzzer = (draw) => {
  const input = [draw.integer(1, 9), draw.integer(1, 9)] as const;
  const [channels, window] = [draw.size(70), draw.window(input)];
  const taps = window.kernel[0] * window.kernel[1];
  const x = draw.floats(input[0] * input[1] * channels);
  const [weights, bias] = [draw.floats(channels * taps), draw.floats(channels)];
  const [height, width] = windowed(input, window);
  return {
    text: `${input} x ${channels}, ${JSON.stringify(window)}`,
    run: (kernels) => {
      using conv = new DepthwiseF32(kernels, { input, channels, window, weights, bias });
      return call(kernels, [x], "f32", height * width * channels, (y, from) => conv.run(from!, 1, y));
    },
    expected: () =>
      [...pixels(input, window)].flatMap((list) =>
        Array.from({ length: channels }, (_, c) => {
          let sum = 0;
          for (const [tap, pixel] of list.entries())
            if (pixel !== undefined) sum = fround(sum + fround(x[pixel * channels + c]! * weights[c * taps + tap]!));
          return fround(sum + bias[c]!);
        }),
      ),
  };
};

export const depthwiseAffine: Fuzzer = (draw) => {
  const input = [draw.integer(1, 9), draw.integer(1, 9)] as const;
  const [channels, window] = [draw.size(70), draw.window(input)];
  const taps = window.kernel[0] * window.kernel[1];
  const dtype = draw.pick("int8", "uint8");
  const low = dtype === "int8" ? -128 : 0;
  const zeroX = draw.integer(low, low + 255);
  const x = draw.integers(input[0] * input[1] * channels, low, low + 255);
  const bits = draw.pick(4, 8);
  const zeroPoint = 2 ** (bits - 1);
  const codes = draw.integers(channels * taps, 0, 2 ** bits - 1);
  const output = draw.output(channels);
  const [height, width] = windowed(input, window);
  return {
    text: `${input} x ${channels}, ${JSON.stringify(window)}, ${dtype} - ${zeroX}, ${bits} bits, ${output.kind}`,
    run: (kernels) => {
      const weights = { n: channels, k: taps, bits, codes: packCodes(codes, taps, bits), zeroPoint };
      const options = { ...weights, input, channels, window, x: { dtype, zeroPoint: zeroX }, output } as const;
      using conv = new DepthwiseAffine(kernels, options);
      const bytes = Uint8Array.from(x);
      return call(kernels, [bytes], ...readOf(output, height * width, channels), (y, from) => conv.run(from!, 1, y));
    },
    expected: () => {
      const sums = [...pixels(input, window)].flatMap((list) =>
        Array.from({ length: channels }, (_, c) => {
          const product = (sum: number, pixel: number | undefined, tap: number) =>
            pixel === undefined ? sum : sum + (x[pixel * channels + c]! - zeroX) * (codes[c * taps + tap]! - zeroPoint);
          return list.reduce<number>(product, 0);
        }),
      );
      return finish(sums, channels, output);
    },
  };
};

export const pool: Fuzzer = (draw) => {
  const input = [draw.integer(1, 9), draw.integer(1, 9)] as const;
  const [channels, window, kind] = [draw.size(70), draw.window(input), draw.pick("max", "average" as const)];
  const x = draw.floats(input[0] * input[1] * channels);
  const [height, width] = windowed(input, window);
  return {
    text: `${kind}, ${input} x ${channels}, ${JSON.stringify(window)}`,
    run: (kernels) => {
      using made = new Pool(kernels, { kind, dtype: "f32", input, channels, window });
      return call(kernels, [x], "f32", height * width * channels, (y, from) => made.run(from!, 1, y));
    },
    expected: () =>
      [...pixels(input, window)].flatMap((list) =>
        Array.from({ length: channels }, (_, c) => {
          const inside = list.flatMap((pixel) => (pixel === undefined ? [] : [x[pixel * channels + c]!]));
          if (kind === "max") return Math.max(...inside);
          return fround(inside.reduce((sum, value) => fround(sum + value), 0) / inside.length);
        }),
      ),
  };
};

export const bitMaxPool: Fuzzer = (draw) => {
  const input = [draw.integer(1, 9), draw.integer(1, 9)] as const;
  const [channels, window] = [draw.size(140), draw.window(input)];
  const x = draw.integers(input[0] * input[1] * channels, 0, 1).map((bit) => 1 - 2 * bit);
  const [height, width] = windowed(input, window);
  return {
    text: `${input} x ${channels}, ${JSON.stringify(window)}`,
    run: (kernels) => {
      using made = new BitMaxPool(kernels, { input, channels, window });
      const words = height * width * Math.ceil(channels / 32);
      return call(kernels, [packSigns(x, channels, false)], "u32", words, (y, from) => made.run(from!, 1, y));
    },
    expected: () => {
      const y = [...pixels(input, window)].flatMap((list) =>
        Array.from({ length: channels }, (_, c) =>
          Math.max(...list.flatMap((pixel) => (pixel === undefined ? [] : [x[pixel * channels + c]!]))),
        ),
      );
      return packSigns(y, channels, false);
    },
  };
};
