/** Recall on real sentence embeddings, against that of faiss-cpu 1.15 on the same 12,405 vectors and 500 queries (the last of the file), by index_factory. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHalf } from "lowbit";
import { beforeAll, describe, expect, it } from "vitest";
import { Index, recall, type Vectors } from "../src/index.ts";

const file = join(
  process.env.LOWBIT_DATA ?? join(import.meta.dirname, "../../../../shared/data"),
  "minilm/base_f16.npy",
);
const D = 384;
const QUERIES = 500;

/** The floats of an .npy of f16 [n, 384]: its header is a line of text behind ten bytes. */
function readVectors(): Float32Array {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  expect(bytes.toString("latin1", 10, start)).toMatch(/<f2.*False.*, 384\)/);
  const halves = new Uint16Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  return Float32Array.from(halves, fromHalf);
}

describe.skipIf(!existsSync(file))("all-MiniLM-L6-v2 embeddings (data set minilm)", () => {
  let base: Vectors;
  let queries: Vectors;
  let truth: { shape: number[]; data: Int32Array };

  beforeAll(async () => {
    const data = readVectors();
    const cut = data.length - QUERIES * D;
    queries = { shape: [QUERIES, D], data: data.slice(cut) };
    base = { shape: [cut / D, D], data: data.slice(0, cut) };
    using flat = await Index.build(base, "Flat");
    truth = { shape: [QUERIES, 10], data: flat.searchAll(queries, 10).numbers };
  });

  it.each([
    // The better of Faiss' inner products and distances (scripts/search-recall-faiss.py), less 0.01.
    ["PQ48x8", 0.758 - 0.01],
    ["PQ96x8", 0.856 - 0.01],
    ["PQ48x4fs", 0.59 - 0.01],
    ["PQ96x4fs", 0.73 - 0.01],
    ["RaBitQ4", 0.9488],
    ["Binary,RSQ8", 0.975],
    ["PQ48x4fs,RSQ8", 0.9],
    ["HNSW32", 0.95],
    ["HNSW32,SQ8,RFlat", 0.95],
    ["HNSW32,PQ48x8,RFlat", 0.94],
  ] as const)(
    "%s finds %d or more of the ten nearest",
    async (spec, floor) => {
      using index = await Index.build(base, spec);
      expect(recall(index, queries, truth)).toBeGreaterThanOrEqual(floor);
      // Codes, and at most a fifth of them kept free.
      expect(index.bytes).toBeLessThanOrEqual(1.2 * index.size * index.bytesPerVector);
    },
    900_000,
  );

  it("PQ48x8_A0.2, of the score-aware loss, finds by inner product no less than PQ48x8", async () => {
    using plain = await Index.build(base, "PQ48x8", { metric: "ip" });
    using aware = await Index.build(base, "PQ48x8_A0.2", { metric: "ip" });
    expect(aware.bytesPerVector).toBe(plain.bytesPerVector);
    expect(recall(aware, queries, truth)).toBeGreaterThanOrEqual(recall(plain, queries, truth));
  }, 900_000);
});
