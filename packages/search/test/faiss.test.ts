/** Files of faiss-cpu 1.15 (golden/make-faiss.py): read, asked, and written again byte for byte. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LowbitError } from "lowbit";
import { Random } from "lowbit/quantize";
import { describe, expect, it } from "vitest";
import { fromFaiss, Index, loadIndex, saveIndex, toFaiss } from "../src/index.ts";
import { clustered, likeness, rowOf } from "./vectors.ts";

const folder = join(import.meta.dirname, "golden");
const golden = (name: string) => new Uint8Array(readFileSync(join(folder, `${name}.faiss`)));
const { base: baseText, queries: queriesText, cases } = JSON.parse(readFileSync(join(folder, "faiss.json"), "utf8"));
const floats = (text: string) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
const D = 8;
const base = { shape: [300, D], data: floats(baseText) };
const queries = { shape: [5, D], data: floats(queriesText) };

/** Every id and score of Faiss, in order but for ties within 1e-5. */
function expectSame(index: Index, name: string): void {
  const { ids, scores } = cases[name] as { ids: number[][]; scores: number[][] };
  for (let q = 0; q < 5; q++) {
    // One more than asked for: the last may tie with it.
    const hits = index.search(rowOf(queries, q), 11, { rescored: 50 });
    for (const [rank, id] of ids[q]!.entries()) {
      const hit = hits.find((hit) => Number(hit.id) === id);
      expect(hit, `${name}: query ${q}, rank ${rank}`).toBeDefined();
      expect(Math.abs(hit!.score - scores[q]![rank]!)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(hit!.score)));
      expect(Math.abs(hits[rank]!.score - scores[q]![rank]!)).toBeLessThanOrEqual(
        1e-5 * Math.max(1, Math.abs(hit!.score)),
      );
    }
  }
}

/** Shares of levels, which only Faiss draws by: powers here, exponentials of floats there, a millionth apart. They are made the same. */
function expectShares(written: Uint8Array, golden: Uint8Array): void {
  const count = new DataView(golden.buffer).getUint32(37, true);
  const of = (file: Uint8Array) => new Float64Array(file.slice(45, 45 + 8 * count).buffer);
  for (const [level, share] of of(written).entries()) expect(share / of(golden)[level]!).toBeCloseTo(1, 5);
  written.set(golden.subarray(45, 45 + 8 * count), 45);
}

describe.each([
  ["flat-l2", "Flat"],
  ["flat-ip", "Flat"],
  ["pq", "PQ2x8"],
  ["pq-fast", "PQ4x4fs"],
  ["pq-fast-odd", "PQ1x4fs"],
  ["ivf-pq", "IVF16,PQ2x8"],
  ["ivf-pq-ids", "IVF16,PQ2x8"],
  ["ivf-flat", "IVF16,Flat"],
  ["ivf-pq-fast", "IVF16,PQ4x4fs"],
  ["ivf-pq-fast-odd", "IVF4,PQ1x4fs"],
  ["graph", "HNSW4,Flat"],
  ["graph-ip", "HNSW4,Flat"],
  ["graph-pq", "HNSW4,PQ2x8"],
  ["map", "Flat"],
  ["opq", "OPQ2,PQ2x8"],
  ["refined", "PQ2x8,RFlat"],
  ["binary", "Binary"],
])("%s", (name, spec) => {
  it("finds what Faiss finds, goes through a file of ours, and is written as Faiss wrote it", async () => {
    using index = await fromFaiss(golden(name));
    expect([index.spec, index.size, index.dimension]).toEqual([spec, 300, D]);
    // Fast scan rounds its tables to bytes in Faiss: its own scores are further off, and checked below.
    if (!name.includes("pq-fast")) expectSame(index, name);
    using again = await loadIndex(saveIndex(index));
    expect(again.searchAll(queries, 10)).toEqual(index.searchAll(queries, 10));
    const written = toFaiss(again);
    if (name.startsWith("graph")) expectShares(written, golden(name));
    expect(written).toEqual(golden(name));
  });

  it("cut anywhere, or with a byte changed, is an index or a named error", async () => {
    const file = golden(name);
    const random = new Random(4);
    const attempts = Array.from({ length: 60 }, (_, turn) => {
      const at = random.below(turn % 2 === 0 ? file.length : Math.min(file.length, 300));
      if (turn < 20) return file.slice(0, at);
      const other = file.slice();
      other[at]! ^= 1 << random.below(8);
      return other;
    });
    for (const attempt of attempts) {
      try {
        using index = await fromFaiss(attempt);
        index.searchAll(queries, 3);
      } catch (error) {
        expect(error).toBeInstanceOf(LowbitError);
      }
    }
    await expect(fromFaiss(file.slice(0, -1))).rejects.toThrow(/fromFaiss/);
    await expect(fromFaiss(new Uint8Array([...file, 0]))).rejects.toThrow(/behind the index/);
  });
});

describe("codes", () => {
  it.each(["pq-fast", "pq-fast-odd", "pq4", "ivf-pq-fast", "ivf-pq-fast-odd"])(
    "of %s give Faiss' scores within the rounding of its tables",
    async (name) => {
      using index = await fromFaiss(golden(name));
      const { ids, scores } = cases[name] as { ids: number[][]; scores: number[][] };
      for (let q = 0; q < 5; q++) {
        const all = index.search(rowOf(queries, q), 300);
        for (const [rank, id] of ids[q]!.entries()) {
          const own = all.find((hit) => hit.id === id)!.score;
          const most = name === "pq4" ? 1e-5 : 0.25;
          expect(Math.abs(own - scores[q]![rank]!)).toBeLessThan(most);
        }
      }
    },
  );

  it("of 4 bits come out in blocks, in the order of vectors", async () => {
    using index = await fromFaiss(golden("pq4"));
    expect(index.spec).toBe("PQ4x4fs");
    // The nearest centroids: what Faiss decodes is nearer than what another vector is.
    for (const i of [0, 31, 32, 299]) {
      const near = likeness("l2", rowOf(base, i), index.reconstruct(i));
      expect(near).toBeGreaterThan(likeness("l2", rowOf(base, (i + 1) % 300), index.reconstruct(i)));
    }
  });
});

describe("what is refused, by name", () => {
  const vectors = clustered(300, 16, 9);

  it.each([
    "SQ8",
    "RaBitQ4",
    "HNSW8,SQ8",
    "IVF4,SQ8",
    "RQ2x8",
    "IVF4,Binary",
    "MRL8,Flat",
    "Binary,RFlat",
    "PQ4x8,RSQ8",
  ])("%s has no file of Faiss", async (spec) => {
    using index = await Index.build(vectors, spec);
    expect(() => toFaiss(index)).toThrow(/toFaiss: index/);
  });

  it("words as ids, removed vectors, other classes", async () => {
    const ids = Array.from({ length: 300 }, (_, i) => `word ${i}`);
    using words = await Index.build(vectors, "Flat", { ids });
    expect(() => toFaiss(words)).toThrow(/integer of 64 bits.*word 0/);
    using index = await Index.build(vectors, "IVF4,PQ4x8");
    index.remove([3, 4]);
    expect(() => toFaiss(index)).toThrow(/compact/);
    index.compact();
    using again = await fromFaiss(toFaiss(index));
    expect(again.has(3)).toBe(false);
    expect(again.has(5)).toBe(true);
    // Of length 1, as the exported index of a cosine wants it.
    const query = rowOf(vectors, 5);
    const length = Math.sqrt(likeness("ip", query, query));
    const ask = (of: Index) =>
      of
        .search(
          query.map((x) => x / length),
          5,
        )
        .map(({ id }) => id);
    expect(ask(again)).toEqual(ask(index));
    await expect(fromFaiss(new TextEncoder().encode("IHNs0000"))).rejects.toThrow(/class of the index.*IHNs/);
  });
});
