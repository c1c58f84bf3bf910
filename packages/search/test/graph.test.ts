/** Indexes with a graph: breadth, filters, growth, signals, files. */
import { createHash } from "node:crypto";
import { readSafetensors, writeSafetensors } from "lowbit";
import { describe, expect, it } from "vitest";
import { Index, loadIndex, recall, saveIndex, tune } from "../src/index.ts";
import { clustered, nearest, rowOf } from "./vectors.ts";

const d = 32;
const base = clustered(2000, d, 3);
const queries = clustered(30, d, 3);
const truth = nearest(base, queries, 10, "l2");
/** The file with another header, and digests that fit. */
function rewritten(file: Uint8Array<ArrayBuffer>, change: (text: string) => string): Uint8Array<ArrayBuffer> {
  const { metadata, tensors } = readSafetensors(file);
  const text = change(metadata.get("lowbit_index")!);
  const digest = createHash("sha256").update(text).digest("hex");
  return writeSafetensors(tensors, new Map([...metadata, ["lowbit_index", text], ["lowbit_digest", digest]]));
}

const build = (spec = "HNSW8", options = {}) => Index.build(base, spec, { metric: "l2", ...options });

describe("a graph", () => {
  it("finds more with more breadth, and takes part in tuning", async () => {
    using index = await build();
    const of = (efSearch: number) => recall(index, queries, truth, { efSearch });
    expect(of(10)).toBeLessThan(of(200));
    // All but what no other vector has among its links.
    expect(of(1000)).toBeGreaterThan(0.99);
    const { options, recall: reached } = tune(index, { recall: 0.95, queries, truth });
    expect(Object.keys(options)).toEqual(["efSearch"]);
    expect(reached).toBeGreaterThanOrEqual(0.95);
    expect(options.efSearch).toBeLessThan(200);
  });

  it("of more breadth when it is built is a better one", async () => {
    using narrow = await build("HNSW8", { efConstruction: 4 });
    using wide = await build("HNSW8", { efConstruction: 100 });
    const of = (index: Index) => recall(index, queries, truth, { efSearch: 10 });
    expect(of(wide)).toBeGreaterThan(of(narrow));
    await expect(build("HNSW8", { efConstruction: 0 })).rejects.toThrow(/efConstruction/);
    expect(() => wide.search(rowOf(queries, 0), 1, { efSearch: 1e6 })).toThrow(/efSearch/);
  });

  it("is the same graph when it is built in parts, and after a file", async () => {
    using whole = await build();
    const first = { shape: [700, d], data: base.data.slice(0, 700 * d) };
    const second = { shape: [1300, d], data: base.data.slice(700 * d) };
    using start = await Index.build(first, "HNSW8", { metric: "l2" });
    using parts = await loadIndex(saveIndex(start));
    await parts.add(second);
    expect(saveIndex(parts)).toEqual(saveIndex(whole));
  });

  it.each([0.9, 0.3, 0.02])("finds what a filter lets through, %d of all, about as well", async (share) => {
    using index = await build();
    const allowed = (id: unknown) => ((id as number) * 7919) % 1000 < share * 1000;
    let found = 0;
    for (let q = 0; q < 30; q++) {
      const exact = index.search(rowOf(queries, q), 10, { filter: allowed, exact: true }).map(({ id }) => id);
      const hits = index.search(rowOf(queries, q), 10, { filter: allowed });
      expect(hits.length).toBe(10);
      expect(hits.every(({ id }) => allowed(id))).toBe(true);
      found += hits.filter(({ id }) => exact.includes(id)).length;
    }
    expect(found / 300).toBeGreaterThan(0.95);
  });

  it("passes through vectors that were removed, without finding them", async () => {
    using index = await build();
    index.remove(Array.from({ length: 2000 }, (_, i) => i).filter((i) => i % 2 === 0));
    const left = nearest(base, queries, 2000, "l2").data.filter((number) => number % 2 === 1);
    const kept = Array.from({ length: 30 }, (_, q) => left.slice(q * 1000, q * 1000 + 10)).flat();
    expect(recall(index, queries, { shape: [30, 10], data: kept })).toBeGreaterThan(0.95);
    index.compact();
    const numbers = kept.map((number) => (number - 1) / 2);
    expect(recall(index, queries, { shape: [30, 10], data: numbers })).toBeGreaterThan(0.95);
  });

  it("a signal ends a build between 256 vectors, and progress is told", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = (stage: string, done: number) => {
      if (stage === "adding") seen.push(done);
      if (done > 0.3) controller.abort();
    };
    await expect(build("HNSW8", { signal: controller.signal, onProgress })).rejects.toThrow(/abort/i);
    expect(seen).toEqual([256 / 2000, 512 / 2000, 768 / 2000]);
  });

  it("of no vectors, of one, and of the same ones is of use", async () => {
    using empty = await Index.build({ shape: [0, d], data: new Float32Array(0) }, "HNSW8", { metric: "l2" });
    expect(empty.search(rowOf(queries, 0), 3)).toEqual([]);
    using again = await loadIndex(saveIndex(empty));
    await again.add({ shape: [1, d], data: rowOf(base, 0) });
    expect(again.search(rowOf(queries, 0), 3).map(({ id }) => id)).toEqual([0]);
    const row = rowOf(base, 5);
    const same = Float32Array.from({ length: 300 * d }, (_, i) => row[i % d]!);
    using twins = await Index.build({ shape: [300, d], data: same }, "HNSW4", { metric: "l2" });
    expect(twins.search(row, 5).map(({ score }) => score)).toEqual([0, 0, 0, 0, 0]);
  });

  it("with a wrong link, entry or breadth in its file is refused by name", async () => {
    using index = await build();
    const file = saveIndex(index);
    const wrong = (change: (text: string) => string) => rewritten(file, change);
    await expect(loadIndex(wrong((t) => t.replace(/"entry":\d+/, '"entry":5000')))).rejects.toThrow(/hnsw: ids/);
    await expect(loadIndex(wrong((t) => t.replace(/"efConstruction":\d+/, '"efConstruction":0')))).rejects.toThrow(
      /efConstruction/,
    );
    await expect(loadIndex(wrong((t) => t.replace(/"graph":\{.*?\},/, "")))).rejects.toThrow(/graph/);
  });
});
