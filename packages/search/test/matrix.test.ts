/** Every kind of codes, alone, in lists and under a graph, by every metric: all that can happen to an index. */
import { describe, expect, it } from "vitest";
import { Index, loadIndex, type Metric, recall, saveIndex, type Vectors } from "../src/index.ts";
import { clustered, nearest, rowOf } from "./vectors.ts";

const [n, d] = [320, 32];
const base = clustered(n, d, 8);
const queries = clustered(9, d, 8);
const part = (from: number, to: number): Vectors => ({
  shape: [to - from, d],
  data: base.data.slice(from * d, to * d),
});

/** With a floor of recall, of 320 vectors among which there are no better codes. */
const codes: readonly [spec: string, floor: number, linkable: boolean][] = [
  ["Flat", 0.99, true],
  ["SQ8", 0.95, true],
  ["Binary", 0.3, false],
  ["PQ8x8", 0.5, true],
  ["PQ8x8_A0.3", 0.45, true],
  ["PQ16x4fs", 0.4, false],
  ["PQ16x4fs_A0.3", 0.35, false],
  ["RQ2x8", 0.5, false],
  ["RQ4x4fs", 0.3, false],
  ["LSQ2x8", 0.5, false],
  ["LSQ4x4fs", 0.3, false],
  ["RaBitQ", 0.3, true],
  ["RaBitQ4", 0.8, true],
  ["Binary,RSQ8", 0.9, false],
  ["PQ8x8,RFlat", 0.9, true],
];
const metrics = ["ip", "cosine", "l2"] as const;
const heads = ["", "IVF4,", "HNSW8,"];
const cases = codes.flatMap(([spec, floor, linkable]) =>
  heads
    .filter((head) => head !== "HNSW8," || linkable)
    .flatMap((head) => [...metrics.map((metric) => [head + spec, metric as Metric, floor] as const)]),
);
const all: (readonly [string, Metric, number])[] = [
  ...cases,
  ["Binary", "hamming", 0.3],
  ["IVF4,Binary", "hamming", 0.3],
  ["OPQ8,IVF4,PQ8x8", "l2", 0.45],
  ["OPQ8,RQ2x8", "ip", 0.45],
  ["MRL16,LSQ2x8,RSQ8", "cosine", 0.3],
];

/** Of a graph and of candidates most, but not all, after which there would be only a scan. */
const effort = { nprobe: 4, efSearch: 200, rescored: 200 };

describe.each(all)("%s by %s", (spec, metric, floor) => {
  // Signs that differ are counted.
  const higher = (metric === "ip" || metric === "cosine") && !spec.endsWith("Binary");

  it("finds, for one and for many, filtered or not, within a radius", async () => {
    using index = await Index.build(base, spec, { metric });
    expect(recall(index, queries, nearest(base, queries, 10, metric), effort)).toBeGreaterThanOrEqual(floor);
    const { numbers, scores } = index.searchAll(queries, 5, effort);
    for (let q = 0; q < 9; q++) {
      const hits = index.search(rowOf(queries, q), 5, effort);
      expect(hits.map(({ id }) => id)).toEqual([...numbers.subarray(5 * q, 5 * q + 5)]);
      expect(hits.map(({ score }) => score)).toEqual([...scores.subarray(5 * q, 5 * q + 5)]);
      for (let i = 1; i < 5; i++)
        expect(higher ? hits[i - 1]!.score >= hits[i]!.score : hits[i - 1]!.score <= hits[i]!.score).toBe(true);
    }
    const query = rowOf(queries, 4);
    const odd = index.search(query, 7, { ...effort, filter: (id) => (id as number) % 2 === 1 });
    expect(odd.length).toBe(7);
    expect(odd.every(({ id }) => (id as number) % 2 === 1)).toBe(true);
    const radius = index.search(query, 12, effort).at(-1)!.score;
    const near = index.rangeSearch(query, radius, effort);
    expect(near.length).toBeGreaterThanOrEqual(12);
    expect(near.every(({ score }) => (higher ? score >= radius : score <= radius))).toBe(true);
    // More than there are.
    expect(index.search(query, 1000, { ...effort, rescored: 1000 }).length).toBe(n);
  });

  it("changes, is saved, and is merged", async () => {
    const ids = Array.from({ length: n }, (_, i) => `v${i}`);
    using index = await Index.build(base, spec, { metric, ids });
    expect(index.remove(["v3", "v4", "nobody"])).toBe(2);
    // In the place of the first.
    await index.add(part(5, 6), { ids: ["v7"] });
    expect(index.size).toBe(n - 2);
    const found = () => index.search(rowOf(queries, 1), 40, effort);
    const before = found();
    expect(before.some(({ id }) => id === "v3" || id === "v4")).toBe(false);
    expect(index.reconstruct("v7")).toEqual(index.reconstruct("v5"));
    expect(() => index.reconstruct("v3")).toThrow(/id/);
    using again = await loadIndex(saveIndex(index));
    expect(again.search(rowOf(queries, 1), 40, effort)).toEqual(before);
    expect(saveIndex(again)).toEqual(saveIndex(index));
    index.compact();
    // A graph is linked anew; among ties the order of numbers decides.
    expect(found().map(({ score }) => score)).toEqual(before.map(({ score }) => score));
    using more = await Index.build(part(0, 9), spec, { metric, like: index, ids: ids.slice(0, 9) });
    index.merge(more);
    expect(index.size).toBe(n);
    expect(index.has("v3")).toBe(true);
    const stored = index.reconstruct("v3");
    expect(stored.every(Number.isFinite)).toBe(true);
    expect(stored).toEqual(more.reconstruct("v3"));
  });
});
