/**
 * The ten best of a million codes for a query, out of memory: product-quantized ones by tables of distances (8 bits a code, and 4 bits by fast scan),
 * and signs by the number of bits that differ. Shapes are queries x codes x parts of a code: subspaces, or bits.
 */
import {
  binaryRowBytes,
  hammingScan,
  type KernelInstance,
  packPqBlocks,
  pqBlockBytes,
  pqFastScan,
  pqScan,
  TopK,
} from "lowbit/kernels";
import type { Case, Family, Tensors } from "../case.ts";
import type { Prepared } from "../engine.ts";
import type { Scan } from "../task.ts";
import { draw, type TypedArray } from "../values.ts";
import { seedOf } from "./product.ts";

const TOP = 10;
/** Centroids of a subspace. */
const centroids = { pq8: 256, pq4: 16, hamming: 0 } as const;
/** Bits of a part of a code as they lie in memory. */
const bitsOf = { pq8: 8, pq4: 4, hamming: 1 } as const;

function scanCases(family: string, codes: Scan["codes"], shapes: readonly string[]): (Case & { task: Scan })[] {
  return shapes.map((entry) => {
    const shape = entry.replace("!", "");
    const [queries = 0, rows = 0, parts = 0] = shape.split("x").map(Number);
    const id = `${family}/${shape}`;
    return {
      ...{ id, family, shape, seed: seedOf(id), checksum: undefined, quick: entry.endsWith("!") },
      task: { op: "scan", codes, queries, rows, parts, top: TOP },
      work: { amount: queries * rows * parts, unit: codes === "hamming" ? "bit" : "code" },
      // Queries of a batch share the reading.
      coldBytes: (rows * parts * bitsOf[codes]) / 8,
    };
  });
}

const taskOf = ({ id, task }: Case): Scan => {
  if (task.op !== "scan") throw new Error(`${id}: not a scan`);
  return task;
};

function tensors(of: Case): Tensors {
  const { codes, queries, rows, parts } = taskOf(of);
  if (codes === "hamming") {
    const bytes = binaryRowBytes(parts);
    return { codes: draw("uint8", rows * bytes, of.seed, 0), queries: draw("uint8", queries * bytes, of.seed, 1) };
  }
  const drawn = draw(codes === "pq8" ? "uint8" : "int4", rows * parts, of.seed, 0);
  const values = new Uint8Array(drawn.buffer);
  if (codes === "pq4") for (let i = 0; i < values.length; i++) values[i]! += 8;
  return { codes: values, tables: draw("f32", queries * parts * centroids[codes], of.seed, 1) };
}

/** Scores of codes: smaller is better. PQ: four entries from left to right, each four added to the sum of those before, every addition rounded. */
function sums(of: Case, { codes, tables, queries }: Tensors, positions?: readonly number[]): Float64Array {
  const { codes: kind, rows, parts, queries: count } = taskOf(of);
  const score =
    kind === "hamming"
      ? hammingScores(codes as Uint8Array, queries as Uint8Array, parts)
      : pqScores(codes as Uint8Array, tables as Float32Array, parts, centroids[kind]);
  const y = new Float64Array(positions?.length ?? count * rows);
  for (let i = 0; i < y.length; i++) {
    const position = positions?.[i] ?? i;
    y[i] = score(Math.floor(position / rows), position % rows);
  }
  return y;
}

const pqScores = (codes: Uint8Array, tables: Float32Array, parts: number, entries: number) => {
  const at = (query: number, row: number, part: number) =>
    tables[(query * parts + part) * entries + codes[row * parts + part]!]!;
  return (query: number, row: number): number => {
    let sum = 0;
    for (let part = 0; part < parts; part += 4) {
      let four = at(query, row, part);
      for (let i = part + 1; i < Math.min(part + 4, parts); i++) four = Math.fround(four + at(query, row, i));
      sum = Math.fround(sum + four);
    }
    return sum;
  };
};

const hammingScores = (codes: Uint8Array, queries: Uint8Array, bits: number) => {
  const bytes = binaryRowBytes(bits);
  const ones = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);
  return (query: number, row: number): number => {
    let sum = 0;
    for (let i = 0; i < bytes; i++) sum += ones[codes[row * bytes + i]! ^ queries[query * bytes + i]!]!;
    return sum;
  };
};

/** Ids of the best, best first, ties to the lowest: int32 [queries, top]. */
function result(of: Case, _: Tensors, scores: Float64Array): Int32Array {
  const { queries, rows, top } = taskOf(of);
  const ids = new Int32Array(queries * top);
  for (let query = 0; query < queries; query++) {
    const of = scores.subarray(query * rows, (query + 1) * rows);
    const best: number[] = [];
    for (let row = 0; row < rows; row++) {
      if (best.length === top && of[row]! >= of[best[top - 1]!]!) continue;
      let place = best.length;
      while (place > 0 && of[best[place - 1]!]! > of[row]!) place--;
      best.splice(place, 0, row);
      if (best.length > top) best.pop();
    }
    ids.set(best, query * top);
  }
  return ids;
}

/** Codes in memory once, tables or queries beside them; what a run does, and what it leaves. */
function prepare(instance: KernelInstance, task: Scan, { codes, tables, queries }: Tensors): Prepared {
  const { codes: kind, rows: n, parts, queries: count, top: k } = task;
  const top = new TopK(instance, { k, queries: count });
  const owned: [pointer: number, bytes: number][] = [];
  const upload = (data: TypedArray) => {
    owned.push([instance.upload(data), data.byteLength]);
    return owned.at(-1)![0];
  };
  let run: () => void;
  if (kind === "hamming") {
    const [pointer, query] = [upload(codes as TypedArray), upload(queries as TypedArray)];
    run = () => hammingScan(instance, { codes: pointer, n, bits: parts }, query, top);
  } else if (kind === "pq8") {
    const [pointer, table] = [upload(codes as TypedArray), upload(tables as TypedArray)];
    run = () => pqScan(instance, { codes: pointer, n, subspaces: parts, tables: table, top });
  } else {
    const table = upload(tables as TypedArray);
    const packed = halves(codes as Uint8Array, parts);
    const [staged, bytes] = [instance.upload(packed), pqBlockBytes(n, parts)];
    const blocks = instance.alloc(bytes);
    owned.push([blocks, bytes]);
    packPqBlocks(instance, staged, n, parts, blocks);
    instance.free(staged, packed.byteLength);
    run = () => pqFastScan(instance, { blocks, n, subspaces: parts, tables: table, top });
  }
  let ids = new Uint32Array(0);
  return {
    run() {
      run();
      ids = (kind === "hamming" ? top.finishI32() : top.finishF32()).ids;
    },
    answer: () => ({ kind: "exact", data: new Int32Array(ids.buffer) }),
    dispose() {
      top.dispose();
      for (const [pointer, bytes] of owned) instance.free(pointer, bytes);
    },
  };
}

/** Code m of a row in the low (m even) or high half of byte m / 2. */
function halves(codes: Uint8Array, parts: number): Uint8Array {
  const bytes = Math.ceil(parts / 2);
  const packed = new Uint8Array((codes.length / parts) * bytes);
  for (let i = 0; i < codes.length; i++) {
    const [row, part] = [Math.floor(i / parts), i % parts];
    packed[row * bytes + (part >> 1)]! |= codes[i]! << (4 * (part & 1));
  }
  return packed;
}

const scanFamily = (title: string, cases: readonly Case[]): Family => ({
  ...{ name: cases[0]!.family, title, cases, tensors, sums, result },
  outputs: (of) => taskOf(of).queries * taskOf(of).rows,
  kernel: async ({ search }, of, given) => prepare(await search(), taskOf(of), given),
});

export const pqScans = scanFamily(
  "PQ scan, 8 bits a code, top 10",
  scanCases("pq_scan", "pq8", ["1x1000000x16!", "1x1000000x32", "1x1000000x48"]),
);
export const pqFastScans = scanFamily(
  "PQ fast scan, 4 bits a code, top 10",
  scanCases("pq_fast_scan", "pq4", ["1x1000000x16", "1x1000000x32!", "1x1000000x64", "16x1000000x32"]),
);
export const hammingScans = scanFamily(
  "Hamming scan, top 10",
  scanCases("hamming", "hamming", ["1x1000000x384!", "1x1000000x1024"]),
);
