/** Graphs over floats and bytes: where all nodes are kept on the way, what is found is what sorting finds. */
import { expect, it } from "vitest";
import { checkHnsw, drawHnswLevels, type HnswCodes, insertHnsw, searchHnsw } from "../../src/kernels/hnsw.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { staged } from "../../src/kernels/stage.ts";
import { TopK } from "../../src/kernels/top-k.ts";
import { integers } from "./random.ts";

const [n, d, links] = [200, 8, 4];

export function hnsw(kernels: () => KernelInstance): void {
  it.each(["l2", "ip"] as const)("finds what sorting finds by %s, and is refused where it is no graph", (metric) => {
    const next = integers(3);
    const x = Float32Array.from({ length: n * d }, () => next(-20, 20));
    const query = Float32Array.from({ length: d }, () => next(-20, 20));
    const of = (i: number) => x.subarray(i * d, (i + 1) * d);
    const score = (i: number) =>
      of(i).reduce((sum, v, j) => sum + (metric === "l2" ? (v - query[j]!) ** 2 : -v * query[j]!), 0);
    const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => score(a) - score(b) || a - b);
    const instance = kernels();
    staged(instance, (stage) => {
      const rows = stage.upload(x);
      const bytes = stage.upload(Int8Array.from(x));
      const ways: HnswCodes[] = [
        { kind: "floats", rows },
        { kind: "bytes", rows: bytes, scales: stage.upload(new Float32Array(n).fill(1)) },
      ];
      for (const codes of ways) {
        const places = stage.upload(new Uint32Array(n + 1));
        const upperRows = drawHnswLevels(instance, { seed: 1, links, first: 0, n }, places);
        expect(upperRows).toBeGreaterThan(n / 8);
        const base = stage.reserve(8 * links * n);
        const upper = stage.reserve(4 * links * upperRows);
        const graph = { links, n, places, base, upper, rows: upperRows, entry: 0 };
        const nodes = { codes, n, dimension: d, metric };
        const entry = insertHnsw(instance, graph, nodes, { first: 0, vectors: rows, breadth: 32 });
        checkHnsw(instance, { ...graph, entry });
        using top = new TopK(instance, { k: 10 });
        const odd = stage.upload(new Uint32Array(Math.ceil(n / 32)).fill(0xaaaa_aaaa));
        const asked = { queries: stage.upload(query), breadth: n };
        for (const filter of [undefined, { pointer: odd, words: Math.ceil(n / 32) }]) {
          searchHnsw(instance, { ...graph, entry }, nodes, { ...asked, filter }, top);
          const expected = order.filter((i) => !filter || i % 2 === 1).slice(0, 10);
          const { ids, scores } = top.finishF32();
          expect([...ids]).toEqual(expected);
          expect([...scores]).toEqual(expected.map(score));
        }
        instance.u32(base, 1)[0] = n;
        expect(() => checkHnsw(instance, { ...graph, entry })).toThrow(/hnsw: ids/);
        expect(() => searchHnsw(instance, { ...graph, entry: n }, nodes, asked, top)).toThrow(/hnsw: ids/);
        expect(() => insertHnsw(instance, graph, nodes, { first: 0, breadth: 0 })).toThrow(/breadth/);
      }
    });
  });
}
