/** An encoder as torch.onnx writes BERT, of MiniLM's shape (golden/make-bert.py): recognised whole, with mask and open sizes, and right. */
import { availableTiers, createModel, Tensor } from "lowbit";
import { expect, test } from "vitest";
import { importModel, readModel, runPasses, writeModel } from "../src/index.ts";
import golden from "./golden/bert.json" with { type: "json" };
import { readFile } from "./support/data.ts";

const INPUTS = ["input_ids", "attention_mask", "token_type_ids"] as const;
const graph = runPasses(importModel(readFile("packages/convert/test/golden/bert.onnx")));

test("two layers are two attentions, five layer norms and two GELUs; nothing of the scores is left", () => {
  const counts: Record<string, number> = {};
  for (const { op } of graph.nodes) counts[op] = (counts[op] ?? 0) + 1;
  expect(counts).toMatchObject({ attention: 2, layerNorm: 5, gelu: 2, dense: 12 });
  for (const op of ["softmax", "matmul", "erf", "sqrt", "reduce", "transpose"]) expect(counts).not.toHaveProperty(op);
  // Both read the one mask.
  const attentions = graph.nodes.filter(({ op }) => op === "attention");
  expect(new Set(attentions.map(({ inputs }) => inputs[3])).size).toBe(1);
});

test("what onnxruntime answers, at two batches and lengths, through a packed file, on every tier", async () => {
  for (const tier of await availableTiers()) {
    using model = await createModel(readModel(writeModel(graph)).graph, { tier });
    for (const { shape, last_hidden_state: expected, ...given } of golden) {
      const feed = Object.fromEntries(
        INPUTS.map((name) => [name, new Tensor("int64", shape, BigInt64Array.from(given[name], BigInt))]),
      );
      const { last_hidden_state: got } = await model.run(feed);
      expect(got!.shape).toEqual([...shape, 24]);
      for (const [i, value] of expected.entries())
        expect(Math.abs((got!.data as Float32Array)[i]! - value)).toBeLessThan(2e-5);
    }
  }
});

test("a text longer than there are positions is refused by name", async () => {
  using model = await createModel(graph);
  const ids = new Tensor("int64", [1, 17], new BigInt64Array(17).fill(1n));
  await expect(model.run(Object.fromEntries(INPUTS.map((name) => [name, ids])))).rejects.toThrow(
    /slice "\/emb\/Slice": shape of the output, expected .*sequence_length.*, got .*16/,
  );
});
