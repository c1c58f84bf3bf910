/** Seeded graphs that wander through the operators: the same seed is the same graph, weights included. */
import type { Graph } from "../graph/types.ts";
import { Tensor } from "../tensor.ts";
import { GraphBuilder, square } from "./builder.ts";
import { RandomData } from "./random-data.ts";

export interface RandomGraph {
  readonly graph: Graph;
  readonly feed: Readonly<Record<string, Tensor>>;
  /** Largest difference that rounding may make; 0: every bit is the same. */
  readonly tolerance: number;
}

const anything: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Dense layers of ±1 weights over signs: f32 -> (mul, add) -> trits -> int32 -> thresholds -> bits -> ... -> f32. */
export function binaryMlp(seed: number): RandomGraph {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const batch = random.between(1, 4);
  const inputs = random.between(1, 130);
  const image = builder.input("image", "f32", ["N", inputs]);
  let x = builder.node("mul", [image, builder.plain("f32", [], Float32Array.of(2))], {}, "f32");
  x = builder.node("add", [x, builder.plain("f32", [1], Float32Array.of(-1))], {}, "f32");
  x = builder.node("sign", [x], {}, "trit");
  for (let layer = random.between(0, 2); layer > 0; layer--) {
    const [k, n] = [builder.channels(x), random.between(1, 140)];
    x = builder.node("dense", [x, builder.quantized(random.weight({ shape: [n, k], kind: "sign" }))], {}, "int32");
    const thresholds = builder.plain("int32", [n], random.integers(n, -Math.ceil(k / 3), Math.ceil(k / 3)));
    x = builder.node("threshold", [x, thresholds], {}, "bit");
  }
  const k = builder.channels(x);
  const n = random.between(1, 12);
  const weight = builder.quantized(random.weight({ shape: [n, k], kind: "sign" }));
  if (random.below(2) === 0) {
    const sums = builder.node("dense", [x, weight], {}, "int32");
    const [scale, bias] = [random.positive(n), random.floats(n)].map((data) => builder.plain("f32", [n], data));
    x = builder.node("affine", [sums, scale!, bias!], {}, "f32");
  } else x = builder.node("dense", [x, weight, builder.plain("f32", [n], random.floats(n))], { clamp: [-5, 5] }, "f32");
  // Halves are where 2x - 1 is exactly 0: images with and without them take both paths of the trits.
  const zeros = random.below(2) === 0;
  const pixels = random.floats(batch * inputs).map((v) => (zeros && v > 0.6 ? 0.5 : v === 0.5 ? 0.25 : v));
  return { graph: builder.build(x), feed: { image: new Tensor("f32", [batch, inputs], pixels) }, tolerance: 0 };
}

/** Convolutions of ±1 weights over bits, with pooling, groups and both paddings. */
export function binaryCnn(seed: number): RandomGraph {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const batch = random.between(1, 3);
  const size = random.between(5, 9);
  const channels = random.pick([1, 3, 32, 64]);
  const image = builder.input("image", "f32", ["N", size, size, channels]);
  const signs = random.pick(["bit", "trit"] as const);
  let x = builder.node("sign", [image], {}, signs);
  for (let layer = random.between(1, 2); layer > 0; layer--) {
    const c = builder.channels(x);
    const kernel = Math.min(random.pick([1, 2, 3]), builder.shape(x)[1] as number);
    const trits = builder.dtype(x) === "trit";
    const groups = c % 64 === 0 && !trits ? random.pick([1, 2]) : 1;
    const n = groups === 2 ? 64 : random.pick([5, 32, 40, 64]);
    const window = square(kernel, { pad: random.between(0, kernel - 1), stride: random.pick([1, 2]) });
    const padding = trits ? "zero" : random.pick(["zero", "one"] as const);
    const weight = builder.quantized(random.weight({ shape: [n, kernel, kernel, c / groups], kind: "sign" }));
    const sums = builder.node("conv2d", [x, weight], { ...window, groups, padding }, "int32");
    x = builder.node("threshold", [sums, builder.plain("int32", [n], random.integers(n, -6, 6))], {}, "bit");
    if ((builder.shape(x)[1] as number) >= 2 && random.below(2) === 0)
      x = builder.node("maxPool", [x], square(2, { stride: random.pick([1, 2]) }), "bit");
  }
  x = builder.node("reshape", [x], { shape: [0, -1] }, "bit");
  const k = builder.channels(x);
  const n = random.between(1, 11);
  const sums = builder.node(
    "dense",
    [x, builder.quantized(random.weight({ shape: [n, k], kind: "sign" }))],
    {},
    "int32",
  );
  const [scale, bias] = [random.positive(n), random.floats(n)].map((data) => builder.plain("f32", [n], data));
  x = builder.node("affine", [sums, scale!, bias!], { clamp: [-20, 20] }, "f32");
  const shape = [batch, size, size, channels];
  // A sign that is a bit has no zero to show: the importer proved that.
  const pixels = random.floats(batch * size * size * channels).map((v) => (v === 0 ? 0.5 : v));
  const data = random.below(2) === 0 && signs === "trit" ? random.floats(pixels.length) : pixels;
  return { graph: builder.build(x), feed: { image: new Tensor("f32", shape, data) }, tolerance: 0 };
}

/** int8 and uint8 activations: codes of 2 to 8 bits, ternary ones, groups, depthwise layers, pooling. */
export function integerCnn(seed: number): RandomGraph {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const batch = random.between(1, 3);
  const size = random.between(4, 9);
  const channels = random.pick([1, 3, 8, 17]);
  const image = builder.input("image", "f32", ["N", size, size, channels]);
  const activation = () => random.pick(["int8", "uint8"] as const);
  const scaleOf = (dtype: "int8" | "uint8", scale: number) => ({
    scale,
    zeroPoint: dtype === "int8" ? random.between(-10, 10) : random.between(100, 140),
  });
  const first = activation();
  let x = builder.node("quantize", [image], {}, first, scaleOf(first, 0.01));
  for (let layer = random.between(1, 3); layer > 0; layer--) {
    const c = builder.channels(x);
    const kernel = random.pick([1, 2, 3]);
    const room = builder.shape(x)[1] as number;
    const window = square(kernel, {
      pad: kernel === 3 || room < kernel ? 1 : 0,
      stride: room > 4 ? random.pick([1, 2]) : 1,
    });
    const depthwise = c > 1 && random.below(3) === 0;
    const n = depthwise ? c * random.pick([1, 2]) : random.pick([1, 8, 17, 32]);
    const shape = [n, kernel, kernel, depthwise ? 1 : c];
    const bits = random.pick([2, 3, 4, 8]);
    const ternary = !depthwise && random.below(3) === 0;
    const weight = ternary
      ? random.pick([
          random.weight({ shape, kind: "affine", bits: 2, levels: 3, zeroPoint: 1 }),
          random.weight({ shape, kind: "sign" }),
        ])
      : random.weight({ shape, kind: "affine", bits, scales: random.pick(["tensor", "channel"] as const) });
    const dtype = activation();
    const inputs = [x, builder.quantized(weight), builder.plain("f32", [n], random.floats(n, 4))];
    const attributes = { ...window, groups: depthwise ? c : 1, padding: "zero" as const };
    const clamp = random.below(2) === 0 ? { clamp: [0, 6] as const } : {};
    x = builder.node("conv2d", inputs, { ...attributes, ...clamp }, dtype, scaleOf(dtype, 0.1));
    const side = builder.shape(x)[1] as number;
    const quantization = builder.quantization(x);
    if (side >= 2 && random.below(2) === 0)
      x = builder.node("maxPool", [x], square(2, { stride: 1 }), dtype, quantization);
  }
  const [dtype, quantization] = [builder.dtype(x), builder.quantization(x)];
  x = builder.node("reshape", [x], { shape: [0, -1] }, dtype, quantization);
  const k = builder.channels(x);
  const n = random.between(1, 20);
  const grouped = random.below(2) === 0;
  const weight = random.weight({ shape: [n, k], kind: "affine", bits: 4, scales: grouped ? 8 : "channel" });
  x = builder.node("dense", [x, builder.quantized(weight), builder.plain("f32", [n], random.floats(n))], {}, "f32");
  const shape = [batch, size, size, channels];
  return {
    graph: builder.build(x),
    feed: { image: new Tensor("f32", shape, random.floats(batch * size * size * channels)) },
    tolerance: 0,
  };
}

/** f32 activations by every decoding, convolutions and dense layers, depthwise and grouped. */
export function codedCnn(seed: number): RandomGraph {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const batch = random.between(1, 3);
  const size = random.between(4, 9);
  const channels = random.pick([1, 4, 6]);
  let tolerance = 0;
  let x = builder.input("image", "f32", ["N", size, size, channels]);
  const weightOf = (shape: readonly number[]): string => {
    const k = shape.slice(1).reduce((a, b) => a * b, 1);
    const kind = random.pick([
      "plain",
      "sign",
      "affine",
      "table",
      "product",
      "offset",
      "bases",
      "additive",
      "hashed",
    ] as const);
    if (kind === "hashed")
      return builder.quantized(random.weight({ shape, kind, bits: 0, scales: "channel", levels: 9 }));
    if (kind === "plain") return builder.plain("f32", shape, random.floats(shape[0]! * k));
    if ((kind === "product" || kind === "additive") && k % 2 === 0) {
      if (kind === "product") tolerance = 1e-4;
      return builder.quantized(
        random.weight({ shape, kind, bits: 4, dimension: 2, scales: random.pick(["tensor", "channel"] as const) }),
      );
    }
    const own = kind === "product" || kind === "additive" ? "table" : kind;
    const bits = own === "sign" ? 1 : random.pick([2, 3, 4, 8]);
    const scales = random.pick(["tensor", "channel", 8] as const);
    const zero = own === "affine" && random.below(2) === 0 ? { zeroPoint: "scales" as const } : {};
    return builder.quantized(random.weight({ shape, kind: own, bits, scales, ...zero }));
  };
  for (let layer = random.between(1, 3); layer > 0; layer--) {
    const c = builder.channels(x);
    const kernel = random.pick([1, 3]);
    const groups = random.pick([1, 1, c % 2 === 0 ? 2 : 1, c]);
    const n = groups * random.pick([1, 4, 9]);
    const attributes = { ...square(kernel, { pad: kernel >> 1 }), groups, padding: "zero" as const };
    const inputs = [x, weightOf([n, kernel, kernel, c / groups]), builder.plain("f32", [n], random.floats(n))];
    x = builder.node(
      "conv2d",
      inputs,
      { ...attributes, ...(random.below(2) === 0 && { clamp: [0, 6] as const }) },
      "f32",
    );
    const side = builder.shape(x)[1] as number;
    if (side >= 3)
      x = random.pick([
        () => builder.node("maxPool", [x], square(2, { stride: 2 }), "f32"),
        () =>
          builder.node(
            "avgPool",
            [x],
            { ...square(3, { pad: 1, stride: 2 }), countIncludePad: random.below(2) === 0 },
            "f32",
          ),
        () => x,
      ])();
  }
  x = random.below(2) === 0 ? builder.node("globalAvgPool", [x], {}, "f32") : x;
  x = builder.node("reshape", [x], { shape: [0, -1] }, "f32");
  const k = builder.channels(x);
  const n = random.between(1, 20);
  x = builder.node("dense", [x, weightOf([n, k])], { clamp: anything }, "f32");
  const shape = [batch, size, size, channels];
  const data = random.floats(batch * size * size * channels);
  return { graph: builder.build(x), feed: { image: new Tensor("f32", shape, data) }, tolerance };
}

/** A chain of operators without weights. */
export function floatChain(seed: number): RandomGraph {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const shape = [random.between(1, 3), random.between(2, 5), random.between(2, 5), random.pick([1, 3, 8, 33])];
  let x = builder.input("x", "f32", ["N", ...shape.slice(1)]);
  const other = builder.input("other", "f32", ["N", ...shape.slice(1)]);
  let tolerance = 0;
  const sizes = () => builder.shape(x);
  const like = () => builder.plain("f32", [builder.channels(x)], random.positive(builder.channels(x)));
  const scalar = () => builder.plain("f32", [], random.positive(1));
  const unary = {
    clip: () => builder.node("clip", [x], { min: -0.5, max: 0.75 }, "f32"),
    leakyRelu: () => builder.node("leakyRelu", [x], { alpha: 0.1 }, "f32"),
    sigmoid: () => builder.node("sigmoid", [x], {}, "f32"),
    tanh: () => builder.node("tanh", [x], {}, "f32"),
    softmax: () => builder.node("softmax", [x], { axis: random.between(-1, sizes().length - 1) }, "f32"),
    sign: () => builder.node("add", [builder.node("sign", [x], {}, "f32"), like()], {}, "f32"),
    transpose: () =>
      builder.node(
        "transpose",
        [x],
        {
          permutation: [
            0,
            ...random.pick([
              [2, 1],
              [1, 2],
            ]),
            3,
          ],
        },
        "f32",
      ),
    pad: () => builder.node("pad", [x], { pads: [0, 1, 0, 2, 0, 0, 3, 1], value: random.pick([0, 0.5]) }, "f32"),
    batchNorm: () => builder.node("batchNorm", [x, like(), like(), like(), like()], { epsilon: 1e-5 }, "f32"),
    affine: () => builder.node("affine", [x, like(), like()], { clamp: [-3, 3] }, "f32"),
    binary: () =>
      builder.node(
        random.pick(["add", "sub", "mul", "div"] as const),
        random.pick([
          [x, like()],
          [scalar(), x],
        ]),
        {},
        "f32",
      ),
    concat: () =>
      builder.node(
        "concat",
        [x, builder.node("add", [x, scalar()], {}, "f32")],
        { axis: random.pick([-1, 1, 2]) },
        "f32",
      ),
    cast: () => builder.node("cast", [builder.node("cast", [x], { to: "f16" }, "f16")], { to: "f32" }, "f32"),
    integers: () => builder.node("cast", [builder.node("cast", [x], { to: "int64" }, "int64")], { to: "f32" }, "f32"),
  } as const;
  const jumps: ReadonlySet<string> = new Set(["sign", "cast", "integers"]);
  const names = Object.keys(unary) as (keyof typeof unary)[];
  for (let step = random.between(1, 6); step > 0; step--) {
    // After an approximate step, an operator with a jump may turn a rounding into a whole step.
    const name = random.pick(tolerance === 0 ? names : names.filter((other) => !jumps.has(other)));
    if (["sigmoid", "tanh", "softmax"].includes(name)) tolerance = 1e-5;
    x = unary[name]();
  }
  const both = builder.node("sub", [x, random.pick([scalar(), like()])], {}, "f32");
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    graph: builder.build(x, both, builder.node("mul", [other, scalar()], {}, "f32")),
    feed: { x: new Tensor("f32", shape, random.floats(size)), other: new Tensor("f32", shape, random.floats(size)) },
    tolerance,
  };
}
