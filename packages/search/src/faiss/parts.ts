/** What classes of Faiss share: headers, flat vectors, product quantizers. */
import type { Metric } from "../metric.ts";
import { type IndexSpec, parseSpec } from "../spec.ts";
import type { Learned } from "../train.ts";
import type { Reader } from "./bytes.ts";

/** What a file says. */
export interface Found {
  readonly spec: IndexSpec;
  readonly metric: Metric;
  readonly dimension: number;
  readonly n: number;
  readonly learned: Learned;
  readonly ids?: BigInt64Array;
  readonly graph?: { readonly entry: number; readonly efConstruction: number };
  /** Vectors of each list. */
  readonly sizes: readonly number[];
  /** Bytes of each array, all lists one behind the other. */
  readonly arrays: ReadonlyMap<string, Uint8Array>;
  /** 4-bit codes that are not in blocks. */
  readonly plain?: boolean;
}

/** Of every class of floats. */
export function header(reader: Reader): { dimension: number; n: number; metric: Metric } {
  const dimension = reader.i32("dimension");
  if (dimension < 1 || dimension > 65_536) reader.refuse("dimension", "1 to 65536", dimension);
  const n = reader.count("vectors");
  reader.raw(16, "a header");
  if (reader.u8("is_trained") !== 1) reader.refuse("is_trained", 1, 0);
  const metric = reader.i32("metric");
  if (metric !== 0 && metric !== 1) reader.refuse("metric", "0 (inner product) or 1 (L2)", metric);
  return { dimension, n, metric: metric === 0 ? "ip" : "l2" };
}

export function readFlat(reader: Reader): Found {
  const head = header(reader);
  const { dimension, n } = head;
  const rows = reader.floats("vectors", n * dimension);
  return {
    ...head,
    spec: parseSpec("Flat"),
    learned: {},
    sizes: [n],
    arrays: new Map([["codes", new Uint8Array(rows.buffer)]]),
  };
}

export function readQuantizer(reader: Reader, dimension: number, bits: readonly number[]) {
  const d = reader.count("dimension of the quantizer");
  if (d !== dimension) reader.refuse("dimension of the quantizer", dimension, d);
  const subspaces = reader.count("sub-spaces", 1024);
  if (subspaces < 1 || dimension % subspaces !== 0) reader.refuse("sub-spaces", `a divisor of ${dimension}`, subspaces);
  const width = reader.count("bits of a code");
  if (!bits.includes(width)) reader.refuse("bits of a code", bits.join(" or "), width);
  const codebooks = reader.floats("centroids", 2 ** width * dimension);
  return { subspaces, bits: width, codebooks };
}

export const pqSpec = (subspaces: number, bits: number): IndexSpec =>
  parseSpec(`PQ${subspaces}x${bits === 8 ? "8" : "4fs"}`);
