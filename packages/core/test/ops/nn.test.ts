/** Operators of windows, resampling, scales that are values, and norms: random nodes against their references. */
import { Tensor } from "lowbit";
import { describe, it } from "vitest";
import { coordinateModes, resizeFilters } from "../../src/kernels/resize.ts";
import { sizeOf } from "../../src/tensor.ts";
import { RandomData } from "../../src/testing/random-data.ts";
import { checkNode } from "./check.ts";

const seeds = Array.from({ length: 12 }, (_, seed) => seed);
const floats = (random: RandomData, shape: readonly number[], scale = 1) =>
  new Tensor("f32", shape, random.floats(sizeOf(shape), scale));
const bytes = (random: RandomData, shape: readonly number[]) => new Tensor("uint8", shape, random.bytes(sizeOf(shape)));

function drawWindow(random: RandomData, rank: number) {
  const each = (low: number, high: number) => Array.from({ length: rank }, () => random.between(low, high));
  const kernel = each(1, 3);
  return {
    kernel,
    strides: each(1, 2),
    dilations: each(1, 2),
    pads: [...kernel, ...kernel].map((k) => random.between(0, k - 1)),
  };
}

describe.each(seeds)("seed %i", (seed) => {
  const random = new RandomData(seed);
  const rank = random.between(1, 3);
  const window = drawWindow(random, rank);
  const image = window.kernel.map(() => random.between(5, 8));
  const as = random.pick(["input", "symbolic"] as const);

  it("unfold", async () => {
    const groups = random.between(1, 2);
    const x = bytes(random, [2, ...image, groups * 2]);
    await checkNode("unfold", [{ tensor: x }, { tensor: new Tensor("uint8", [], Uint8Array.of(9)) }], {
      ...window,
      groups,
    });
  });

  it("fold", async () => {
    const groups = random.between(1, 2);
    const channels = groups * 2;
    const x = floats(random, [2, ...image, sizeOf(window.kernel) * channels]);
    const outputPads = image.map(() => random.below(2));
    await checkNode("fold", [{ tensor: x, as: "input" }, { tensor: floats(random, [channels]) }], {
      ...window,
      groups,
      outputPads,
    });
  });

  it("poolNd", async () => {
    const ceil = random.below(2) === 1;
    const x = floats(random, [2, 3, ...image]);
    await checkNode(
      "poolNd",
      [{ tensor: x }],
      { ...window, kind: "max", p: 0, ceil, byColumns: seed % 2 === 0 },
      { outputs: 2 },
    );
    const kind = random.pick(["average", "averageWithPadding", "norm"] as const);
    await checkNode(
      "poolNd",
      [{ tensor: x }],
      { ...window, kind, p: kind === "norm" ? random.between(1, 3) : 0, ceil, byColumns: false },
      { tolerance: 1e-5 },
    );
  });

  it("resize", async () => {
    const shape = image.slice(0, 2);
    const sizes = new Tensor(
      "int64",
      [shape.length],
      BigInt64Array.from(shape, () => BigInt(random.between(1, 9))),
    );
    await checkNode(
      "resize",
      [{ tensor: floats(random, shape), as }, undefined, undefined, { tensor: sizes }],
      {
        coordinates: random.pick(coordinateModes),
        filter: random.pick(resizeFilters),
        a: -0.75,
        antialias: random.below(2) === 1,
        excludeOutside: random.below(2) === 1,
        extrapolation: 2,
        policy: random.pick(["stretch", "not_larger", "not_smaller"] as const),
      },
      { tolerance: 1e-4 },
    );
  });

  it("quantizeLinear, dequantizeLinear", async () => {
    const shape = [2, 6, 3];
    const block = random.pick([0, 0, 2, 4]);
    const one = block === 0 && seed % 2 === 0;
    const scales = one ? [] : block === 0 ? [6] : [2, Math.ceil(6 / block), 3];
    const scale = new Tensor("f32", scales, random.positive(sizeOf(scales)));
    const zero = bytes(random, scales);
    const attributes = { axis: 1, block };
    await checkNode("quantizeLinear", [{ tensor: floats(random, shape, 90) }, { tensor: scale }, { tensor: zero }], {
      ...attributes,
      to: "uint8",
      range: [0, 255],
    });
    await checkNode(
      "dequantizeLinear",
      [{ tensor: bytes(random, shape) }, { tensor: scale }, { tensor: zero }],
      attributes,
    );
    await checkNode("dynamicQuantizeLinear", [{ tensor: floats(random, shape, 3) }], {}, { outputs: 3 });
  });

  it("matmulInteger, requantize", async () => {
    const [m, n, k] = [random.between(1, 4), random.between(1, 9), random.between(1, 20)];
    const [a, b] = [bytes(random, [2, m, k]), bytes(random, seed % 2 ? [k, n] : [2, k, n])];
    await checkNode(
      "matmulInteger",
      [a, b, bytes(random, []), bytes(random, seed % 3 ? [] : [n])].map((tensor) => ({ tensor })),
      {},
    );
    const sums = new Tensor("int32", [m, n], random.integers(m * n, -9999, 9999));
    const multiplier = new Tensor(
      "f32",
      [n],
      random.positive(n).map((v) => v / 50),
    );
    const bias = new Tensor("int32", [n], random.integers(n, -99, 99));
    await checkNode(
      "requantize",
      [sums, multiplier, bytes(random, [1]), bias].map((tensor) => ({ tensor })),
      {},
    );
  });

  it("norms", async () => {
    const channels = 4;
    const x = { tensor: floats(random, [2, channels, ...image.slice(0, 2)], 2) };
    const vector = () => ({ tensor: floats(random, [channels]) });
    await checkNode(
      "planeNorm",
      [x, vector(), vector()],
      { groups: random.pick([0, 1, 2]), epsilon: 1e-3 },
      { tolerance: 1e-5 },
    );
    const variance = { tensor: new Tensor("f32", [channels], random.positive(channels)) };
    await checkNode("channelNorm", [x, vector(), vector(), vector(), variance], { epsilon: 1e-3 });
    await checkNode("channelStatistics", [x], {}, { outputs: 2, tolerance: 1e-6 });
    await checkNode(
      "localResponse",
      [x],
      { size: random.between(1, 5), alpha: 0.1, beta: 0.75, bias: 1 },
      { tolerance: 1e-5 },
    );
  });
});
