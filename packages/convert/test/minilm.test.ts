/** all-MiniLM-L6-v2 (node scripts/get-minilm.mjs): float equals an independent evaluation, and quantized ones stay close. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { fromHalf } from "lowbit";
import { type Encoder, loadEncoder } from "lowbit/encoder";
import { describe, expect, test } from "vitest";
import { importHuggingFace, quantizeModel, writeModel } from "../src/index.ts";

const root = join(import.meta.dirname, "../../..");
const model = join(root, ".toolchain/cache/minilm");
const data = join(process.env.LOWBIT_DATA ?? join(root, "../shared/data"), "minilm");
const isThere = existsSync(join(model, "model.safetensors")) && existsSync(join(data, "base_f16.npy"));

const SIZE = 384;
const read = (name: string) => (existsSync(join(model, name)) ? readFileSync(join(model, name)) : undefined);
const json = (name: string) => JSON.parse(readFileSync(join(model, name), "utf8")) as object;

/** Sentences with the vectors that an independent forward pass gave them. */
function samples(count: number): { texts: string[]; vectors: Float32Array[] } {
  const texts = (JSON.parse(readFileSync(join(data, "sentences.json"), "utf8")) as string[]).slice(0, count);
  const file = readFileSync(join(data, "base_f16.npy"));
  const start = 10 + file.readUInt16LE(8);
  const halves = new Uint16Array(
    file.buffer.slice(file.byteOffset + start, file.byteOffset + start + 2 * SIZE * count),
  );
  const vectors = texts.map((_, i) => Float32Array.from(halves.subarray(i * SIZE, (i + 1) * SIZE), fromHalf));
  return { texts, vectors };
}

const cosine = (a: Float32Array, b: Float32Array): number => {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

async function encoderOf(weights?: string): Promise<{ encoder: Encoder; bytes: number }> {
  const graph = await importHuggingFace((name) => read(name), { name: "minilm" });
  const options = weights === undefined ? {} : { weights, activations: "int8:dynamic" };
  const bytes = writeModel((await quantizeModel(graph, options)).graph);
  const tokenizer = new Tokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
  return { encoder: await loadEncoder(bytes, tokenizer), bytes: bytes.length };
}

describe.skipIf(!isThere)("all-MiniLM-L6-v2 (skipped without its weights: node scripts/get-minilm.mjs)", () => {
  const source = isThere ? readFileSync(join(model, "model.safetensors")).length : 0;
  const { texts, vectors } = isThere ? samples(24) : { texts: [], vectors: [] };

  test.each([
    ["float", undefined, 0.99999, 1],
    ["int8", "int8", 0.99, 3.9],
    ["int4 in groups", "int4:g64", 0.85, 7],
  ] as const)("%s", { timeout: 240_000 }, async (_name, weights, least, smaller) => {
    const { encoder, bytes } = await encoderOf(weights);
    using owned = encoder;
    const encoded = await owned.encode(texts);
    for (const [i, vector] of encoded.entries()) expect(cosine(vector, vectors[i]!)).toBeGreaterThan(least);
    expect(source / bytes).toBeGreaterThanOrEqual(smaller);
    // A text's vector does not depend on those beside it.
    const [alone] = await owned.encode([texts[3]!]);
    expect(cosine(alone!, encoded[3]!)).toBeGreaterThan(0.99999);
  });
});
