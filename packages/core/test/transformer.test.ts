/** The operators of transformers in the planned runtime against their references, on batches and lengths that one model is run with in turn. */
import {
  availableTiers,
  createModel,
  type Graph,
  OutOfRangeError,
  readPacked,
  ShapeError,
  Tensor,
  writePacked,
} from "lowbit";
import { registerAllOps } from "lowbit/ops";
import { describe, expect, it } from "vitest";
import { partFor } from "../src/runtime/part.ts";
import { GraphBuilder } from "../src/testing/builder.ts";
import { RandomData } from "../src/testing/random-data.ts";
import { runReference } from "../src/testing/reference.ts";

registerAllOps();

/** A layer of an encoder with a bit of a decoder: every operator once. `coded`: tables and weights in codes, rows quantized as they come. */
function block(seed: number, coded: boolean): Graph {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const [vocabulary, size, heads, kvHeads, limit] = [11, 12, 3, 1, 9];
  const ids = builder.input("ids", "int32", ["B", "S"]);
  const mask = builder.input("mask", "int64", ["B", "S"]);
  const weight = (n: number, k: number, groupSize = k) =>
    coded
      ? builder.quantized(
          random.weight({
            shape: [n, k],
            kind: "affine",
            bits: groupSize < k ? 4 : 8,
            scales: groupSize < k ? groupSize : "channel",
          }),
        )
      : builder.plain("f32", [n, k], random.floats(n * k));
  const vector = (n: number) => builder.plain("f32", [n], random.floats(n));
  const dense = (x: string, n: number, k: number, groupSize?: number) =>
    builder.node("dense", [x, weight(n, k, groupSize), vector(n)], coded ? { activations: "int8" } : {}, "f32");
  let [x] = builder.ops("embedding", [ids, weight(vocabulary, size)], {}) as [string];
  [x] = builder.ops("addPositions", [x, weight(limit, size)], { offset: 1 }) as [string];
  [x] = builder.ops("layerNorm", [x, vector(size), vector(size)], { epsilon: 1e-5 }) as [string];
  const q = builder.ops("rotary", [dense(x, size, size)], { heads, theta: 100 })[0]!;
  const k = builder.ops("rotary", [dense(x, size / heads, size, 4)], { heads: kvHeads, theta: 100 })[0]!;
  const v = dense(x, size / heads, size);
  const attributes = { heads, kvHeads, scale: 0.5 };
  const [seen] = builder.ops("attention", [q, k, v, mask], { ...attributes, causal: false });
  const [causal] = builder.ops("attention", [q, k, v], { ...attributes, causal: true });
  x = builder.node("add", [builder.node("add", [seen!, causal!], {}, "f32"), x], {}, "f32");
  [x] = builder.ops("rmsNorm", [x, vector(size)], { epsilon: 1e-6 }) as [string];
  const gate = builder.ops("silu", [dense(x, 20, size)], {})[0]!;
  const [up] = builder.ops("gelu", [dense(x, 20, size)], { approximate: "none" });
  const [down] = builder.ops("gelu", [builder.node("mul", [gate, up!], {}, "f32")], { approximate: "tanh" });
  x = dense(down!, size, 20);
  const [mean] = builder.ops("maskedMean", [x, mask], {});
  return builder.build(mean!, x);
}

function feedOf(seed: number, batch: number, length: number) {
  const random = new RandomData(seed);
  const count = batch * length;
  const ids = Int32Array.from({ length: count }, () => random.between(-11, 10));
  const mask = BigInt64Array.from({ length: count }, (_, i) => (i % length === 0 || random.below(3) > 0 ? 1n : 0n));
  return { ids: new Tensor("int32", [batch, length], ids), mask: new Tensor("int64", [batch, length], mask) };
}

describe.each(availableTiers())("%s", (tier) => {
  it.each([
    [1, false],
    [2, false],
    [3, true],
    [4, true],
  ] as const)("block %i, in codes: %s", async (seed, coded) => {
    const graph = block(seed, coded);
    expect(partFor(graph)).toBe("transformer");
    using model = await createModel(readPacked(writePacked({ graph })).graph, { tier });
    for (const [batch, length] of [
      [1, 1],
      [2, 5],
      [3, 8],
      [2, 5],
    ] as const) {
      const feed = feedOf(seed, batch, length);
      const wanted = runReference(graph, feed);
      const outputs = await model.run(feed);
      for (const [name, { shape, data }] of Object.entries(wanted)) {
        expect(outputs[name]!.shape).toEqual(shape);
        const [got, exact] = [outputs[name]!.data, data] as [Float32Array, Float32Array];
        const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        // A float that differs in its last bit may round to another of 255 codes.
        const tolerance = (coded ? 0.02 : 1e-4) * largest;
        for (const [i, value] of exact.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(tolerance);
      }
    }
    await expect(model.run(feedOf(seed, 1, 9))).rejects.toThrow(ShapeError);
    const feed = feedOf(seed, 1, 2);
    feed.ids.data[1] = 11;
    await expect(model.run(feed)).rejects.toThrow(OutOfRangeError);
  });
});

it("all tiers give the same bytes", async () => {
  const graph = block(5, true);
  const feed = feedOf(5, 2, 7);
  const bytes: Uint8Array[] = [];
  for (const tier of availableTiers()) {
    using model = await createModel(graph, { tier });
    const outputs = await model.run(feed);
    bytes.push(...Object.values(outputs).map(({ data }) => new Uint8Array(data.buffer.slice(0))));
  }
  const half = bytes.length / availableTiers().length;
  for (const [i, output] of bytes.entries()) expect(output).toEqual(bytes[i % half]);
});

it("refuses attention whose sizes do not fit", () => {
  const builder = new GraphBuilder();
  const q = builder.input("q", "f32", ["B", "S", 12]);
  const k = builder.input("k", "f32", ["B", "T", 8]);
  const attributes = { heads: 3, kvHeads: 2, scale: 1, causal: false };
  expect(() => builder.ops("attention", [q, k, k], attributes)).toThrow(/kvHeads, expected a divisor of 3, got 2/);
  expect(() => builder.ops("attention", [q, k, k], { ...attributes, heads: 5, kvHeads: 1 })).toThrow(/a multiple of 5/);
  expect(() => builder.ops("attention", [q, k, k], { ...attributes, kvHeads: 1 })).toThrow(/shape of input 1/);
});
