/** The networks that the recipes trained, from their ONNX files: onto integer kernels, to onnxruntime-web's answers. */
import { createModel, type Graph, Tensor } from "lowbit";
import * as ort from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import { importModel, readNpz, runPasses } from "../src/index.ts";
import { readFile } from "./support/data.ts";

const COUNT = 64;

const digits = (): Float32Array =>
  Float32Array.from(
    readNpz(readFile("models/mnist-calibration.npz"))
      .get("x")!
      .data.subarray(0, COUNT * 784) as Uint8Array,
  );

async function ours(graph: Graph): Promise<Float32Array> {
  using model = await createModel(graph);
  const { logits } = await model.run({ image: new Tensor("f32", [COUNT, 1, 28, 28], digits()) });
  return logits!.data as Float32Array;
}

async function theirs(file: Uint8Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  const { logits } = await session.run({ image: new ort.Tensor("float32", digits(), [COUNT, 1, 28, 28]) });
  return logits!.data as Float32Array;
}

/** Types in front of and behind every layer. */
const types = (graph: Graph) =>
  graph.nodes
    .filter(({ op }) => op === "conv2d" || op === "dense")
    .map(({ inputs, outputs }) => [inputs[0]!, outputs[0]!].map((name) => graph.values.get(name)!.dtype).join(" -> "));

/** Bits of a code of every layer's weights; 32 where they are floats. */
const bits = (graph: Graph) =>
  graph.nodes
    .filter(({ op }) => op === "conv2d" || op === "dense")
    .map(({ inputs }) => graph.constants.get(inputs[1]!)!)
    .map((constant) => (constant.kind === "quantized" ? constant.bits : 32));

function largestDifference(a: Float32Array, b: Float32Array): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...b.map(Math.abs));
}

const BINARY = "models/mnist-cnn-binary.onnx";
const TERNARY = "models/mnist-cnn-ternary.onnx";

describe("networks of models/", () => {
  test("binary: int8 pixels, then bits from threshold to threshold; logits within 1e-6", async () => {
    const file = readFile(BINARY);
    const graph = runPasses(importModel(file));
    expect(types(graph)).toEqual(["int8 -> int32", "bit -> int32", "bit -> int32", "bit -> f32"]);
    expect(bits(graph)).toEqual([1, 1, 1, 1]);
    expect(graph.nodes.filter(({ op }) => op === "threshold")).toHaveLength(3);
    expect(graph.nodes.filter(({ op }) => op === "sign" || op === "pad" || op === "transpose")).toEqual([]);
    expect(largestDifference(await ours(graph), await theirs(file))).toBeLessThan(1e-6);
  });

  test("ternary: int8 from pixels to logits, 2-bit weights; the same classes", async () => {
    const file = readFile(TERNARY);
    const graph = runPasses(importModel(file));
    expect(
      types(graph)
        .slice(0, -1)
        .every((pair) => pair === "int8 -> int8"),
    ).toBe(true);
    expect(types(graph).at(-1)).toBe("int8 -> f32");
    expect(bits(graph).every((count) => count === 2)).toBe(true);
    const [a, b] = [await ours(graph), await theirs(file)];
    // Codes on the edge between two steps may fall to either side; the answers do not move.
    expect(largestDifference(a, b)).toBeLessThan(0.05);
    const answers = (logits: Float32Array) =>
      Array.from({ length: COUNT }, (_, i) => {
        const row = logits.subarray(i * 10, (i + 1) * 10);
        return row.indexOf(Math.max(...row));
      });
    expect(answers(a)).toEqual(answers(b));
  });
});
