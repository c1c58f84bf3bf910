/** What can be wrong with what is given, by name; files that are damaged are in fuzz.test.ts, saves that are cut short in page.browser.test.ts and in the command line's tests. */
import { InputError, NotFiniteError, OutOfRangeError, ShapeError } from "lowbit";
import { describe, expect, it } from "vitest";
import { Index, loadIndex, saveIndex, type Vectors } from "../src/index.ts";
import { clustered, rowOf } from "./vectors.ts";

const [n, d] = [300, 16];
const base = clustered(n, d, 6);
const first = (count: number): Vectors => ({ shape: [count, d], data: base.data.slice(0, count * d) });
const rejected = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  );

describe.each(["Flat", "PQ4x8", "RQ2x4fs", "LSQ2x4fs", "RaBitQ2", "Binary,RSQ8", "IVF4,SQ8", "HNSW8,SQ8"])(
  "%s",
  (spec) => {
    it("NaN, infinity and numbers beyond f32's squares: in what is built, added and asked for", async () => {
      using index = await Index.build(base, spec);
      for (const [value, named] of [
        [Number.NaN, NotFiniteError],
        [Number.NEGATIVE_INFINITY, NotFiniteError],
        [3e18, OutOfRangeError],
      ] as const) {
        const bad = { shape: base.shape, data: base.data.slice() };
        bad.data[7 * d + 3] = value;
        expect(await rejected(Index.build(bad, spec))).toBeInstanceOf(named);
        const error = await rejected(index.add(bad));
        expect(error).toBeInstanceOf(named);
        expect(String(error)).toContain("vector 7");
        expect(index.size).toBe(n);
        expect(() => index.search(rowOf(bad, 7), 3)).toThrow(named);
      }
    });

    it("vectors of another length", async () => {
      using index = await Index.build(base, spec);
      const other = clustered(3, d + 1, 1);
      expect(await rejected(index.add(other))).toBeInstanceOf(ShapeError);
      expect(() => index.search(rowOf(other, 0), 1)).toThrow(ShapeError);
      expect(() => index.searchAll(other, 1)).toThrow(/\[n, 16\].*17/);
      expect(await rejected(Index.build({ shape: [2, d], data: base.data }, spec))).toBeInstanceOf(ShapeError);
      expect(await rejected(Index.build(other, spec, { like: index }))).toBeInstanceOf(ShapeError);
    });

    it("an index of no vectors finds none, is saved, and takes some", async () => {
      using index = await Index.build(base, spec);
      index.remove(Array.from({ length: n }, (_, i) => i));
      for (const compacted of [false, true]) {
        if (compacted) index.compact();
        expect(index.size).toBe(0);
        expect(index.search(rowOf(base, 0), 5)).toEqual([]);
        expect(index.rangeSearch(rowOf(base, 0), 1e9)).toEqual([]);
        using again = await loadIndex(saveIndex(index));
        expect(again.search(rowOf(base, 0), 5)).toEqual([]);
      }
      await index.add(first(2));
      expect(index.search(rowOf(base, 0), 5).length).toBe(2);
    });

    it("k above what there is, and k that is none", async () => {
      using index = await Index.build(base, spec);
      expect(index.search(rowOf(base, 0), 10_000, { nprobe: 4, efSearch: 400 }).length).toBe(n);
      for (const k of [0, -1, 1.5, Number.NaN, 2 ** 20 + 1])
        expect(() => index.search(rowOf(base, 0), k)).toThrow(OutOfRangeError);
    });

    it("an id twice in one call is refused; one that is there is replaced", async () => {
      using index = await Index.build(first(300), spec, { ids: Array.from({ length: 300 }, (_, i) => i) });
      expect(await rejected(index.add(first(2), { ids: [7, 7] }))).toBeInstanceOf(InputError);
      expect(index.size).toBe(300);
      await index.add(first(2), { ids: [7, 8] });
      expect(index.size).toBe(300);
      expect(await rejected(index.add(first(1), { ids: ["7"] }))).toBeInstanceOf(InputError);
      expect(await rejected(index.add(first(2), { ids: [9] }))).toBeInstanceOf(InputError);
    });
  },
);

it.each([
  ["PQ4x8", 256],
  ["PQ4x8_A0.2", 256],
  ["RQ2x8", 256],
  ["LSQ2x8", 256],
  ["PQ4x4fs", 16],
  ["RQ2x4fs", 16],
  ["OPQ4,PQ4x4fs", 16],
  ["IVF20,Flat", 20],
])("%s of fewer vectors than its %d centroids", async (spec, least) => {
  const error = await rejected(Index.build(first(least - 1), spec));
  expect(error).toBeInstanceOf(OutOfRangeError);
  expect(String(error)).toContain(String(least - 1));
  using index = await Index.build(first(least), spec);
  expect(index.size).toBe(least);
});
