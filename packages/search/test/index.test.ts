import { describe, expect, it } from "vitest";
import { Index, loadIndex, type Metric, recall, saveIndex, tune } from "../src/index.ts";
import { clustered, likeness, nearest, rowOf } from "./vectors.ts";

const d = 64;
const base = clustered(1500, d, 1);
const queries = clustered(20, d, 1);

describe("what is found", () => {
  it.each(["ip", "cosine", "l2"] as const)("Flat by %s is what plain arithmetic finds", async (metric) => {
    using index = await Index.build(base, "Flat", { metric });
    expect(recall(index, queries, nearest(base, queries, 10, metric))).toBe(1);
    const [hit] = index.search(rowOf(queries, 3), 1);
    const exact = Math.abs(likeness(metric, rowOf(queries, 3), rowOf(base, hit!.id as number)));
    expect(Math.abs(hit!.score)).toBeCloseTo(exact, 3);
  });

  /** Floors with room below what was measured when they were written. */
  it.each([
    ["SQ8", "cosine", 0.97],
    ["PQ16x8", "cosine", 0.5],
    ["PQ16x8", "l2", 0.5],
    ["PQ32x4fs", "ip", 0.5],
    ["OPQ16,PQ16x8", "cosine", 0.5],
    ["RaBitQ", "cosine", 0.35],
    ["RaBitQ4", "l2", 0.85],
    ["RaBitQ8", "ip", 0.97],
    ["Binary,RSQ8", "cosine", 0.9],
    ["PQ16x8,RFlat", "l2", 0.95],
    ["IVF8,PQ16x8", "l2", 0.5],
    ["IVF8,PQ32x4fs", "ip", 0.5],
    ["IVF8,RaBitQ4", "cosine", 0.8],
    ["IVF8,Flat", "l2", 0.99],
    ["MRL32,SQ8", "cosine", 0.2],
    ["HNSW16", "l2", 0.97],
    ["HNSW16,SQ8", "cosine", 0.95],
    ["HNSW16,PQ16x8,RFlat", "ip", 0.9],
    ["HNSW16,RaBitQ4", "l2", 0.85],
    ["OPQ16,HNSW16,PQ16x8,RSQ8", "cosine", 0.9],
  ] as const)("%s by %s keeps a recall of %d", async (spec, metric, floor) => {
    using index = await Index.build(base, spec, { metric });
    expect(recall(index, queries, nearest(base, queries, 10, metric))).toBeGreaterThanOrEqual(floor);
  });

  it("lists that were looked through before and after vectors came in find what those of one adding find", async () => {
    const part = (from: number, to: number) => ({ shape: [to - from, d], data: base.data.slice(from * d, to * d) });
    using whole = await Index.build(base, "IVF8,PQ16x8", { metric: "l2" });
    using grown = await Index.build(part(0, 700), "IVF8,PQ16x8", { metric: "l2", like: whole });
    grown.searchAll(queries, 5);
    await grown.add(part(700, 1500));
    const nprobe = 4;
    const found = grown.searchAll(queries, 10, { nprobe });
    expect(found).toEqual(whole.searchAll(queries, 10, { nprobe }));
    // A score is the distance to what the codes stand for.
    const [hit] = grown.search(rowOf(queries, 2), 1, { nprobe });
    const y = grown.reconstruct(hit!.id);
    const distance = rowOf(queries, 2).reduce((sum, x, j) => sum + (x - y[j]!) ** 2, 0);
    expect(Math.abs(hit!.score - distance)).toBeLessThanOrEqual(1e-5 * distance);
    using loaded = await loadIndex(saveIndex(grown));
    expect(loaded.searchAll(queries, 10, { nprobe })).toEqual(found);
  });

  it.each([
    ...["Flat", "SQ8", "Binary", "Binary,RSQ8", "PQ16x8", "PQ16x4fs", "RaBitQ3", "IVF8,PQ16x8"],
    ...["IVF8,RaBitQ", "HNSW8,RaBitQ2", "PQ16x4fs,RFlat"],
  ])("%s finds for many queries what it finds for each", async (spec) => {
    using index = await Index.build(base, spec, { metric: spec === "Binary" ? "hamming" : "l2" });
    // Batches, and what is left over; with and without a filter.
    for (const filter of [undefined, (id: unknown) => (id as number) % 3 !== 0]) {
      const options = filter ? { filter } : {};
      const { numbers, scores } = index.searchAll(queries, 7, options);
      for (let q = 0; q < 20; q++) {
        const hits = index.search(rowOf(queries, q), 7, options);
        expect(hits.map(({ id }) => id)).toEqual([...numbers.subarray(q * 7, q * 7 + 7)]);
        expect(hits.map(({ score }) => score)).toEqual([...scores.subarray(q * 7, q * 7 + 7)]);
      }
    }
  });

  it("all lists of an inverted file hold what the flat index finds", async () => {
    using flat = await Index.build(base, "SQ8", { metric: "l2" });
    using lists = await Index.build(base, "IVF8,SQ8", { metric: "l2" });
    expect(lists.searchAll(queries, 10, { nprobe: 8 })).toEqual(flat.searchAll(queries, 10));
  });

  it("Binary counts signs", async () => {
    using index = await Index.build(base, "Binary", { metric: "hamming" });
    const [hit] = index.search(rowOf(base, 7), 1);
    expect(hit).toEqual({ id: 7, score: 0 });
  });

  it("more bits of RaBitQ find more", async () => {
    const truth = nearest(base, queries, 10, "cosine");
    let last = 0;
    for (const bits of [1, 2, 3, 4, 6, 8]) {
      using index = await Index.build(base, `RaBitQ${bits}`);
      const found = recall(index, queries, truth);
      expect(found).toBeGreaterThanOrEqual(last - 0.02);
      last = found;
    }
    expect(last).toBeGreaterThan(0.97);
  });
});

describe("ids, filters, removal", () => {
  it("finds by ids as they were given, and a vector added again takes the place of the first", async () => {
    const ids = Array.from({ length: 1500 }, (_, i) => `v${i}`);
    using index = await Index.build(base, "Flat", { ids, metric: "l2" });
    expect(index.search(rowOf(base, 9), 1)[0]!.id).toBe("v9");
    await index.add({ shape: [1, d], data: rowOf(base, 9) }, { ids: ["v0"] });
    expect(index.size).toBe(1500);
    expect(index.search(rowOf(base, 0), 1)[0]!.id).not.toBe("v0");
    expect(index.remove(["v9", "nobody"])).toBe(1);
    expect(index.search(rowOf(base, 9), 1)[0]!.id).toBe("v0");
    expect(index.has("v9")).toBe(false);
  });

  it.each(["Flat", "PQ16x8", "PQ16x4fs", "RaBitQ2", "Binary", "IVF8,SQ8", "Binary,RSQ8", "HNSW8", "HNSW8,RaBitQ3"])(
    "%s finds only what a filter lets through",
    async (spec) => {
      using index = await Index.build(base, spec, { metric: spec === "Binary" ? "hamming" : "l2" });
      const odd = (id: unknown) => (id as number) % 2 === 1;
      const hits = index.search(rowOf(queries, 0), 20, { filter: odd });
      expect(hits.length).toBe(20);
      expect(hits.every(({ id }) => odd(id))).toBe(true);
      const bits = new Uint32Array(47).fill(0xaaaa_aaaa);
      expect(index.search(rowOf(queries, 0), 20, { filter: bits })).toEqual(hits);
    },
  );

  it("fewer than k where there are not so many; none of an empty index", async () => {
    using index = await Index.build(base, "Flat");
    index.remove(Array.from({ length: 1497 }, (_, i) => i));
    expect(index.search(rowOf(queries, 0), 10).length).toBe(3);
    const { numbers } = index.searchAll({ shape: [1, d], data: rowOf(queries, 0) }, 5);
    expect([...numbers].slice(3)).toEqual([-1, -1]);
    using empty = await Index.build({ shape: [0, d], data: new Float32Array(0) }, "Flat");
    expect(empty.search(rowOf(queries, 0), 3)).toEqual([]);
  });

  it.each(["Flat", "SQ8", "PQ16x8", "PQ16x4fs", "RaBitQ4", "IVF8,PQ16x8", "IVF8,RaBitQ4", "OPQ16,PQ16x8"])(
    "%s gives back about what was stored",
    async (spec) => {
      using index = await Index.build(base, spec, { metric: "l2" });
      for (const i of [0, 33, 1499]) {
        const [x, y] = [rowOf(base, i), index.reconstruct(i)];
        expect(likeness("cosine", x, y)).toBeGreaterThan(spec.includes("x4fs") ? 0.85 : 0.93);
      }
      expect(() => index.reconstruct(1500)).toThrow(/id/);
    },
  );
});

describe("files", () => {
  it.each([
    "Flat",
    "Binary,RSQ8",
    "OPQ16,PQ16x8,RFlat",
    "PQ15x4fs",
    "IVF8,PQ16x4fs",
    "RaBitQ3",
    "IVF8,RaBitQ",
    "HNSW8",
    "HNSW8,PQ16x8",
  ])("%s is the same after a file", async (spec) => {
    const vectors = spec === "PQ15x4fs" ? clustered(300, 60, 2) : base;
    const asked = spec === "PQ15x4fs" ? clustered(5, 60, 2) : queries;
    using index = await Index.build(vectors, spec, { metric: "l2" });
    index.remove([5, 6]);
    const file = saveIndex(index);
    using again = await loadIndex(file);
    expect(again.searchAll(asked, 10)).toEqual(index.searchAll(asked, 10));
    expect(again.size).toBe(index.size);
    expect(saveIndex(again)).toEqual(file);
  });

  it("keeps ids of every kind", async () => {
    const some = { shape: [3, d], data: base.data.slice(0, 3 * d) };
    for (const ids of [
      ["a", "b", "c"],
      [7n, 8n, 2n ** 70n],
      [5, 3, 1],
    ]) {
      using index = await Index.build(some, "Flat", { ids });
      using again = await loadIndex(saveIndex(index));
      expect(again.search(rowOf(base, 2), 1)[0]!.id).toBe(ids[2]);
    }
  });

  it("refuses a file of which a byte is another, or that is cut", async () => {
    using index = await Index.build(base, "PQ16x8");
    const file = saveIndex(index);
    const other = file.slice();
    other[other.length - 9]! ^= 1;
    await expect(loadIndex(other)).rejects.toThrow(/tensor|digest/);
    await expect(loadIndex(file.slice(0, -1))).rejects.toThrow();
    await expect(loadIndex(file.slice(0, 100))).rejects.toThrow();
  });
});

describe("within a radius", () => {
  it.each([
    ["Flat", "l2"],
    ["Flat", "ip"],
    ["Binary", "hamming"],
    ["PQ16x8,RFlat", "cosine"],
  ] as const)("%s by %s finds all that a search finds so near", async (spec, metric) => {
    using index = await Index.build(base, spec, { metric });
    const all = index.search(rowOf(queries, 0), 1500);
    // Of all, of more than are asked for first, of one, of none.
    for (const at of [1499, 700, 0]) {
      const { score: radius } = all[at]!;
      const near = all.filter(({ score }) =>
        metric === "l2" || metric === "hamming" ? score <= radius : score >= radius,
      );
      expect(index.rangeSearch(rowOf(queries, 0), radius, { rescored: 1500 })).toEqual(near);
    }
    const none = metric === "l2" || metric === "hamming" ? -1 : 1e30;
    expect(index.rangeSearch(rowOf(queries, 0), none)).toEqual([]);
    expect(() => index.rangeSearch(rowOf(queries, 0), Number.NaN)).toThrow(/radius/);
  });
});

/** One of each kind of codes, lists, and graphs. */
const kinds = [
  "HNSW8,SQ8",
  "Flat",
  "SQ8",
  "Binary,RSQ8",
  "PQ16x8",
  "PQ16x4fs",
  "RaBitQ3",
  "IVF8,PQ16x4fs",
  "IVF8,RaBitQ2,RFlat",
];
const part = (from: number, to: number) => ({ shape: [to - from, d], data: base.data.slice(from * d, to * d) });

describe("compaction", () => {
  it.each(kinds)("%s finds the same with less memory, and takes more", async (spec) => {
    using index = await Index.build(part(0, 1000), spec, { metric: "l2" });
    index.remove(Array.from({ length: 1000 }, (_, i) => i).filter((i) => i % 3 === 0 || (i > 300 && i < 400)));
    const ask = () => index.search(rowOf(queries, 1), 50, { rescored: 1000, nprobe: 8 });
    const [before, bytes, size] = [ask(), index.bytes, index.size];
    index.compact();
    expect(ask()).toEqual(before);
    expect([index.size, index.state.ids.count]).toEqual([size, size]);
    expect(index.bytes).toBeLessThan(0.75 * bytes);
    expect(index.has(3)).toBe(false);
    // Vectors without ids go on counting where they were.
    await index.add(part(1000, 1001));
    expect(index.has(1000)).toBe(true);
    using again = await loadIndex(saveIndex(index));
    expect(again.searchAll(queries, 20)).toEqual(index.searchAll(queries, 20));
    await again.add(part(1001, 1002));
    expect(again.has(1001)).toBe(true);
  });

  it("an index of which all was removed is empty and still of use", async () => {
    using index = await Index.build(part(0, 300), "PQ16x8");
    index.remove(Array.from({ length: 300 }, (_, i) => i));
    index.compact();
    expect(index.search(rowOf(queries, 0), 3)).toEqual([]);
    using again = await loadIndex(saveIndex(index));
    await again.add(part(0, 2));
    expect(again.search(rowOf(base, 1), 1)[0]!.id).toBe(301);
  });
});

describe("merging", () => {
  it.each(kinds)("%s: two parts merged find what the whole finds", async (spec) => {
    const options = { metric: "l2", nprobe: 8, rescored: 2000 } as const;
    using whole = await Index.build(base, spec, options);
    using first = await Index.build(part(0, 777), spec, { metric: "l2", like: whole });
    using second = await Index.build(part(777, 1500), spec, { metric: "l2", like: whole });
    second.remove([0, 5]);
    whole.remove([777, 782]);
    first.merge(second);
    expect(first.size).toBe(whole.size);
    whole.compact();
    const all = { nprobe: 8, rescored: 2000 };
    expect(first.searchAll(queries, 30, all)).toEqual(whole.searchAll(queries, 30, all));
    expect(second.size).toBe(721);
  });

  it("a vector whose id is there already takes its place", async () => {
    using a = await Index.build(part(0, 3), "Flat", { ids: ["x", "y", "z"] });
    using b = await Index.build(part(3, 5), "Flat", { ids: ["z", "w"] });
    a.merge(b);
    expect(a.size).toBe(4);
    expect(a.search(rowOf(base, 3), 1)[0]!.id).toBe("z");
    expect(a.search(rowOf(base, 2), 1)[0]!.score).toBeLessThan(0.999);
  });

  it("refuses what does not fit, by name", async () => {
    using a = await Index.build(part(0, 300), "PQ16x8");
    using b = await Index.build(part(100, 500), "PQ16x8");
    using flat = await Index.build(part(0, 3), "Flat");
    using words = await Index.build(part(0, 3), "Flat", { ids: ["x", "y", "z"] });
    expect(() => a.merge(b)).toThrow(/built `like`/);
    expect(() => a.merge(flat)).toThrow(/spec of the other index/);
    expect(() => a.merge(a)).toThrow(/another index/);
    expect(() => flat.merge(words)).toThrow(/number, as those before/);
    expect(flat.size).toBe(3);
    await expect(Index.build(base, "PQ16x8", { like: flat })).rejects.toThrow(/spec of the other index/);
    await expect(Index.build(base, "Flat", { metric: "l2", like: flat })).rejects.toThrow(/metric of the other/);
  });
});

describe("tuning", () => {
  it("picks lists and candidates that reach the recall, and no more than needed", async () => {
    using index = await Index.build(base, "IVF16,PQ16x4fs,RFlat", { metric: "l2" });
    const truth = nearest(base, queries, 10, "l2");
    const { options, recall: reached } = tune(index, { recall: 0.9, queries, truth });
    expect(reached).toBeGreaterThanOrEqual(0.9);
    expect(recall(index, queries, truth, options)).toBe(reached);
    expect(recall(index, queries, truth, { ...options, rescored: options.rescored! - 1 })).toBeLessThan(0.9);
    expect(options.nprobe).toBeLessThan(16);
    const more = tune(index, { recall: 1, queries, truth });
    expect(more.recall).toBe(1);
    expect(more.options.rescored).toBeGreaterThan(options.rescored!);
  });

  it("asks for the index's own vectors where there are no queries; says what it reached where it cannot", async () => {
    using index = await Index.build(base, "Binary,RSQ8");
    const { options, recall: reached } = tune(index, { recall: 0.95 });
    expect(reached).toBeGreaterThanOrEqual(0.95);
    expect(Object.keys(options)).toEqual(["rescored"]);
    using codes = await Index.build(base, "PQ8x4fs");
    const poor = tune(codes, { recall: 0.99, queries, truth: nearest(base, queries, 10, "cosine") });
    expect(poor.options).toEqual({});
    expect(poor.recall).toBeLessThan(0.99);
    expect(() => tune(codes, { recall: 95 })).toThrow(/recall/);
  });

  it("exact scores every vector by the best that is stored", async () => {
    using index = await Index.build(base, "IVF16,PQ16x4fs,RFlat", { metric: "l2" });
    expect(recall(index, queries, nearest(base, queries, 10, "l2"), { exact: true })).toBe(1);
    const odd = (id: unknown) => (id as number) % 2 === 1;
    const hits = index.search(rowOf(queries, 0), 5, { exact: true, filter: odd });
    expect(hits.every(({ id }) => odd(id))).toBe(true);
  });
});

describe("bad input is refused by name", () => {
  it.each([
    ["PQ16x9", "cosine", /index spec.*PQ16x9/],
    ["PQ7x8", "cosine", /sub-spaces.*64.*7/],
    ["MRL65,Flat", "cosine", /coordinates to keep.*64.*65/],
    ["PQ16x8", "hamming", /metric of these codes/],
    ["Flat", "euclid", /metric.*euclid/],
    ["IVF2000,Flat", "l2", /2000/],
    ["HNSW1,Flat", "l2", /index spec.*HNSW1/],
    ["HNSW16,PQ16x4fs", "l2", /index spec.*HNSW16/],
    ["IVF8,HNSW16,Flat", "l2", /index spec.*IVF8/],
  ])("%s by %s", async (spec, metric, message) => {
    await expect(Index.build(base, spec, { metric: metric as Metric })).rejects.toThrow(message);
  });

  it("vectors and queries", async () => {
    const bad = { shape: [2, d], data: base.data.slice(0, 2 * d) };
    bad.data[d + 3] = Number.NaN;
    await expect(Index.build(bad, "Flat")).rejects.toThrow(/vector 1/);
    await expect(Index.build({ shape: [2, d], data: new Float32Array(5) }, "Flat")).rejects.toThrow(/vectors/);
    const few = { shape: [100, d], data: base.data.slice(0, 100 * d) };
    await expect(Index.build(few, "PQ16x8")).rejects.toThrow(/at least 256.*100/);
    using index = await Index.build(base, "Flat");
    expect(() => index.search(new Float32Array(3), 1)).toThrow(/vectors/);
    expect(() => index.search(rowOf(base, 0), 0)).toThrow(/k/);
    await expect(index.add(bad)).rejects.toThrow(/vector 1/);
    await expect(index.add({ shape: [2, d], data: base.data.slice(0, 2 * d) }, { ids: [9, 9] })).rejects.toThrow(
      /each once/,
    );
    index.dispose();
    expect(() => index.search(rowOf(base, 0), 1)).toThrow(/disposed/i);
  });

  it("a signal ends a build", async () => {
    await expect(Index.build(base, "Flat", { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});
