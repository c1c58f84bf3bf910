/** Tables and scans of quantized vectors against sorting all scores. */
import { expect, it } from "vitest";
import { binaryRowBytes, hammingRange, hammingScan } from "../../src/kernels/hamming.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { PqTables, packPqBlocks, pqBlockBytes, pqFastScan, pqScan } from "../../src/kernels/pq.ts";
import { noId, type Selection, TopK } from "../../src/kernels/top-k.ts";
import { integers, packCodes } from "./random.ts";

const { fround } = Math;

/** Memory of one test: uploaded arrays and reserved blocks, freed together. */
class Memory implements Disposable {
  readonly #blocks: [number, number][] = [];
  readonly instance: KernelInstance;

  constructor(instance: KernelInstance) {
    this.instance = instance;
  }

  upload(data: ArrayBufferView): number {
    const pointer = this.instance.upload(data);
    this.#blocks.push([pointer, data.byteLength]);
    return pointer;
  }

  alloc(bytes: number): number {
    const pointer = this.instance.alloc(bytes);
    this.#blocks.push([pointer, bytes]);
    return pointer;
  }

  [Symbol.dispose](): void {
    for (const [pointer, bytes] of this.#blocks) this.instance.free(pointer, bytes);
  }
}

interface Candidate {
  readonly id: number;
  readonly score: number;
}

/** The first k, smallest score first, then lowest id; padded. */
function best(candidates: readonly Candidate[], k: number, empty: number): Candidate[] {
  const ranked = [...candidates].sort((a, b) => a.score - b.score || a.id - b.id).slice(0, k);
  while (ranked.length < k) ranked.push({ id: noId, score: empty });
  return ranked;
}

const pairs = ({ ids, scores }: { ids: Uint32Array; scores: ArrayLike<number> }): Candidate[] =>
  Array.from(ids, (id, i) => ({ id, score: scores[i]! }));

/** In the order of the kernels: four at a time, each four added to those before. */
function scoreOf(tables: ArrayLike<number>, offset: number, width: number, code: readonly number[]): number {
  let sum = 0;
  for (let m = 0; m < code.length; m += 4) {
    let four = 0;
    for (let i = m; i < Math.min(m + 4, code.length); i++) {
      const entry = tables[offset + i * width + code[i]!]!;
      four = i === m ? entry : fround(four + entry);
    }
    sum = m === 0 ? four : fround(sum + four);
  }
  return sum;
}

/** No selection; a first id and a filter; ids of their own and a filter. */
function selections(memory: Memory, n: number) {
  const next = integers(n);
  const bits = Uint32Array.from({ length: Math.ceil((3 * n) / 32) + 1 }, () => (next(0, 3) ? 0 : next(0, 2 ** 30)));
  const ids = Uint32Array.from({ length: n }, (_, i) => 3 * (n - i));
  const filter = { pointer: memory.upload(bits), words: bits.length };
  const passes = (id: number) => ((bits[id >> 5] ?? 0) >>> (id & 31)) & 1;
  const all: { selection: Selection; id: (i: number) => number; counts: (id: number) => unknown }[] = [
    { selection: {}, id: (i) => i, counts: () => true },
    { selection: { firstId: 40, filter }, id: (i) => 40 + i, counts: passes },
    { selection: { ids: memory.upload(ids), filter }, id: (i) => ids[i]!, counts: passes },
  ];
  return all;
}

export function pqTables(kernels: () => KernelInstance): void {
  it("squared distances and negated inner products, one chain over ascending coordinates", () => {
    using memory = new Memory(kernels());
    for (const [subspaces, centroids, dimension] of [
      [3, 16, 5],
      [2, 256, 8],
    ] as const) {
      const next = integers(subspaces * dimension);
      const floats = (length: number) => Float32Array.from({ length }, () => next(-1000, 1000) / 777);
      const codebooks = floats(subspaces * centroids * dimension);
      const queries = floats(2 * subspaces * dimension);
      using tables = new PqTables(kernels(), { subspaces, centroids, dimension, codebooks });
      const y = memory.alloc(2 * tables.tableBytes);
      for (const metric of ["l2", "ip"] as const) {
        tables.run(metric, memory.upload(queries), 2, y);
        const expected = Float32Array.from({ length: 2 * subspaces * centroids }, (_, i) => {
          const part = Math.floor(i / centroids);
          const centroid = ((part % subspaces) * centroids + (i % centroids)) * dimension;
          let sum = 0;
          for (let d = 0; d < dimension; d++) {
            const [q, c] = [queries[part * dimension + d]!, codebooks[centroid + d]!];
            const difference = fround(q - c);
            sum = fround(metric === "l2" ? sum + fround(difference * difference) : sum - fround(q * c));
          }
          return sum;
        });
        expect(kernels().f32(y, expected.length).slice()).toEqual(expected);
      }
    }
  });

  it("refuses a query with NaN, and codebooks of another size, by name", () => {
    using memory = new Memory(kernels());
    const codebooks = new Float32Array(32);
    using tables = new PqTables(kernels(), { subspaces: 1, centroids: 16, dimension: 2, codebooks });
    const query = memory.upload(Float32Array.of(0, Number.NaN));
    expect(() => tables.run("l2", query, 1, memory.alloc(64))).toThrow(/pq_tables: finite value at position.*got 1/);
    const make = (centroids: number) =>
      new PqTables(kernels(), { subspaces: 1, centroids: centroids as 16, dimension: 2, codebooks });
    expect(() => make(64)).toThrow(/pq_tables: codebook entries, expected 256, got 64/);
    expect(() => make(256)).toThrow(/pq_tables: codebook entries, expected 512, got 32/);
  });
}

/** Runs `scan` and compares with all scores of `codes` [n, M] in tables of `width`. */
function checkScan(
  kernels: KernelInstance,
  width: 16 | 256,
  scan: (
    memory: Memory,
    codes: readonly number[],
    subspaces: number,
  ) => (tables: number, top: TopK, s: Selection) => void,
): void {
  for (const subspaces of [1, 4, 7, 16, 33, 48, 64])
    for (const n of [0, 1, 31, 200]) {
      using memory = new Memory(kernels);
      const next = integers(100 * subspaces + n);
      const codes = Array.from({ length: n * subspaces }, () => next(0, width - 1));
      const run = scan(memory, codes, subspaces);
      for (const [queries, k, step] of [
        [1, 10, 1 / 1024],
        [5, 3, 1 / 1024],
        [1, 250, 1 / 2],
      ] as const) {
        const values = Array.from({ length: queries * subspaces * width }, () => fround(next(-2048, 2048) * step));
        const tables = memory.upload(Float32Array.from(values));
        using top = new TopK(kernels, { k, queries });
        for (const { selection, id, counts } of selections(memory, n)) {
          run(tables, top, selection);
          const expected = Array.from({ length: queries }, (_, q) => {
            const candidates = Array.from({ length: n }, (_, i) => ({
              id: id(i),
              score: scoreOf(values, q * subspaces * width, width, codes.slice(i * subspaces, (i + 1) * subspaces)),
            }));
            const those = candidates.filter((candidate) => counts(candidate.id));
            return best(those, k, Number.POSITIVE_INFINITY);
          });
          expect(pairs(top.finishF32()), `M = ${subspaces}, n = ${n}, k = ${k}`).toEqual(expected.flat());
        }
      }
    }
}

export function pqScans(kernels: () => KernelInstance): void {
  it("8-bit codes: the k smallest scores, ties to the lowest id, with ids and filters", () => {
    checkScan(kernels(), 256, (memory, values, subspaces) => {
      const n = values.length / subspaces;
      const codes = memory.upload(Uint8Array.from(values));
      return (tables, top, selection) => pqScan(kernels(), { codes, n, subspaces, tables, top, ...selection });
    });
  });

  it("refuses k of 0, NaN in tables, and codes of another length, by name", () => {
    using memory = new Memory(kernels());
    const [codes, tables] = [memory.alloc(16), memory.upload(new Float32Array(256).fill(Number.NaN))];
    using top = new TopK(kernels(), { k: 1 });
    using none = new TopK(kernels(), { k: 0 });
    const scan = (n: number, into: TopK) => () => pqScan(kernels(), { codes, n, subspaces: 1, tables, top: into });
    expect(scan(4, none)).toThrow(/top_k: best to keep \(k\), expected 1, got 0/);
    expect(scan(4, top)).toThrow(/pq_scan: finite value at position/);
    expect(scan(17, top)).toThrow(/pq_scan: length in elements \(pointer\), expected 16, got 17/);
  });
}

export function pqFastScans(kernels: () => KernelInstance): void {
  it("4-bit codes: what an exhaustive scan in f32 finds", () => {
    checkScan(kernels(), 16, (memory, values, subspaces) => {
      const n = values.length / subspaces;
      const codes = memory.upload(packCodes(values, subspaces, 4));
      const blocks = memory.alloc(pqBlockBytes(n, subspaces));
      packPqBlocks(kernels(), codes, n, subspaces, blocks);
      return (tables, top, selection) => pqFastScan(kernels(), { blocks, n, subspaces, tables, top, ...selection });
    });
  });

  it.each([64, 128, 256])("M = %i of the largest entries: sums that end at the limit of their bits", (subspaces) => {
    using memory = new Memory(kernels());
    const n = 70;
    const codes = Array.from({ length: n * subspaces }, () => 15);
    codes[66 * subspaces] = 14;
    const table = Float32Array.from({ length: subspaces * 16 }, (_, i) => ({ 15: 1000, 14: 999 })[i % 16] ?? 0);
    const blocks = memory.alloc(pqBlockBytes(n, subspaces));
    packPqBlocks(kernels(), memory.upload(packCodes(codes, subspaces, 4)), n, subspaces, blocks);
    using top = new TopK(kernels(), { k: 2 });
    pqFastScan(kernels(), { blocks, n, subspaces, tables: memory.upload(table), top });
    expect(pairs(top.finishF32())).toEqual([
      { id: 66, score: 1000 * subspaces - 1 },
      { id: 0, score: 1000 * subspaces },
    ]);
  });
}

export function hamming(kernels: () => KernelInstance): void {
  it("nearest codes and codes within a radius, with ids and filters", () => {
    for (const bits of [1, 32, 33, 64, 100, 384, 768, 1024])
      for (const n of [0, 1, 33, 300]) {
        using memory = new Memory(kernels());
        const words = binaryRowBytes(bits) / 4;
        const next = integers(bits * 1000 + n);
        const rows = (count: number) =>
          Array.from({ length: count }, () => Array.from({ length: bits }, () => next(0, 1)));
        const pack = (list: number[][]) => {
          const packed = new Uint32Array(list.length * words);
          for (const [r, row] of list.entries())
            for (const [i, bit] of row.entries()) packed[r * words + (i >> 5)]! |= bit << (i & 31);
          return memory.upload(packed);
        };
        const [data, queries] = [rows(n), rows(2)];
        const distance = (a: number[], b: number[]) => a.reduce((sum, bit, i) => sum + (bit ^ b[i]!), 0);
        const [codes, packedQueries] = [pack(data), pack(queries)];
        using top = new TopK(kernels(), { k: 7, queries: 2 });
        for (const { selection, id, counts } of selections(memory, n)) {
          const all = queries.map((query) =>
            data
              .map((row, i) => ({ id: id(i), score: distance(row, query) }))
              .filter((candidate) => counts(candidate.id)),
          );
          const list = { codes, n, bits, ...selection };
          hammingScan(kernels(), list, packedQueries, top);
          const expected = all.flatMap((candidates) => best(candidates, 7, 2 ** 31 - 1));
          expect(pairs(top.finishI32()), `${bits} bits, n = ${n}`).toEqual(expected);
          const radius = Math.min(expected[3]!.score, bits);
          const within = all[0]!.filter(({ score }) => score <= radius);
          expect(pairs(hammingRange(kernels(), list, packedQueries, radius))).toEqual(within);
        }
      }
  });

  it("2^20 bits that all differ; more within a radius than there is room for at first", () => {
    using memory = new Memory(kernels());
    const [zeros, ones] = [memory.alloc(2 ** 17), memory.upload(new Uint8Array(2 ** 17).fill(255))];
    const found = hammingRange(kernels(), { codes: zeros, n: 1, bits: 2 ** 20 }, ones, 2 ** 20);
    expect(pairs(found)).toEqual([{ id: 0, score: 2 ** 20 }]);
    const many = hammingRange(kernels(), { codes: zeros, n: 3000, bits: 32 }, zeros, 0);
    expect(many.ids).toEqual(Uint32Array.from({ length: 3000 }, (_, i) => i));
  });
}
