/** The codes of an index: one list in the order of adding, or the lists of an inverted file, and what candidates are scored again with. */
import { assignVectors, type HnswNodes, type KernelInstance, subtractCentroids, type VectorRows } from "lowbit/kernels";
import type { Bits } from "./bits.ts";
import { Block } from "./block.ts";
import { bytesPerVector, type CodeList, type Coder, type Query, type Run } from "./coders/coder.ts";
import type { FlatCoder } from "./coders/flat.ts";
import { makeCoder, makeRescorer } from "./coders/make.ts";
import { Graph } from "./graph.ts";
import { stretchOf } from "./metric.ts";
import type { IndexSpec } from "./spec.ts";
import type { Learned } from "./train.ts";

/** An array of codes: its name in files, its list, where it lies, and its bytes for n vectors. */
export interface IndexPart {
  readonly name: string;
  readonly list: number;
  readonly block: Block;
  readonly of: CodeList;
  readonly bytes: (n: number) => number;
}

export interface StoreSetting {
  readonly instance: KernelInstance;
  readonly spec: IndexSpec;
  /** Coordinates that are kept. */
  readonly dimension: number;
  readonly metric: "l2" | "ip";
  /** Of codes; what is scored again is scored by `metric`. */
  readonly codeMetric: "l2" | "ip";
  readonly learned: Learned;
  /** Of a graph. */
  readonly efConstruction: number;
}

export class Store implements Disposable {
  readonly coder: Coder;
  readonly rescorer: FlatCoder | undefined;
  readonly lists: readonly CodeList[];
  /** Numbers of the vectors of each list; absent where there is one list, in their order. */
  readonly numbers: readonly Block[] | undefined;
  /** What is scored again, in the order of numbers. */
  readonly exact: CodeList | undefined;
  readonly graph: Graph | undefined;
  /** Pointer to the centroids of lists. */
  readonly centroids: number;
  readonly #setting: StoreSetting;

  constructor(setting: StoreSetting) {
    const { instance, spec, learned, codeMetric } = setting;
    this.#setting = setting;
    this.coder = makeCoder(spec, { ...setting, metric: codeMetric }, learned);
    this.rescorer = makeRescorer(spec, setting);
    this.lists = Array.from({ length: spec.lists ?? 1 }, () => this.#emptyList(this.coder));
    this.numbers = spec.lists ? this.lists.map(() => new Block(instance)) : undefined;
    this.exact = this.rescorer && this.#emptyList(this.rescorer);
    this.graph = spec.links ? new Graph(instance, spec.links, setting.efConstruction) : undefined;
    this.centroids = learned.centroids ? instance.upload(learned.centroids) : 0;
  }

  /** Length of queries where codes are scanned by distance for a cosine. */
  get stretch(): number | undefined {
    return stretchOf(this.#setting.learned);
  }

  /** Bytes of a vector: codes, its number in a list or its links, and what is scored again. */
  get bytesPerVector(): number {
    const exact = this.rescorer ? bytesPerVector(this.rescorer) : 0;
    return bytesPerVector(this.coder) + exact + (this.numbers ? 4 : 0) + (this.graph?.bytesPerVector ?? 0);
  }

  /** Every array of codes, list after list. */
  parts(): IndexPart[] {
    const of = (prefix: string, coder: Coder, list: CodeList, i: number): IndexPart[] =>
      Object.entries(coder.blocks).map(([name, bytes]) => ({
        name: prefix + name,
        list: i,
        block: list.blocks[name]!,
        of: list,
        bytes,
      }));
    const numbers = (of: CodeList, list: number): IndexPart[] =>
      this.numbers ? [{ name: "numbers", list, block: this.numbers[list]!, of, bytes: (n) => 4 * n }] : [];
    const lists = this.lists.flatMap((list, i) => [...of("", this.coder, list, i), ...numbers(list, i)]);
    const graph = this.graph?.blocks.map((block) => ({ ...block, list: 0, of: this.lists[0]! })) ?? [];
    return [...lists, ...graph, ...(this.exact ? of("exact.", this.rescorer!, this.exact, 0) : [])];
  }

  /** Encodes prepared rows as vectors `first`, `first + 1` ...; may write over them. */
  append(rows: VectorRows, first: number): void {
    // The plain rows first: coders of residuals write over them.
    this.rescorer?.append(this.exact!, rows);
    if (this.numbers) this.#appendToLists(rows, first);
    else if (this.graph) this.#appendToGraph(this.graph, rows);
    else this.coder.append(this.lists[0]!, rows, undefined);
  }

  #appendToGraph(graph: Graph, rows: VectorRows): void {
    const { instance } = this.#setting;
    const bytes = 4 * rows.n * rows.dimension;
    const vectors = instance.alloc(bytes);
    try {
      instance.u8(vectors, bytes).set(instance.u8(rows.x, bytes));
      this.coder.append(this.lists[0]!, rows, undefined);
      graph.append(this.nodes, vectors);
    } finally {
      if (!instance.ended) instance.free(vectors, bytes);
    }
  }

  /** Codes as a graph's kernels read them. */
  get nodes(): HnswNodes {
    const { dimension, codeMetric: metric } = this.#setting;
    const list = this.lists[0]!;
    return { codes: this.coder.nodes!(list), n: list.n, dimension, metric };
  }

  /** Takes the codes of the vectors of `from` that are `live`, which was made with what this one learned, as vectors `first`, `first + 1` ... in their order. */
  copy(from: Store, live: Bits, count: number, first: number): void {
    const runs = runsOf(count, (i) => live.has(i));
    this.rescorer?.copy(this.exact!, from.exact!, runs);
    if (!this.numbers) {
      this.coder.copy(this.lists[0]!, from.lists[0]!, runs);
      this.graph?.append(this.nodes, undefined);
      return;
    }
    const renamed = new Uint32Array(count);
    let next = first;
    for (const [start, end] of runs) for (let i = start; i < end; i++) renamed[i] = next++;
    for (const [list, to] of this.lists.entries()) {
      const source = from.lists[list]!;
      const numbers = from.numbersOf(list);
      const kept = runsOf(source.n, (i) => live.has(numbers[i]!));
      const names = numbers.filter((number) => live.has(number)).map((number) => renamed[number]!);
      this.coder.copy(to, source, kept);
      this.numbers[list]!.append(new Uint8Array(names.buffer));
    }
  }

  /** Of a list. */
  readonly centroidOf = (list: number): Query => {
    const { learned, dimension } = this.#setting;
    const values = learned.centroids!.subarray(list * dimension, (list + 1) * dimension);
    return { pointer: this.centroids + 4 * dimension * list, count: 1, values };
  };

  /** Numbers of the vectors of a list. */
  numbersOf(list: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.numbers![list]!.view().slice().buffer);
  }

  /** What is stored of vector `number`, as it was prepared. */
  decode(number: number): Float32Array {
    if (this.rescorer) return this.rescorer.decode(this.exact!, number);
    if (!this.numbers) return this.coder.decode(this.lists[0]!, number);
    const { instance } = this.#setting;
    for (const [list, block] of this.numbers.entries()) {
      const position = instance.u32(block.pointer, block.bytes / 4).indexOf(number);
      if (position < 0) continue;
      const vector = this.coder.decode(this.lists[list]!, position);
      const { values: centroid } = this.centroidOf(list);
      return this.coder.residual ? vector.map((x, j) => x + centroid[j]!) : vector;
    }
    throw new RangeError(`vector ${number} is in no list`);
  }

  /** Every block, of files and of memory alone. */
  blocks(): Block[] {
    return [...this.parts().map(({ block }) => block), ...this.lists.flatMap(({ derived }) => derived ?? [])];
  }

  [Symbol.dispose](): void {
    for (const block of this.blocks()) block.dispose();
    this.coder[Symbol.dispose]();
    const { instance, learned } = this.#setting;
    if (this.centroids && !instance.ended) instance.free(this.centroids, learned.centroids!.byteLength);
  }

  #emptyList(coder: Coder): CodeList {
    const { instance } = this.#setting;
    const blocks = Object.fromEntries(Object.keys(coder.blocks).map((name) => [name, new Block(instance)]));
    return { n: 0, blocks, ...(coder.derives && { derived: new Block(instance) }) };
  }

  #appendToLists(rows: VectorRows, first: number): void {
    const { instance } = this.#setting;
    const { x, n, dimension } = rows;
    const lists = this.lists.length;
    const assigned = instance.alloc(4 * n);
    const gathered = instance.alloc(4 * n * dimension);
    try {
      assignVectors(instance, rows, this.centroids, lists, assigned);
      if (this.coder.residual) subtractCentroids(instance, rows, assigned, this.centroids, lists);
      const to = instance.u32(assigned, n).slice();
      const members = new Map<number, number[]>();
      for (const [i, list] of to.entries()) {
        const some = members.get(list);
        if (some) some.push(i);
        else members.set(list, [i]);
      }
      for (const [list, some] of members) {
        const bytes = 4 * dimension;
        // Anew for each list: appending may grow the memory.
        const all = new Uint8Array(instance.u8(0, 0).buffer);
        for (const [at, i] of some.entries()) all.copyWithin(gathered + at * bytes, x + i * bytes, x + (i + 1) * bytes);
        const centroid = this.coder.residual ? this.centroidOf(list) : undefined;
        this.coder.append(this.lists[list]!, { x: gathered, n: some.length, dimension }, centroid);
        this.numbers![list]!.append(new Uint8Array(Uint32Array.from(some, (i) => first + i).buffer));
      }
    } finally {
      if (!instance.ended) {
        instance.free(assigned, 4 * n);
        instance.free(gathered, 4 * n * dimension);
      }
    }
  }
}

/** Runs of positions that are kept. */
function runsOf(n: number, kept: (position: number) => boolean): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < n; i++) {
    if (!kept(i)) continue;
    const from = i;
    while (i < n && kept(i)) i++;
    runs.push([from, i]);
  }
  return runs;
}

/** Blocks one behind the other. */
export function joined(parts: readonly IndexPart[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { block }) => sum + block.bytes, 0));
  let at = 0;
  for (const { block } of parts) {
    bytes.set(block.view(), at);
    at += block.bytes;
  }
  return bytes;
}
