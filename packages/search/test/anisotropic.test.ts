/** Score-aware product quantization: its loss by the formula of the paper, and what it does to inner products. */
import { describe, expect, it } from "vitest";
import { etaOf } from "../src/anisotropic.ts";
import { Index, loadIndex, parseSpec, saveIndex, type Vectors } from "../src/index.ts";
import { clustered, likeness, rowOf } from "./vectors.ts";

const d = 32;
const base = clustered(1500, d, 4);

/** h∥ |r∥|² + h⊥ |r⊥|² with h⊥ = 1, r∥ the part of r along x (Guo et al. 2020, theorem 3.2). */
function lossOf(index: Index, vectors: Vectors, eta: number): number {
  let sum = 0;
  for (let i = 0; i < vectors.shape[0]!; i++) {
    const x = rowOf(vectors, i);
    const y = index.reconstruct(i);
    const r = x.map((x, j) => x - y[j]!);
    const along = likeness("ip", r, x) / likeness("ip", x, x);
    const parallel = x.map((x) => along * x);
    const across = r.map((r, j) => r - parallel[j]!);
    sum += eta * likeness("ip", parallel, parallel) + likeness("ip", across, across);
  }
  return sum;
}

describe.each(["PQ8x8", "PQ16x4fs", "IVF4,PQ8x8"])("%s", (spec) => {
  it("loses less by that loss, and more by plain distance", async () => {
    const eta = etaOf(0.4, d);
    expect(eta).toBeCloseTo((31 * 0.16) / 0.84, 12);
    using plain = await Index.build(base, spec, { metric: "ip" });
    using aware = await Index.build(base, `${spec}_A0.4`, { metric: "ip" });
    expect(lossOf(aware, base, eta)).toBeLessThan(0.9 * lossOf(plain, base, eta));
    expect(lossOf(aware, base, 1)).toBeGreaterThan(lossOf(plain, base, 1));
    expect(aware.bytesPerVector).toBe(plain.bytesPerVector);
    using again = await loadIndex(saveIndex(aware));
    expect(again.spec).toBe(`${spec}_A0.4`);
    expect(saveIndex(again)).toEqual(saveIndex(aware));
  });
});

it("a threshold is two digits below 1; where directions count no more than others, codes are plain", () => {
  expect(parseSpec("PQ8x8_A0.25").codes).toEqual({ kind: "pq", subspaces: 8, bits: 8, threshold: 0.25 });
  expect(etaOf(0.01, d)).toBe(1);
});
