/** Graphs as ONNX files: read back by the importer, and run by another runtime. */
import type { Graph, Tensor } from "lowbit";
import * as ort from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import {
  codedCnn,
  binaryCnn as coreBinaryCnn,
  integerCnn,
  type RandomGraph,
} from "../../core/src/testing/random-graphs.ts";
import { runReference } from "../../core/src/testing/reference.ts";
import { exportOnnx, importModel, runPasses } from "../src/index.ts";
import { binaryCnn, floatCnn, type Network, ternaryCnn } from "./support/networks.ts";

const numbers = (data: ArrayLike<number | bigint>): number[] => Array.from(data, Number);

function difference(expected: Tensor, got: ArrayLike<number | bigint>): number {
  const [a, b] = [numbers(expected.data as Float32Array), numbers(got)];
  expect(b.length).toBe(a.length);
  const scale = Math.max(1, ...a.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / scale;
}

async function runElsewhere(
  file: Uint8Array,
  feed: Readonly<Record<string, Tensor>>,
): Promise<ort.InferenceSession.OnnxValueMapType> {
  const session = await ort.InferenceSession.create(file, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "disabled",
  });
  const inputs = Object.entries(feed).map(
    ([name, { shape, data }]) => [name, new ort.Tensor("float32", data as Float32Array, [...shape])] as const,
  );
  return session.run(Object.fromEntries(inputs));
}

const seeds = [0, 1, 2, 3, 4, 5];
const converted = (make: (seed: number) => Network) => (seed: number) => {
  const { file, feed } = make(seed);
  return { graph: runPasses(importModel(file)), feed };
};

/** Integer kernels keep their biases as integers: floats may fall to the next code. */
const FAMILIES: readonly (readonly [string, (seed: number) => { graph: Graph; feed: RandomGraph["feed"] }, number])[] =
  [
    ["float networks", converted(floatCnn), 1e-5],
    ["binary networks", converted(binaryCnn), 1e-6],
    ["ternary networks on codes", converted(ternaryCnn), 0.05],
    ["bits with both borders", coreBinaryCnn, 1e-6],
    ["coded weights", codedCnn, 1e-5],
    ["integer networks", integerCnn, 0.05],
  ];

describe.each(FAMILIES)("exportOnnx of %s", (_, make, tolerance) => {
  test.each(seeds)("seed %i: read back and run by onnxruntime-web, it computes the same", async (seed) => {
    const { graph, feed } = make(seed);
    const file = exportOnnx(graph);
    const output = graph.outputs[0]!;
    const expected = runReference(graph, feed)[output]!;
    const back = runReference(importModel(file), feed)[output]!;
    expect(back.shape).toEqual(expected.shape);
    expect(difference(expected, back.data as Float32Array)).toBeLessThanOrEqual(tolerance);
    const elsewhere = await runElsewhere(file, feed);
    expect(elsewhere[output]!.dims).toEqual(expected.shape);
    expect(difference(expected, elsewhere[output]!.data as Float32Array)).toBeLessThanOrEqual(tolerance);
  });
});

test("the same graph gives the same bytes", () => {
  const { graph } = converted(floatCnn)(3);
  expect(exportOnnx(graph)).toEqual(exportOnnx(graph));
});
