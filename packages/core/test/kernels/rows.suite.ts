/** Scans of plain rows and of RaBitQ codes against sorting all scores. */
import { expect, it } from "vitest";
import { flatRescore, flatScan } from "../../src/kernels/flat-scan.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { rabitqEncode, rabitqErrors, rabitqQueryBytes, rabitqRowBytes, rabitqScan } from "../../src/kernels/rabitq.ts";
import { staged } from "../../src/kernels/stage.ts";
import { noId, TopK } from "../../src/kernels/top-k.ts";
import { integers } from "./random.ts";

const { fround } = Math;

/** 16 chains and a tree, as crates/kernels/src/flat_scan has it. */
function chained(length: number, term: (j: number) => number): number {
  const chains = new Float32Array(16);
  for (let j = 0; j < length; j++) chains[j % 16]! += term(j);
  for (let width = 8; width >= 1; width /= 2) for (let l = 0; l < width; l++) chains[l]! += chains[l + width]!;
  return chains[0]!;
}

const order = (scores: number[]) => scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]! || a - b);

export function flatScans(kernels: () => KernelInstance): void {
  it.each([3, 16, 37, 64])("rows of %i floats and bytes, both metrics, bit for bit", (d) => {
    const n = 45;
    const next = integers(d);
    const x = Float32Array.from({ length: n * d }, () => next(-1000, 1000) / 777);
    const codes = Int8Array.from({ length: n * d }, () => next(-127, 127));
    const scales = Float32Array.from({ length: n }, () => next(1, 1000) / 7777);
    const query = Float32Array.from({ length: d }, () => next(-1000, 1000) / 555);
    const instance = kernels();
    staged(instance, (stage) => {
      const q = stage.upload(query);
      for (const bytes of [false, true])
        for (const metric of ["l2", "ip"] as const) {
          const scores = Array.from({ length: n }, (_, i) => {
            const at = (j: number) => (bytes ? fround(scales[i]! * codes[i * d + j]!) : x[i * d + j]!);
            if (metric === "l2")
              return chained(d, (j) => {
                const difference = fround(query[j]! - at(j));
                return fround(difference * difference);
              });
            const sum = chained(d, (j) => fround(query[j]! * (bytes ? codes[i * d + j]! : x[i * d + j]!)));
            return bytes ? -fround(scales[i]! * sum) : -sum;
          });
          const rows = { rows: stage.upload(bytes ? codes : x), scales: bytes ? stage.upload(scales) : undefined };
          using top = new TopK(instance, { k: 7 });
          flatScan(instance, { ...rows, n, dimension: d, metric }, q, top);
          const found = top.finishF32();
          expect([...found.ids]).toEqual(order(scores).slice(0, 7));
          expect([...found.scores]).toEqual([...found.ids].map((id) => fround(scores[id]! + 0)));
          const some = Uint32Array.of(40, noId, 3, 17);
          flatRescore(instance, { ...rows, n, dimension: d, metric }, q, some, top);
          const best = order(scores).filter((i) => some.includes(i));
          expect([...top.finishF32().ids].slice(0, 4)).toEqual([...best, noId]);
        }
    });
  });
}

export function rabitqScans(kernels: () => KernelInstance): void {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("%i bits: estimates are near, and nearer with more", (bits) => {
    const [n, d] = [60, 96];
    const next = integers(bits);
    const draw = () => (next(-500, 500) + next(-500, 500) + next(-500, 500)) / 1000;
    const x = Float32Array.from({ length: n * d }, draw);
    const query = Int8Array.from({ length: rabitqQueryBytes(d) }, (_, j) => (j < d ? next(-127, 127) : 0));
    const instance = kernels();
    staged(instance, (stage) => {
      const [codes, factors] = [stage.reserve(n * rabitqRowBytes(d, bits)), stage.reserve(8 * n)];
      rabitqEncode(instance, { x: stage.upload(x), n, dimension: d, bits }, codes, factors);
      using top = new TopK(instance, { k: n });
      const held = { codes, factors, n, dimension: d, bits };
      const asked = { codes: stage.upload(query), step: 0.01, base: 0 };
      rabitqScan(instance, { ...held, metric: "ip" }, asked, top);
      const { ids, scores } = top.finishF32();
      const stated = rabitqErrors(instance, held);
      const length = (of: ArrayLike<number>) => Math.sqrt(Array.from(of, (v) => v * v).reduce((a, b) => a + b, 0));
      const q = Float64Array.from(query.subarray(0, d), (code) => 0.01 * code);
      let squares = 0;
      for (const [rank, id] of ids.entries()) {
        const o = x.subarray(id * d, (id + 1) * d);
        const exact = o.reduce((sum, v, j) => sum + v * q[j]!, 0);
        squares += ((-scores[rank]! - exact) / length(o) / length(q) / stated[id]!) ** 2;
      }
      expect(Math.sqrt(squares / n)).toBeGreaterThan(0.7);
      expect(Math.sqrt(squares / n)).toBeLessThan(1.35);
    });
  });
}
