/** The graph of the golden file: every kind of constant, decoding, attribute and extra that format version 1 has. */
import type { Packed } from "../file/packed.ts";
import type { Graph } from "../graph/types.ts";
import { GraphBuilder, square } from "./builder.ts";
import { RandomData } from "./random-data.ts";

export function goldenGraph(): Graph {
  const random = new RandomData(1808_04752);
  const builder = new GraphBuilder();
  const image = builder.input("image", "f32", ["N", 8, 8, 1]);
  const bias = (n: number) => builder.plain("f32", [n], random.floats(n));
  const coded = (options: Parameters<RandomData["weight"]>[0]) => builder.quantized(random.weight(options));
  const conv = { ...square(3, { pad: 1 }), groups: 1, padding: "zero" } as const;

  const table = coded({ shape: [4, 3, 3, 1], kind: "table", bits: 4, levels: 11, scales: "tensor" });
  const first = builder.node(
    "conv2d",
    [image, table, bias(4)],
    { ...conv, clamp: [0, Number.POSITIVE_INFINITY] },
    "f32",
  );
  const halves = builder.plain(
    "f16",
    [4, 3, 3, 4],
    Uint16Array.from({ length: 144 }, () => random.below(0x3c00)),
  );
  const second = builder.node("conv2d", [first, halves], conv, "f32");
  const pooled = builder.node("maxPool", [second], square(2, { stride: 2 }), "f32");
  const flat = builder.node("reshape", [pooled], { shape: [0, -1] }, "f32");

  const product = coded({ shape: [16, 64], kind: "product", bits: 3, dimension: 4, scales: "channel" });
  const features = builder.node("dense", [flat, product, bias(16)], {}, "f32");
  const codes = builder.node("quantize", [features], {}, "int8", { scale: 0.125, zeroPoint: -3 });
  const grouped = coded({ shape: [33, 16], kind: "affine", bits: 4, scales: 8, zeroPoint: "scales" });
  const wide = builder.node("dense", [codes, grouped, bias(33)], {}, "f32");

  const trits = builder.node("sign", [wide], {}, "trit");
  const sums = builder.node("dense", [trits, coded({ shape: [40, 33], kind: "sign" })], {}, "int32");
  const bits = builder.node("threshold", [sums, builder.plain("int32", [40], random.integers(40, -9, 9))], {}, "bit");
  const last = builder.node("dense", [bits, coded({ shape: [5, 40], kind: "sign" })], {}, "int32");
  const logits = builder.node("affine", [last, builder.plain("f32", [5], random.positive(5)), bias(5)], {}, "f32");
  const integers = builder.node("cast", [logits], { to: "int64" }, "int64");
  return {
    ...builder.build(logits, integers),
    name: "golden",
    labels: ["zero", "one", "two", "three", "four"],
    preprocessing: {
      image: { width: 8, height: 8, channels: "gray", layout: "NHWC", mean: [127.5], std: [127.5], invert: true },
    },
  };
}

/** What the golden file holds. */
export const golden = (): Packed => ({
  graph: goldenGraph(),
  provenance: { source: "golden.onnx", recipe: "packages/core/src/testing/golden.ts" },
  parity: { sqnr: 12.5, layers: [{ name: "dense0", cosine: 0.99 }] },
});

/** What version 2 added: ternary codes in base 3, of rows that fill their last byte and of rows that do not. */
export function ternaryGraph(): Graph {
  const random = new RandomData(3);
  const builder = new GraphBuilder();
  const x = builder.input("x", "f32", ["N", 35]);
  const affine = builder.quantized(
    random.weight({ shape: [17, 35], kind: "affine", bits: 2, levels: 3, scales: "channel", zeroPoint: 1 }),
  );
  const hidden = builder.node("dense", [x, affine], {}, "f32");
  const table = builder.quantized(
    random.weight({ shape: [6, 17], kind: "table", bits: 2, levels: 3, scales: "tensor" }),
  );
  return { ...builder.build(builder.node("dense", [hidden, table], {}, "f32")), name: "ternary" };
}

/** What version 3 added: the decodings offset, bases, additive and hashed, and codes and floats that each packing suits. */
export function packedGraph(): Graph {
  const random = new RandomData(303);
  const builder = new GraphBuilder();
  let x = builder.input("x", "f32", ["N", 48]);
  const dense = (every: number, options: Parameters<RandomData["weight"]>[0]) => {
    const weight = random.weight(options);
    const codes = random.skewedCodes(weight, every);
    x = builder.node("dense", [x, builder.quantized({ ...weight, codes })], {}, "f32");
  };
  dense(1, { shape: [40, 48], kind: "offset", bits: 4, scales: 16 });
  dense(3, { shape: [36, 40], kind: "bases", bits: 3, scales: "channel" });
  dense(9, { shape: [30, 36], kind: "additive", bits: 4, dimension: 3 });
  dense(1, { shape: [32, 30], kind: "hashed", bits: 0, levels: 50 });
  dense(40, { shape: [50, 32], kind: "table", bits: 5, scales: "tensor" });
  dense(12, { shape: [70, 50], kind: "affine", bits: 3, scales: "channel" });
  dense(2, { shape: [33, 70], kind: "affine", bits: 7, scales: "channel" });
  const rare = random.floats(6 * 33).map((value) => (random.below(6) === 0 ? value : 0));
  x = builder.node("dense", [x, builder.plain("f32", [6, 33], rare)], {}, "f32");
  return { ...builder.build(x), name: "packed" };
}
