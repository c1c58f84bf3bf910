/** The graph of an index (HNSW): its rows in memory, their growth, and searches. */
import {
  checkHnsw,
  drawHnswLevels,
  type HnswGraph,
  type HnswNodes,
  insertHnsw,
  type KernelInstance,
  type Selection,
  searchHnsw,
  type TopK,
} from "lowbit/kernels";
import { Block } from "./block.ts";

/** Nodes that a search keeps on its way at most. */
export const MOST_BREADTH = 65_536;

/** Of levels, which are drawn by a vector's number: the same in every file that grows. */
const SEED = 0;

export class Graph implements Disposable {
  readonly #instance: KernelInstance;
  readonly #links: number;
  /** efConstruction */
  readonly #breadth: number;
  readonly #places: Block;
  readonly #base: Block;
  readonly #upper: Block;
  /** Where searches begin. */
  entry = 0;
  #n = 0;

  /** @param links M @param breadth efConstruction */
  constructor(instance: KernelInstance, links: number, breadth: number) {
    this.#instance = instance;
    this.#links = links;
    this.#breadth = breadth;
    this.#places = new Block(instance);
    this.#base = new Block(instance);
    this.#upper = new Block(instance);
  }

  /** Blocks by name, in the order in which their sizes follow from each other. */
  get blocks(): readonly { readonly name: string; readonly block: Block; readonly bytes: (n: number) => number }[] {
    return [
      { name: "graph.places", block: this.#places, bytes: (n) => (n === 0 ? 0 : 4 * (n + 1)) },
      { name: "graph.base", block: this.#base, bytes: (n) => 8 * this.#links * n },
      { name: "graph.upper", block: this.#upper, bytes: (n) => 4 * this.#links * this.#rows(n) },
    ];
  }

  /** Bytes of a vector in level 0, where all are. */
  get bytesPerVector(): number {
    return 4 + 8 * this.#links;
  }

  /**
   * Links the nodes behind those that are there.
   * @param vectors pointer to their f32 [new, D], before they were coded; absent: what codes stand for
   */
  append(nodes: HnswNodes, vectors: number | undefined): void {
    const { n } = nodes;
    const first = this.#n;
    if (n === first) return;
    const before = this.#rows(first);
    this.#places.extend(this.#places.bytes === 0 ? 4 * (n + 1) : 4 * (n - first));
    const draw = { seed: SEED, links: this.#links, first, n };
    const rows = drawHnswLevels(this.#instance, draw, this.#places.pointer);
    this.#base.extend(8 * this.#links * (n - first));
    this.#upper.extend(4 * this.#links * (rows - before));
    this.#n = n;
    this.entry = insertHnsw(this.#instance, this.#view(), nodes, { first, vectors, breadth: this.#breadth });
  }

  /** Takes the nearest that are reached into `top`; `breadth` is efSearch. */
  search(nodes: HnswNodes, query: number, breadth: number, filter: Selection["filter"], top: TopK): void {
    searchHnsw(this.#instance, this.#view(), nodes, { queries: query, breadth, filter }, top);
  }

  /** Whether breadth must be so large for what a filter lets through, `allowed` of n, that a scan of them costs less; else that breadth. */
  breadthFor(breadth: number, allowed: number): number | undefined {
    const wider = Math.ceil((breadth * this.#n) / Math.max(1, allowed));
    return wider > MOST_BREADTH || allowed <= this.#links * wider ? undefined : wider;
  }

  /** After its blocks were filled from a file. @throws OutOfRangeError, ShapeError where a search could leave it */
  restored(n: number, entry: number): void {
    [this.#n, this.entry] = [n, entry];
    if (n > 0) checkHnsw(this.#instance, this.#view());
  }

  [Symbol.dispose](): void {
    for (const { block } of this.blocks) block.dispose();
  }

  /** Rows of upper levels of the first n nodes. */
  #rows(n: number): number {
    return this.#places.bytes === 0 ? 0 : this.#instance.u32(this.#places.pointer, n + 1)[n]!;
  }

  #view(): HnswGraph {
    const { pointer: places } = this.#places;
    const rows = this.#rows(this.#n);
    const [base, upper] = [this.#base.pointer, this.#upper.pointer];
    return { links: this.#links, n: this.#n, places, base, upper, rows, entry: this.entry };
  }
}
