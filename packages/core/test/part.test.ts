import type { Graph, Part } from "lowbit";
import { createModel, readPacked, readSource } from "lowbit";
import { registerAllOps } from "lowbit/ops";
import { describe, expect, it } from "vitest";
import { bundledWasm } from "../src/bundled.ts";
import { partFor } from "../src/runtime/part.ts";
import { GraphBuilder, square } from "../src/testing/builder.ts";
import { goldenGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";

registerAllOps();

const pixels = { scale: 0.5, zeroPoint: 1 };
const point = { ...square(1), groups: 1, padding: "zero" } as const;

type Weight = Parameters<RandomData["weight"]>[0];

/** One layer over `k` channels, and what follows it. */
function layer(
  x: "f32" | "int8" | "bit",
  op: "conv2d" | "dense",
  weight: Omit<Weight, "shape"> | "plain",
  { k = 64, groups = 1, behind = (_: GraphBuilder, y: string): string => y } = {},
): Graph {
  const builder = new GraphBuilder();
  const random = new RandomData(3);
  const shape = op === "dense" ? [8, k] : [64, 1, 1, k / groups];
  const input = builder.input(
    "x",
    x === "bit" ? "f32" : x,
    op === "dense" ? ["N", k] : ["N", 4, 4, k],
    x === "int8" ? pixels : undefined,
  );
  const from = x === "bit" ? builder.node("sign", [input], {}, "bit") : input;
  const constant =
    weight === "plain"
      ? builder.plain("f32", shape, random.floats(shape.reduce((a, b) => a * b)))
      : builder.quantized(random.weight({ ...weight, shape } as Weight));
  const attributes = op === "dense" ? {} : { ...point, groups };
  return builder.build(behind(builder, builder.node(op, [from, constant], attributes as never, "f32")));
}

const int8 = { kind: "affine", bits: 8, scales: "channel" } as const;
const binary = { kind: "sign", scales: "channel" } as const;

const cases: readonly [what: string, graph: Graph, part: Part][] = [
  ["floats", layer("f32", "conv2d", "plain"), "floats"],
  ["floats by codes", layer("f32", "dense", int8), "floats"],
  ["depthwise floats", layer("f32", "conv2d", "plain", { groups: 64 }), "floats"],
  [
    "floats and softmax",
    layer("f32", "dense", "plain", { behind: (b, y) => b.node("softmax", [y], { axis: -1 }, "f32") }),
    "floats",
  ],
  ["bits", layer("bit", "dense", binary), "bits"],
  ["bits in groups", layer("bit", "conv2d", binary, { groups: 2 }), "bits"],
  [
    "bits and broadcasting",
    layer("bit", "dense", binary, { behind: (b, y) => b.node("add", [y, y], {}, "f32") }),
    "all",
  ],
  ["int8", layer("int8", "dense", int8), "int8"],
  ["int8 in groups", layer("int8", "conv2d", int8, { groups: 2 }), "int8"],
  [
    "int8 and broadcasting",
    layer("int8", "dense", int8, { behind: (b, y) => b.node("add", [y, y], {}, "f32") }),
    "int8",
  ],
  ["int8 by groups", layer("int8", "dense", { ...int8, scales: 16 }), "bytes"],
  ["depthwise int8", layer("int8", "conv2d", int8, { groups: 64 }), "int8"],
  ["binary weights by int8, short rows", layer("int8", "conv2d", binary), "int8"],
  ["binary weights by int8, long rows", layer("int8", "conv2d", binary, { k: 1024 }), "bytes"],
  ["binary weights by int8, dense", layer("int8", "dense", binary), "bytes"],
  ["everything", goldenGraph(), "all"],
  [
    "an operator of lowbit/ops",
    layer("f32", "dense", "plain", {
      behind: (b, y) => {
        const list = (...of: bigint[]) => b.plain("int64", [1], BigInt64Array.from(of));
        return b.ops("slice", [y, list(0n), list(1n)], {})[0]!;
      },
    }),
    "ops",
  ],
  [
    "an operator of transformers",
    layer("f32", "dense", "plain", { behind: (b, y) => b.ops("gelu", [y], { approximate: "none" })[0]! }),
    "transformer",
  ],
];

describe("partFor", () => {
  it.each(cases)("%s", async (_, graph, part) => {
    expect(partFor(graph)).toBe(part);
    // The module that it says has every kernel.
    (await createModel(graph, { tier: "scalar" })).dispose();
  });

  it("gives an operator from outside the whole module", () => {
    const graph = layer("f32", "dense", "plain");
    const node = { op: "acme.hard_swish", name: "own", inputs: [], outputs: [], attributes: {} } as const;
    expect(partFor({ ...graph, nodes: [...graph.nodes, node] })).toBe("all");
  });

  it.each(["binary", "ternary"] as const)("runs our %s network on a small module", async (kind) => {
    const file = new URL(`../../../models/mnist-cnn-${kind}.safetensors`, import.meta.url);
    expect(partFor(readPacked(await readSource(file)).graph)).toBe(kind === "binary" ? "bits" : "bytes");
  });
});

it("the modules hold what the table says, and `all` the rest", async () => {
  const held = async (part: Part): Promise<string[]> => {
    const exports = WebAssembly.Module.exports(
      await WebAssembly.compile(await readSource(bundledWasm("scalar", part))),
    );
    const family =
      /^(xnor|affine|ternary|codebook|pad|attention|strided|parallel|top_k|quantize)(?=_new|_gemm_new|_begin|_clear|_grid)/;
    return exports.flatMap(({ name }) => family.exec(name)?.[0] ?? []).sort();
  };
  expect(await held("bits")).toEqual(["affine", "xnor"]);
  expect(await held("int8")).toEqual(["affine", "pad"]);
  expect(await held("bytes")).toEqual(["affine", "pad", "ternary"]);
  expect(await held("floats")).toEqual(["codebook", "pad"]);
  expect(await held("search")).toEqual(["quantize", "top_k"]);
  const all = ["affine", "codebook", "pad", "quantize", "ternary", "xnor"];
  expect(await held("all")).toEqual(all);
  expect(await held("transformer")).toEqual(["affine", "attention", "codebook", "pad"]);
  expect(await held("ops")).toEqual([...all, "attention", "strided"].sort());
  expect(await held("threads")).toEqual([...all, "attention", "parallel", "strided"].sort());
});
