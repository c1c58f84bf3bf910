/** The scans find what faiss found: scripts/make-search-golden.py wrote the file, and says how. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledWasm } from "../src/bundled.ts";
import { binaryRowBytes, hammingRange, hammingScan } from "../src/kernels/hamming.ts";
import type { KernelInstance } from "../src/kernels/instance.ts";
import { loadKernels } from "../src/kernels/load.ts";
import { PqTables, packPqBlocks, pqBlockBytes, pqFastScan, pqScan } from "../src/kernels/pq.ts";
import { availableTiers } from "../src/kernels/tiers.ts";
import { TopK } from "../src/kernels/top-k.ts";
import golden from "./golden/faiss.json" with { type: "json" };
import { integers, packCodes } from "./kernels/random.ts";

describe.each(availableTiers())("%s", (tier) => {
  let kernels: KernelInstance;
  beforeAll(async () => {
    kernels = await loadKernels({ tier, part: "search", wasm: bundledWasm });
  });
  afterAll(() => kernels.dispose());

  it.each(golden.pq)("PQ of $subspaces codes of $bits bits, $metric", (recorded) => {
    const { bits, subspaces, dimension, metric, seed, n, queries, k } = recorded;
    const centroids = bits === 8 ? 256 : 16;
    const next = integers(seed);
    const draw = (length: number, low: number, high: number) => Array.from({ length }, () => next(low, high));
    const codebooks = Float32Array.from(draw(subspaces * centroids * dimension, -60, 60));
    const codes = draw(n * subspaces, 0, centroids - 1);
    const x = kernels.upload(Float32Array.from(draw(queries * subspaces * dimension, -60, 60)));
    using tables = new PqTables(kernels, { subspaces, centroids, dimension, codebooks });
    const y = kernels.alloc(queries * tables.tableBytes);
    tables.run(metric as "l2" | "ip", x, queries, y);
    using top = new TopK(kernels, { k, queries });
    if (bits === 8) {
      pqScan(kernels, { codes: kernels.upload(Uint8Array.from(codes)), n, subspaces, tables: y, top });
    } else {
      const blocks = kernels.alloc(pqBlockBytes(n, subspaces));
      packPqBlocks(kernels, kernels.upload(packCodes(codes, subspaces, 4)), n, subspaces, blocks);
      pqFastScan(kernels, { blocks, n, subspaces, tables: y, top });
    }
    const { ids, scores } = top.finishF32();
    expect([...scores]).toEqual(recorded.scores);
    expect([...ids]).toEqual(recorded.ids);
  });

  it.each(golden.hamming)(
    "binary codes of $bits bits",
    ({ bits, seed, n, queries, radius, ids, distances, within }) => {
      const next = integers(seed);
      const rows = (count: number) => {
        expect(binaryRowBytes(bits)).toBe(bits / 8);
        return kernels.upload(Uint8Array.from({ length: (count * bits) / 8 }, () => next(0, 255)));
      };
      const codes = { codes: rows(n), n, bits };
      const x = rows(queries);
      using top = new TopK(kernels, { k: 10, queries });
      hammingScan(kernels, codes, x, top);
      const best = top.finishI32();
      expect([...best.scores]).toEqual(distances);
      expect([...best.ids]).toEqual(ids);
      const near = hammingRange(kernels, codes, x, radius);
      expect([...near.ids].map((id, i) => [id, near.scores[i]])).toEqual(within);
    },
  );
});
