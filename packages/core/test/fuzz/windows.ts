/** Windows over one to three axes, resampling, and products of two byte activations. */
import { MatmulInteger } from "../../src/kernels/matmul-integer.ts";
import { coordinateModes, Resize, resizeFilters } from "../../src/kernels/resize.ts";
import { type WindowAxis, Windows } from "../../src/kernels/windows.ts";
import { reference } from "../../src/ops/resize.ts";
import { indices, placesOf } from "../../src/ops/windows.ts";
import type { Draw } from "./draw.ts";
import { call, type Fuzzer } from "./problem.ts";

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

function axis(draw: Draw): WindowAxis {
  const size = (most: number) => draw.integer(1, most);
  const padding = () => draw.integer(0, 2);
  return {
    input: size(6),
    output: size(4),
    kernel: size(3),
    stride: size(3),
    dilation: size(2),
    before: padding(),
    after: padding(),
  };
}

export const windows: Fuzzer = (draw) => {
  const axes = Array.from({ length: draw.integer(1, 3) }, () => axis(draw));
  const groups = draw.integer(1, 3);
  const channels = groups * draw.integer(1, 3);
  const list = (key: keyof WindowAxis) => axes.map((one) => one[key]);
  const [image, places] = [list("input"), list("output")];
  const x = Int32Array.from(draw.integers(product(image) * channels, -999, 999));
  const count = product(places) * product(list("kernel")) * channels;
  const window = {
    kernel: list("kernel"),
    strides: list("stride"),
    dilations: list("dilation"),
    pads: [...list("before"), ...list("after")],
  };
  return {
    text: `unfold ${channels} channels in ${groups} groups by ${JSON.stringify(axes)}`,
    run: (kernels) => {
      using made = new Windows(kernels, { axes, channels, groups, elementBytes: 4 });
      return call(kernels, [x, Int32Array.of(7)], "i32", count, (y, from, fill) => made.unfold(from!, fill!, 1, y));
    },
    expected: () =>
      [...placesOf(window, image, places)].flatMap(({ taps }) =>
        [...indices([groups, taps.length, channels / groups])].map(([g, tap, c]) => {
          const pixel = taps[tap!]?.reduce((at, coordinate, a) => at * image[a]! + coordinate, 0);
          return pixel === undefined ? 7 : x[pixel * channels + g! * (channels / groups) + c!]!;
        }),
      ),
  };
};

export const resize: Fuzzer = (draw) => {
  const axes = Array.from({ length: draw.integer(1, 3) }, () => {
    const [input, output] = [draw.integer(1, 8), draw.integer(1, 9)];
    return { input, output, scale: output / input, region: [0, 1] as const };
  });
  const shape = axes.map(({ input }) => input);
  const sizes = axes.map(({ output }) => output);
  const method = {
    coordinates: draw.pick(...coordinateModes),
    filter: draw.pick(...resizeFilters),
    a: -0.75,
    antialias: draw.integer(0, 1) === 1,
    excludeOutside: draw.integer(0, 1) === 1,
    extrapolation: 3,
  };
  const x = draw.floats(product(shape));
  return {
    text: `resize [${shape}] to [${sizes}] by ${JSON.stringify(method)}`,
    run: (kernels) => {
      using made = new Resize(kernels, {
        ...method,
        axes,
        elementBytes: 4,
        outside: new Uint8Array(new Float32Array([3, 0]).buffer),
      });
      return call(kernels, [x], "f32", product(sizes), (y, from) => made.run(from!, y));
    },
    expected() {
      const attributes = { ...method, policy: "stretch" as const };
      const node = { op: "resize" as const, name: "r", inputs: ["x", "", "", "s"], outputs: ["y"], attributes };
      const value = { dtype: "f32" as const, shape, data: Float64Array.from(x) };
      const wanted = { dtype: "int64" as const, shape: [sizes.length], data: Float64Array.from(sizes) };
      return reference(node, [value, undefined, undefined, wanted])[0]!.data;
    },
    // Coordinates and weights in f32.
    tolerance: 1e-4,
  };
};

export const matmulInteger: Fuzzer = (draw) => {
  const [m, n, k] = [draw.integer(1, 5), draw.size(40), draw.size(70)];
  const rows = draw.pick(1, m);
  const columns = draw.pick(1, n);
  const [a, aZero] = [m * k, rows].map((count) => Uint8Array.from(draw.integers(count, 0, 255))) as [
    Uint8Array,
    Uint8Array,
  ];
  const [b, bZero] = [k * n, columns].map((count) => Int8Array.from(draw.integers(count, -128, 127))) as [
    Int8Array,
    Int8Array,
  ];
  return {
    text: `matmulInteger ${m} x ${n} x ${k}`,
    run: (kernels) => {
      const options = {
        m,
        n,
        k,
        a: "uint8",
        b: "int8",
        zeroPoints: [rows, columns],
        single: [false, false],
        zeroPointsByMatrix: false,
      } as const;
      using made = new MatmulInteger(kernels, options);
      return call(kernels, [a, aZero, b, bZero], "i32", m * n, (y, ...at) =>
        made.run(at[0]!, at[1]!, at[2]!, at[3]!, y, 1),
      );
    },
    expected: () =>
      Array.from({ length: m * n }, (_, i) => {
        const [row, column] = [Math.floor(i / n), i % n];
        let sum = 0;
        for (let at = 0; at < k; at++)
          sum += (a[row * k + at]! - aZero[row % rows]!) * (b[at * n + column]! - bZero[column % columns]!);
        return sum;
      }),
  };
};
