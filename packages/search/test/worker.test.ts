/** Indexes behind a message port: the same results, errors, progress and signals. */
import { NotFiniteError, OutOfRangeError } from "lowbit";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Index, saveIndex } from "../src/index.ts";
import { IndexWorker, serveIndexes } from "../src/worker.ts";
import { clustered, rowOf } from "./vectors.ts";

const d = 16;
const base = clustered(600, d, 8);
const queries = clustered(4, d, 8);

describe("an index behind a message port", () => {
  const { port1, port2 } = new MessageChannel();
  beforeAll(() => serveIndexes(port1));
  afterAll(() => {
    port1.close();
    port2.close();
  });

  it("finds, grows, shrinks and is saved as the same index here", async () => {
    using local = await Index.build(base, "PQ4x8,RSQ8", { metric: "l2" });
    await using remote = await IndexWorker.build(port2, base, "PQ4x8,RSQ8", { metric: "l2" });
    expect([remote.spec, remote.metric, remote.dimension, remote.size]).toEqual(["PQ4x8,RSQ8", "l2", d, 600]);
    const query = rowOf(queries, 0);
    const odd = new Uint32Array(19).fill(0xaaaa_aaaa);
    for (const options of [{}, { rescored: 200 }, { filter: odd }])
      expect(await remote.search(query, 5, options)).toEqual(local.search(query, 5, options));
    expect(await remote.searchAll(queries, 5)).toEqual(local.searchAll(queries, 5));
    expect(await remote.rangeSearch(query, 3)).toEqual(local.rangeSearch(query, 3));
    for (const index of [remote, local]) {
      await index.add({ shape: [4, d], data: queries.data });
      expect(await index.remove([3, 4, 9999])).toBe(2);
      await index.compact();
    }
    expect(remote.size).toBe(602);
    expect(await remote.has(3)).toBe(false);
    expect(await remote.reconstruct(603)).toEqual(local.reconstruct(603));
    const file = await remote.save();
    expect(file).toEqual(saveIndex(local));
    await using again = await IndexWorker.load(port2, new Blob([file]));
    expect(await again.search(query, 5)).toEqual(local.search(query, 5));
  });

  it("moves vectors where asked, and tells its progress", async () => {
    const moved = { shape: [600, d], data: base.data.slice() };
    const stages: string[] = [];
    await using index = await IndexWorker.build(port2, moved, "HNSW4", {
      transfer: true,
      onProgress: (stage, done) => void stages.push(`${stage} ${done}`),
    });
    expect(moved.data.length).toBe(0);
    expect(index.size).toBe(600);
    // It travels on a port of its own, so it may arrive after the index.
    await vi.waitFor(() => expect(stages.at(-1)).toBe("adding 1"));
  });

  it("throws the errors of the other side with their classes, and the reason of a signal", async () => {
    const bad = { shape: [1, d], data: new Float32Array(d).fill(Number.NaN) };
    await expect(IndexWorker.build(port2, bad, "Flat")).rejects.toThrow(NotFiniteError);
    await using index = await IndexWorker.build(port2, base, "Flat");
    await expect(index.search(rowOf(queries, 0), 0)).rejects.toThrow(OutOfRangeError);
    await expect(index.search(rowOf(queries, 0), 1, { filter: () => true })).rejects.toThrow(/bits by number/);
    const reason = new Error("enough");
    await expect(IndexWorker.build(port2, base, "Flat", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const many = clustered(4000, d, 2);
    const onProgress = () => controller.abort(reason);
    const build = IndexWorker.build(port2, many, "HNSW16", { signal: controller.signal, onProgress });
    await expect(build).rejects.toBe(reason);
    await index.dispose();
    await expect(index.search(rowOf(queries, 0), 1)).rejects.toThrow(/disposed/);
  });
});
