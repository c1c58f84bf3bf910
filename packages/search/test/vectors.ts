/** Seeded vectors around centres, and their nearest by plain arithmetic. */
import { Random } from "lowbit/quantize";
import type { Metric, Vectors } from "../src/index.ts";

export function clustered(n: number, d: number, seed: number): Vectors {
  const random = new Random(seed);
  const draw = () => random.uniform() + random.uniform() + random.uniform() - 1.5;
  const centres = Array.from({ length: 20 }, () => Float32Array.from({ length: d }, draw));
  const data = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const centre = centres[random.below(centres.length)]!;
    for (let j = 0; j < d; j++) data[i * d + j] = centre[j]! + 0.5 * draw();
  }
  return { shape: [n, d], data };
}

/** Higher is nearer. */
export function likeness(metric: Metric, a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb, differ, l2] = [0, 0, 0, 0, 0];
  for (let j = 0; j < a.length; j++) {
    const [x, y] = [a[j]!, b[j]!];
    ab += x * y;
    aa += x * x;
    bb += y * y;
    differ += Number(x < 0 !== y < 0);
    l2 += (x - y) ** 2;
  }
  if (metric === "ip") return ab;
  if (metric === "cosine") return ab / Math.sqrt(aa * bb);
  return metric === "l2" ? -l2 : -differ;
}

export const rowOf = ({ shape, data }: Vectors, i: number): Float32Array =>
  data.subarray(i * shape[1]!, (i + 1) * shape[1]!);

/** Numbers of the k nearest of every query. */
export function nearest(
  base: Vectors,
  queries: Vectors,
  k: number,
  metric: Metric,
): { shape: number[]; data: number[] } {
  const data: number[] = [];
  for (let q = 0; q < queries.shape[0]!; q++) {
    const scores = Array.from({ length: base.shape[0]! }, (_, i) =>
      likeness(metric, rowOf(queries, q), rowOf(base, i)),
    );
    const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
    data.push(...order.slice(0, k));
  }
  return { shape: [queries.shape[0]!, k], data };
}
