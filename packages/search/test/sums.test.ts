/** Residual and additive codes: sums of entries by plain arithmetic, norms, lists, files. */
import { Random, trainAdditiveCodebooks } from "lowbit/quantize";
import { describe, expect, it } from "vitest";
import { Index, loadIndex, parseSpec, recall, saveIndex } from "../src/index.ts";
import { clustered, likeness, nearest, rowOf } from "./vectors.ts";

const d = 32;
const base = clustered(1200, d, 3);
const queries = clustered(15, d, 3);

describe.each(["RQ4x8", "LSQ4x8", "RQ8x4fs", "LSQ7x4fs"])("%s", (spec) => {
  it.each(["ip", "cosine", "l2"] as const)("by %s scores the sums that reconstruct gives", async (metric) => {
    using index = await Index.build(base, spec, { metric });
    const query = rowOf(queries, 2);
    const hits = index.search(query, 1200);
    expect(hits.length).toBe(1200);
    for (const { id, score } of [hits[0]!, hits[5]!, hits[700]!]) {
      const sum = index.reconstruct(id);
      const { norms, stretch } = index.state.learned;
      const product = likeness("ip", query, sum);
      // Of a cosine, what a sum is too short by counts 1 / (2 s).
      const part = stretch ? 1 / (2 * stretch[0]!) : 1;
      const exact = {
        ip: product,
        cosine: product / Math.sqrt(likeness("ip", query, query)) + part * (1 - likeness("ip", sum, sum)),
        l2: -likeness("l2", query, sum),
      }[metric];
      // Norms are bytes: half a step of them.
      const step = part * (norms?.[1] ?? 0);
      expect(Math.abs(score - exact)).toBeLessThanOrEqual(0.51 * step + 1e-4);
    }
  });

  it("is what it was after a file, and in lists", async () => {
    using index = await Index.build(base, `IVF4,${spec}`, { metric: "l2" });
    using again = await loadIndex(saveIndex(index));
    expect(again.searchAll(queries, 10)).toEqual(index.searchAll(queries, 10));
    const [hit] = index.search(rowOf(queries, 0), 1, { nprobe: 4 });
    const exact = -likeness("l2", rowOf(queries, 0), index.reconstruct(hit!.id));
    expect(Math.abs(hit!.score - exact)).toBeLessThanOrEqual(0.51 * index.state.learned.norms![1]! + 1e-4);
    await again.add({ shape: [1, d], data: rowOf(base, 7) });
    expect(again.has(1200)).toBe(true);
  });
});

it("all codebooks learned together lose less than one after the other, and both less with more of them", async () => {
  // Without structure, the first sum that is found is rarely the best.
  const random = new Random(3);
  const noise = { shape: [600, 16], data: Float32Array.from({ length: 9600 }, () => random.uniform() - 0.5) };
  const error = async (codebooks: number, sweeps: number) =>
    (await trainAdditiveCodebooks(noise, { codebooks, centroids: 16, sweeps, beam: 8 })).error;
  const [two, four] = [await error(2, 0), await error(4, 0)];
  expect(four).toBeLessThan(two);
  expect(await error(4, 4)).toBeLessThan(four);
  await expect(trainAdditiveCodebooks(base, { codebooks: 65 })).rejects.toThrow(/codebooks/);
  await expect(trainAdditiveCodebooks(base, { codebooks: 2, centroids: 17 as 16 })).rejects.toThrow(/16 or 256.*17/);
  await expect(trainAdditiveCodebooks({ shape: [2, 3], data: new Float32Array(5) }, { codebooks: 2 })).rejects.toThrow(
    /vectors/,
  );
});

it("sums of codebooks that are known are found again", async () => {
  // Entries far apart from codebook to codebook: the best sum is the one that was drawn.
  const random = new Random(5);
  const entries = Array.from({ length: 2 }, (_, m) =>
    Array.from({ length: 16 }, () =>
      Float32Array.from({ length: 8 }, () => (m === 0 ? 100 : 1) * (random.uniform() - 0.5)),
    ),
  );
  const data = new Float32Array(400 * 8);
  for (let i = 0; i < 400; i++) {
    const [a, b] = [entries[0]![random.below(16)]!, entries[1]![random.below(16)]!];
    for (let j = 0; j < 8; j++) data[8 * i + j] = a[j]! + b[j]!;
  }
  using index = await Index.build({ shape: [400, 8], data }, "RQ2x4fs", { metric: "l2" });
  let most = 0;
  for (let i = 0; i < 400; i += 7)
    most = Math.max(most, -likeness("l2", index.reconstruct(i), data.subarray(8 * i, 8 * i + 8)));
  expect(most).toBeLessThan(1);
});

it("finds more with more codebooks", async () => {
  const truth = nearest(base, queries, 10, "l2");
  const found: number[] = [];
  for (const spec of ["RQ1x8", "RQ4x8", "RQ8x8"]) {
    using index = await Index.build(base, spec, { metric: "l2" });
    found.push(recall(index, queries, truth));
  }
  expect(found[0]!).toBeLessThan(found[1]!);
  expect(found[1]!).toBeLessThan(found[2]!);
});

it.each(["RQ17x8", "RQ65x4fs", "LSQ0x8", "HNSW8,RQ4x8", "PQ8x8_A1", "PQ8x8_A0.0", "PQ8x8_A0.123"])(
  "%s is no spec",
  (spec) => {
    expect(() => parseSpec(spec)).toThrow(/index spec/);
  },
);
