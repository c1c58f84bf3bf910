/** Cosines of product-quantized vectors: scans by distance from longer queries (src/stretch.ts). */
import { createHash } from "node:crypto";
import { readSafetensors, writeSafetensors } from "lowbit";
import { describe, expect, it } from "vitest";
import { fromFaiss, Index, loadIndex, recall, saveIndex, toFaiss } from "../src/index.ts";
import { clustered, likeness, nearest, rowOf } from "./vectors.ts";

const d = 64;
const base = clustered(1500, d, 1);
const queries = clustered(20, d, 1);
const SPECS = ["PQ16x8", "PQ32x4fs", "OPQ16,PQ16x8", "IVF8,PQ16x8", "IVF8,PQ32x4fs", "HNSW8,PQ16x8"];

const unit = (x: Float32Array): Float32Array => {
  const length = Math.sqrt(likeness("ip", x, x));
  return x.map((value) => value / length);
};

/** The same file with another length, or none. */
function edited(file: Uint8Array<ArrayBuffer>, stretch: number | undefined): Uint8Array<ArrayBuffer> {
  const { metadata, tensors } = readSafetensors(file);
  const head = JSON.parse(metadata.get("lowbit_index")!);
  const others = new Map(tensors);
  const sha = (data: Uint8Array | string) => createHash("sha256").update(data).digest("hex");
  if (stretch === undefined) {
    others.delete("stretch");
    delete head.sha256.stretch;
  } else {
    const bytes = new Uint8Array(Float32Array.of(stretch).buffer);
    others.set("stretch", { dtype: "F32", shape: [1], bytes });
    head.sha256.stretch = sha(bytes);
  }
  const text = JSON.stringify(head);
  return writeSafetensors(
    others,
    new Map([
      ["lowbit_index", text],
      ["lowbit_digest", sha(text)],
    ]),
  );
}

describe.each(SPECS)("%s by cosine", (spec) => {
  it("scores <q, y> + (1 - |y|²) / (2 s), in its order", async () => {
    using index = await Index.build(base, spec);
    const [s] = index.state.learned.stretch!;
    expect(s).toBeGreaterThanOrEqual(1);
    const query = unit(rowOf(queries, 2));
    const hits = index.search(query, 20, { nprobe: 8 });
    for (const { id, score } of hits) {
      const y = index.reconstruct(id);
      expect(score).toBeCloseTo(likeness("ip", query, y) + (1 - likeness("ip", y, y)) / (2 * s!), 4);
    }
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  it("goes through a file; one of before has plain distances, or in lists inner products", async () => {
    using index = await Index.build(base, spec);
    using again = await loadIndex(saveIndex(index));
    expect(again.searchAll(queries, 10)).toEqual(index.searchAll(queries, 10));
    using old = await loadIndex(edited(saveIndex(index), undefined));
    const query = unit(rowOf(queries, 4));
    const [hit] = old.search(query, 1);
    const y = old.reconstruct(hit!.id);
    const ip = likeness("ip", query, y);
    expect(hit!.score).toBeCloseTo(spec.startsWith("IVF") ? ip : ip + (1 - likeness("ip", y, y)) / 2, 4);
  });

  it("is found by the same numbers in the file of Faiss, for queries of length 1", async () => {
    using index = await Index.build(base, spec);
    using there = await fromFaiss(toFaiss(index));
    expect(there.metric).toBe("l2");
    for (let i = 0; i < 20; i++) {
      const query = unit(rowOf(queries, i));
      const [own, other] = [index.search(query, 10), there.search(query, 10)];
      const s = index.state.learned.stretch![0]!;
      for (const [rank, { score }] of other.entries())
        expect((s * (1 + 1 / (s * s) - score)) / 2).toBeCloseTo(own[rank]!.score, 4);
    }
  });
});

it("finds more than inner products do, in lists too", async () => {
  const truth = nearest(base, queries, 10, "cosine");
  // Vectors of length 1 are the same to both.
  const data = base.data.slice();
  for (let i = 0; i < 1500; i++) data.set(unit(rowOf(base, i)), i * d);
  for (const spec of ["PQ16x8", "IVF8,PQ16x8"]) {
    using cosine = await Index.build(base, spec);
    using ip = await Index.build({ shape: [1500, d], data }, spec, { metric: "ip" });
    const options = { nprobe: 8 };
    expect(recall(cosine, queries, truth, options)).toBeGreaterThanOrEqual(recall(ip, queries, truth, options));
  }
});

it("a length that cannot be is refused", async () => {
  using index = await Index.build(base, "PQ16x8");
  for (const stretch of [0, 0.5, Number.NaN])
    await expect(loadIndex(edited(saveIndex(index), stretch))).rejects.toThrow(/stretch/);
});
