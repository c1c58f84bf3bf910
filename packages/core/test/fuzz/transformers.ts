/** Attention, and rows of tables. */
import { Attention } from "../../src/kernels/attention.ts";
import { EmbeddingTable } from "../../src/kernels/embedding.ts";
import { packCodes } from "../kernels/random.ts";
import type { Draw } from "./draw.ts";
import { call, type Problem } from "./problem.ts";

/** Whole numbers, for which exponentials of dots stay far from overflow. */
const small = (draw: Draw, length: number) => Float32Array.from({ length }, () => draw.integer(-8, 8) / 4);

export function attention(draw: Draw): Problem {
  const [batch, queries, keys] = [draw.integer(1, 2), draw.integer(1, 70), draw.integer(1, 40)];
  const [kvHeads, shared, depth] = [draw.integer(1, 2), draw.integer(1, 3), draw.integer(1, 18)];
  const [heads, causal] = [kvHeads * shared, draw.integer(0, 1) === 1];
  const sizes = { batch, queries, keys, heads, kvHeads, depth, scale: 0.25, causal, mask: "int32" } as const;
  const [q, k, v] = [queries * heads, keys * kvHeads, keys * kvHeads].map((n) => small(draw, batch * n * depth)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const keep = Int32Array.from({ length: batch * keys }, () => draw.integer(0, 2));
  return {
    text: `attention ${JSON.stringify(sizes)}`,
    tolerance: 1e-4,
    run: (kernels) =>
      call(kernels, [q, k, v, keep], "f32", q.length, (y, qs, ks, vs, mask) => {
        using object = new Attention(kernels, sizes);
        object.run(qs!, ks!, vs!, mask!, keep.length, y);
      }),
    expected: () =>
      Float64Array.from(q, (_, i) => {
        const [c, h] = [i % depth, Math.floor(i / depth) % heads];
        const row = Math.floor(i / (depth * heads));
        const [s, b] = [row % queries, Math.floor(row / queries)];
        const at = (t: number, d: number) => ((b * keys + t) * kvHeads + Math.floor(h / shared)) * depth + d;
        const exps = Array.from({ length: keys }, (_, t) => {
          if (keep[b * keys + t] === 0 || (causal && t > s + keys - queries)) return 0;
          let dot = 0;
          for (let d = 0; d < depth; d++) dot += q[(row * heads + h) * depth + d]! * k[at(t, d)]!;
          return Math.exp(dot / 4);
        });
        const total = exps.reduce((a, e) => a + e, 0) || 1;
        return exps.reduce((a, e, t) => a + e * v[at(t, c)]!, 0) / total;
      }),
  };
}

export function embedding(draw: Draw): Problem {
  const [n, k, bits] = [draw.integer(1, 30), draw.integer(1, 40), draw.integer(1, 8)];
  const groupSize = draw.integer(1, k);
  const groups = Math.ceil(k / groupSize);
  const codes = Array.from({ length: n * k }, () => draw.integer(0, 2 ** bits - 1));
  const scale = Float32Array.from({ length: n * groups }, () => draw.integer(1, 999) / 777);
  const zeroPoint = draw.integer(0, 255);
  const ids = Int32Array.from({ length: draw.integer(1, 9) }, () => draw.integer(-n, n - 1));
  return {
    text: `embedding [${n}, ${k}] of ${bits} bits, groups of ${groupSize}, ids ${ids}`,
    run: (kernels) =>
      call(kernels, [ids], "f32", ids.length * k, (y, from) => {
        using table = new EmbeddingTable(kernels, {
          ...{ n, k, bits, zeroPoint, scale, groupSize },
          codes: packCodes(codes, k, bits),
        });
        table.run(from!, "int32", ids.length, y);
      }),
    expected: () =>
      Array.from({ length: ids.length * k }, (_, i) => {
        const [id, column] = [ids[Math.floor(i / k)]!, i % k];
        const row = id < 0 ? id + n : id;
        const cell = row * groups + Math.floor(column / groupSize);
        return Math.fround((codes[row * k + column]! - zeroPoint) * scale[cell]!);
      }),
  };
}
