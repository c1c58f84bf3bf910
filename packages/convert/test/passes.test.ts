/** Every pass keeps what the reference interpreter computes, on seeded networks that come through the importer. */
import { createModel, type Graph, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { runReference } from "../../core/src/testing/reference.ts";
import { floats } from "../src/graph/constants.ts";
import { GraphEditor } from "../src/graph/editor.ts";
import { importModel, PASSES, runPasses } from "../src/index.ts";
import { create, TensorProtoSchema } from "../src/onnx/schema.ts";
import { foldConstants } from "../src/passes/fold-constants.ts";
import { bipolarNetwork } from "./support/low-bit-networks.ts";
import { binaryCnn, floatCnn, type Network, ternaryCnn } from "./support/networks.ts";
import { DataType, OnnxBuilder } from "./support/onnx.ts";
import { transformer } from "./support/transformer-network.ts";

const outputOf = (graph: Graph, { feed }: Network): Tensor => runReference(graph, feed)[graph.outputs[0]!]!;

const numbers = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number | bigint>, Number);

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

/** Largest difference over the largest expected value. */
function difference(expected: Tensor, got: Tensor): number {
  expect(got.shape).toEqual(expected.shape);
  const [a, b] = [numbers(expected), numbers(got)];
  return largest(a.map((value, i) => value - b[i]!)) / Math.max(1, largest(a));
}

/** Applies the passes one after the other; the difference from the import after each that changed something. */
function* stepByStep(network: Network): Generator<{ pass: string; error: number }> {
  const imported = importModel(network.file);
  const expected = outputOf(imported, network);
  let graph = imported;
  for (const pass of PASSES) {
    let changed = false;
    graph = runPasses(
      graph,
      {
        explain: () => {
          changed = true;
        },
      },
      [pass],
    );
    if (changed) yield { pass: pass.name, error: difference(expected, outputOf(graph, network)) };
  }
}

const seeds = Array.from({ length: 24 }, (_, seed) => seed);

describe("passes", () => {
  test.each(seeds)("float network %i: outputs stay within 1e-5", (seed) => {
    for (const { pass, error } of stepByStep(floatCnn(seed))) expect(error, pass).toBeLessThan(1e-5);
  });

  test.each(seeds)("binary network %i: outputs stay equal", (seed) => {
    for (const { pass, error } of stepByStep(binaryCnn(seed))) expect(error, pass).toBe(0);
  });

  test.each(seeds)("bipolar network %i: outputs stay equal", (seed) => {
    for (const { pass, error } of stepByStep(bipolarNetwork(seed))) expect(error, pass).toBe(0);
  });

  test.each(seeds)("ternary network on codes %i: outputs stay within two steps", (seed) => {
    // A sum that lies on the edge of two codes may fall to either side once the scale is applied in one step.
    for (const { pass, error } of stepByStep(ternaryCnn(seed))) expect(error, pass).toBeLessThan(0.05);
  });

  test.each(seeds)("encoder %i: outputs stay within 1e-5, attention and norms are one operator each", (seed) => {
    const network = transformer(seed);
    for (const { pass, error } of stepByStep(network)) expect(error, pass).toBeLessThan(1e-5);
    const ops = runPasses(importModel(network.file)).nodes.map(({ op }) => op);
    const count = (...names: readonly string[]) => ops.filter((op) => names.includes(op)).length;
    expect([count("attention"), count("layerNorm", "rmsNorm"), count("gelu", "silu")]).toEqual([2, 4, 2]);
    expect(count("matmul", "softmax", "transpose", "erf", "tanh", "sqrt", "reduce")).toBe(0);
  });

  test.each(seeds)(
    "decoder %i: attention is one operator where queries and keys are turned behind their heads",
    (seed) => {
      const network = transformer(seed, { turns: true });
      for (const { pass, error } of stepByStep(network)) expect(error, pass).toBeLessThan(1e-5);
      const ops = runPasses(importModel(network.file)).nodes.map(({ op }) => op);
      const count = (...names: readonly string[]) => ops.filter((op) => names.includes(op)).length;
      expect([count("attention"), count("softmax"), count("matmul")]).toEqual([2, 0, 0]);
    },
  );

  test("keys and values that groups of heads share stay shared", () => {
    const counts = seeds.flatMap((seed) =>
      runPasses(importModel(transformer(seed).file)).nodes.flatMap(({ op, attributes }) =>
        op === "attention" ? [attributes.heads / attributes.kvHeads] : [],
      ),
    );
    expect([...new Set(counts)].sort()).toEqual([1, 2, 4]);
  });

  test("the pipeline is what the runtime computes", async () => {
    const networks = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((seed) => [
      floatCnn(seed),
      binaryCnn(seed),
      bipolarNetwork(seed),
      ternaryCnn(seed),
      transformer(seed),
    ]);
    for (const network of networks) {
      const graph = runPasses(importModel(network.file));
      using model = await createModel(graph);
      const [got] = Object.values(await model.run(network.feed));
      expect(difference(outputOf(graph, network), got!)).toBeLessThan(1e-6);
    }
  });

  test("every pass finds something to do, and says what", () => {
    const seen = new Map(PASSES.map(({ name }) => [name, 0]));
    for (const make of [floatCnn, binaryCnn, bipolarNetwork, ternaryCnn, transformer]) {
      for (const seed of seeds) {
        runPasses(importModel(make(seed).file), {
          explain: ({ pass, changes }) => seen.set(pass, seen.get(pass)! + changes.length),
        });
      }
    }
    // The importer folds constants on its way; the pass is for graphs from elsewhere, and tested below.
    seen.delete("fold-constants");
    expect([...seen].filter(([, changes]) => changes === 0)).toEqual([]);
  });

  test("fold-constants: a weight that is cast, scaled, reshaped and transposed is one constant", () => {
    const editor = new GraphEditor({ name: "test" });
    editor.addInput("x", { dtype: "f32", shape: [2, 2] });
    const stored = editor.constant("stored", {
      kind: "plain",
      dtype: "int8",
      shape: [4],
      data: Int8Array.of(1, 2, 3, 4),
    });
    const scaled = editor.add(
      "mul",
      "mul",
      [editor.add("cast", "cast", [stored], { to: "f32" }), editor.constant("s", floats([], [0.5]))],
      {},
    );
    const matrix = editor.add("reshape", "reshape", [scaled], { shape: [2, -1] });
    const y = editor.add(
      "add",
      "y",
      ["x", editor.add("transpose", "transpose", [matrix], { permutation: [1, 0] })],
      {},
    );

    editor.outputs = [y];
    foldConstants.run(editor, () => {});
    const { nodes, constants } = editor.freeze();
    expect(nodes.map(({ op }) => op)).toEqual(["add"]);
    expect(constants.get("transpose")).toEqual(floats([2, 2], [0.5, 1.5, 1, 2]));
  });

  test("fuse-quantize: a channel whose sums are worth nothing keeps its bias", () => {
    const network = (scale: number): Network => {
      const net = new OnnxBuilder();
      net.input("x", ["N", 8]);
      net.floats("step", [], [1]);
      net.initializer(
        create(TensorProtoSchema, { name: "zero", dataType: DataType.INT8, dims: [], rawData: Uint8Array.of(0) }),
      );
      const codes = (x: string, name: string) =>
        net.node("DequantizeLinear", `${name}d`, [
          net.node("QuantizeLinear", `${name}q`, [x, "step", "zero"]),
          "step",
          "zero",
        ]);
      net.floats(
        "w",
        [2, 8],
        Float32Array.from({ length: 16 }, (_, i) => (i % 3) - 1),
      );
      net.node("Gemm", "layer", [codes("x", "a"), "w"], { transB: 1 });
      const parameters = [
        [scale, 1],
        [5, 0.25],
        [0, 0],
        [1, 1],
      ].map((data, i) => net.floats(`p${i}`, [2], data));
      const y = codes(net.node("BatchNormalization", "norm", ["layer", ...parameters]), "b");
      return {
        file: net.build([net.node("Relu", "y", [y])]),
        feed: { x: new Tensor("f32", [1, 8], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)) },
      };
    };
    for (const scale of [0, 1e-12, 0.5]) {
      const made = network(scale);
      const imported = importModel(made.file);
      const graph = runPasses(imported);
      // An integer bias is off by up to half a unit, here a quarter of a step: a sum on an edge falls to the next code.
      const tolerance = scale === 0.5 ? 0.26 : 0;
      expect(difference(outputOf(imported, made), outputOf(graph, made))).toBeLessThanOrEqual(tolerance);
      const layer = graph.nodes.find(({ name }) => name === "layer")!;
      expect(graph.values.get(layer.outputs[0]!)!.dtype).toBe(scale === 0.5 ? "int8" : "f32");
    }
  });
});
