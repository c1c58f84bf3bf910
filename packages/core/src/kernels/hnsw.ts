/** A graph of the nearest over vectors as other families store them; see crates/kernels/src/hnsw for layouts, parameters and papers. */
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import type { PqMetric, PqTables } from "./pq.ts";
import { rabitqRowBytes } from "./rabitq.ts";
import { type TopK, writeKeys } from "./top-k.ts";

/** How the nodes' vectors are stored; all but numbers are pointers. */
export type HnswCodes =
  | { readonly kind: "floats"; readonly rows: number }
  | { readonly kind: "bytes"; readonly rows: number; readonly scales: number }
  | {
      readonly kind: "pq";
      /** u8 [n, M] */
      readonly codes: number;
      readonly subspaces: number;
      /** f32 [M, 256, D / M] */
      readonly codebooks: number;
      readonly tables: PqTables;
    }
  | {
      readonly kind: "rabitq";
      readonly codes: number;
      /** f32 [n, 2] */
      readonly factors: number;
      readonly bits: number;
      /** f32 [D] */
      readonly mean: number;
    };

export interface HnswNodes {
  readonly codes: HnswCodes;
  readonly n: number;
  /** D */
  readonly dimension: number;
  readonly metric: PqMetric;
}

export interface HnswGraph {
  /** M: 2 to 256. */
  readonly links: number;
  readonly n: number;
  /** Pointer to u32 [n + 1]. */
  readonly places: number;
  /** Pointer to u32 [n, 2 M]. */
  readonly base: number;
  /** Pointer to u32 [rows, M]. */
  readonly upper: number;
  /** Rows of upper levels. */
  readonly rows: number;
  /** Where searches begin. */
  readonly entry: number;
}

/**
 * Draws the levels of nodes first .. n into `places`, u32 [n + 1], of which those up to `first` are there.
 * @returns rows of upper levels of all nodes
 */
export function drawHnswLevels(
  instance: KernelInstance,
  { seed, links, first, n }: { seed: number; links: number; first: number; n: number },
  places: number,
): number {
  return instance.check(instance.exports.hnsw_draw_levels(seed, links, first, n, places));
}

function writeNodes(instance: KernelInstance, { codes, n, dimension, metric }: HnswNodes): Parameters {
  const parameters = new Parameters(instance);
  const absent = [0, 0] as const;
  switch (codes.kind) {
    case "floats":
      parameters.i32(0, codes.rows, n * dimension, ...absent, ...absent, 0, 0);
      break;
    case "bytes":
      parameters.i32(1, codes.rows, n * dimension, codes.scales, n, ...absent, 0, 0);
      break;
    case "pq": {
      const { subspaces, codebooks, tables } = codes;
      parameters.i32(2, codes.codes, n * subspaces, ...absent, codebooks, 256 * dimension, subspaces, tables.handle);
      break;
    }
    case "rabitq": {
      const { bits, factors, mean } = codes;
      parameters.i32(3, codes.codes, n * rabitqRowBytes(dimension, bits), factors, 2 * n, mean, dimension, bits, 0);
    }
  }
  return parameters.i32(n, dimension, metric === "l2" ? 0 : 1);
}

const writeGraph = (parameters: Parameters, { links, n, places, base, upper, rows }: HnswGraph): Parameters =>
  parameters.i32(links, places, n + 1, base, 2 * links * n, upper, links * rows);

/**
 * Refuses a graph that a search could leave: for one from a file.
 * @throws OutOfRangeError, ShapeError
 */
export function checkHnsw(instance: KernelInstance, graph: HnswGraph): void {
  writeGraph(new Parameters(instance), graph).i32(graph.entry).call(instance.exports.hnsw_check);
}

/**
 * Links nodes `first` .. n, whose codes are there and whose levels are drawn.
 *
 * @param vectors pointer to f32 [n - first, D], as they were before they were coded; absent: what their codes stand for
 * @param breadth efConstruction: 1 to 65536
 * @returns the entry from now on
 * @throws OutOfRangeError, ShapeError, OutOfMemoryError
 */
export function insertHnsw(
  instance: KernelInstance,
  graph: HnswGraph,
  nodes: HnswNodes,
  { first, vectors, breadth }: { first: number; vectors?: number | undefined; breadth: number },
): number {
  const length = vectors === undefined ? 0 : (graph.n - first) * nodes.dimension;
  const parameters = writeNodes(instance, nodes).i32(first, vectors ?? 0, length, graph.entry, breadth);
  return writeGraph(parameters, graph).call(instance.exports.hnsw_insert);
}

export interface HnswSearch {
  /** Pointer to f32 [queries of the heap, D]. */
  readonly queries: number;
  /** efSearch: 1 to 65536; k at least is kept. */
  readonly breadth: number;
  /** Bits of the nodes that may be found; others are passed through. */
  readonly filter?: { readonly pointer: number; readonly words: number } | undefined;
}

/**
 * Takes the nearest of what is reached into `top`.
 * @throws OutOfRangeError (a query that is not finite: `got` is its position), ShapeError, OutOfMemoryError
 */
export function searchHnsw(
  instance: KernelInstance,
  graph: HnswGraph,
  nodes: HnswNodes,
  { queries, breadth, filter }: HnswSearch,
  top: TopK,
): void {
  const parameters = writeNodes(instance, nodes).i32(queries, graph.entry, breadth);
  parameters.i32(filter ? 1 : 0, filter?.pointer ?? 0, filter?.words ?? 0);
  writeKeys(writeGraph(parameters, graph), top).call(instance.exports.hnsw_search);
}
