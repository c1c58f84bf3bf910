/** Texts to vectors: batches, order, cuts and refusals, on an encoder of a few dozen weights. */
import { createModel, DisposedError, type Graph, GraphError, InputError, writePacked } from "lowbit";
import { registerAllOps } from "lowbit/ops";
import { expect, it } from "vitest";
import { createEncoder, loadEncoder } from "../src/encoder.ts";
import { GraphBuilder } from "../src/testing/builder.ts";

registerAllOps();

/** The mean of one-hot rows: which letters a text has, and how often. */
function letters(dtype: "int32" | "int64" = "int32"): Graph {
  const builder = new GraphBuilder();
  const ids = builder.input("input_ids", dtype, ["B", "S"]);
  const mask = builder.input("attention_mask", "int32", ["B", "S"]);
  const identity = Float32Array.from({ length: 36 }, (_, i) => (i % 7 === 0 ? 1 : 0));
  const [x] = builder.ops("embedding", [ids, builder.plain("f32", [6, 6], identity)], {});
  return builder.build(builder.ops("maskedMean", [x!, mask], {})[0]!);
}

/** a to d, between two ends. */
const tokenizer = {
  encode: (text: string) => ({ ids: text === "" ? [] : [0, ...[...text].map((c) => c.charCodeAt(0) - 96), 5] }),
};

it("gives each text its own vector, whatever is beside it", async () => {
  using encoder = await loadEncoder(writePacked({ graph: letters() }), tokenizer, { batchTokens: 8 });
  expect(encoder.size).toBe(6);
  const seen: number[] = [];
  const texts = ["abcd", "a", "bb", "cccccccccc", "d"];
  const vectors = await encoder.encode(texts, { onProgress: (done) => seen.push(done) });
  expect([...vectors[2]!]).toEqual([0.25, 0, 0.5, 0, 0, 0.25]);
  for (const [i, text] of texts.entries()) expect((await encoder.encode([text]))[0]).toEqual(vectors[i]);
  // Two short ones together, then each alone.
  expect(seen).toEqual([2, 3, 4, 5]);
  expect(await encoder.encode([])).toEqual([]);
});

it("cuts long texts and keeps their end", async () => {
  using encoder = createEncoder(await createModel(letters()), tokenizer, { maxTokens: 4 });
  expect([...(await encoder.encode(["abcd"]))[0]!]).toEqual([0.25, 0.25, 0.25, 0, 0, 0.25]);
});

it("refuses other models, empty texts, and use after dispose", async () => {
  const model = await createModel(letters("int64"));
  expect(() => createEncoder(model, tokenizer)).toThrow(GraphError);
  model.dispose();
  const encoder = createEncoder(await createModel(letters()), tokenizer);
  await expect(encoder.encode(["a", ""])).rejects.toThrow(InputError);
  await expect(encoder.encode([1 as unknown as string])).rejects.toThrow(/texts\[0\], expected a string, got number/);
  encoder.dispose();
  await expect(encoder.encode(["a"])).rejects.toThrow(DisposedError);
});
