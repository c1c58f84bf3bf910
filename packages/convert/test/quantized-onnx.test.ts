/** Quantized ONNX networks as onnxruntime runs them (golden/make-quantized.py): codes equal, on integer kernels. */
import { createModel, type Graph } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, runPasses } from "../src/index.ts";
import golden from "./golden/quantized.json" with { type: "json" };
import { asTensor, feedOf, type NodeTest } from "./support/node-tests.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));

/** What layers read, and what tables are. */
const reads = (graph: Graph): string[] =>
  graph.nodes.flatMap(({ op, inputs }) => {
    if (op === "conv2d" || op === "dense") return [graph.values.get(inputs[0]!)!.dtype];
    return op === "embedding" ? [graph.constants.get(inputs[1]!)!.kind] : [];
  });

/** Every layer reads codes of the type that goes in or comes out. */
function integers({ outputs }: NodeTest, graph: Graph): string[] {
  const { dtype } = asTensor(outputs[0]!);
  return graph.nodes.filter(({ op }) => op === "conv2d" || op === "dense").map(() => dtype);
}

describe("quantized networks, as onnxruntime runs them", () => {
  test.each(golden.map((one) => [one.name, one] as const))("%s", async (name, one) => {
    const [inputs, outputs] = [one.inputs.map(bytes), one.outputs.map(bytes)];
    const given: NodeTest = { name, model: bytes(one.model), inputs, outputs };
    const graph = runPasses(importModel(given.model));
    const kinds = name.includes("other way") ? [] : name.startsWith("Gather") ? ["quantized"] : integers(given, graph);
    expect(reads(graph)).toEqual(kinds);
    expect(graph.nodes.filter(({ op }) => op === "dequantize")).toEqual([]);
    using model = await createModel(graph);
    const { y } = await model.run(feedOf(given, graph));
    const expected = asTensor(outputs[0]!);
    expect([y!.dtype, y!.shape]).toEqual([expected.dtype, expected.shape]);
    expect(y!.data).toEqual(expected.data);
  });
});
