/**
 * What an index is made of, in the spelling of Faiss' index factory where it has one: parts with commas between them.
 *
 *   [MRL<d>,] [OPQ<M>,] [IVF<lists>, | HNSW<links>,] <codes> [, RFlat | RSQ8]
 *
 *   codes   Flat           f32                                      4 D bytes
 *           SQ8            int8 and a scale                         D + 4
 *           Binary         signs                                    D / 8
 *           PQ<M>x8        product quantization, 256 centroids      M
 *           PQ<M>x4fs      16 centroids, scanned in registers       M / 2
 *           PQ<M>x8_A<T>, PQ<M>x4fs_A<T>   the same bytes, learned and coded by the score-aware loss (ScaNN's)
 *                          of threshold T, 0.01 to 0.99, for inner products: PQ48x8_A0.2
 *           RQ<M>x8        residual codes: sums of M of 256 whole   M; by cosine, l2 M + 1
 *                          vectors each, M = 1 to 16
 *           RQ<M>x4fs      of 16 each, M = 1 to 64                  M / 2; + 1
 *           LSQ<M>x8, LSQ<M>x4fs   additive codes: all codebooks learned together
 *           RaBitQ[<B>]    B = 1 (absent) to 8 bits a coordinate    B D / 8 + 8
 *
 * A graph (HNSW, 2 to 256 links a node, twice as many in level 0) stands over Flat, which may be left out, SQ8, PQ<M>x8 and RaBitQ.
 */
import { InputError } from "lowbit";

/** How vectors are stored. */
export type Codes =
  | { readonly kind: "flat" }
  | { readonly kind: "sq8" }
  | { readonly kind: "binary" }
  | {
      readonly kind: "pq";
      readonly subspaces: number;
      readonly bits: 4 | 8;
      /** T of the score-aware loss: inner products of T times a vector's length or more count, above 0 and below 1. */
      readonly threshold?: number;
    }
  | { readonly kind: "rq" | "lsq"; readonly books: number; readonly bits: 4 | 8 }
  | { readonly kind: "rabitq"; readonly bits: number };

export interface IndexSpec {
  /** Coordinates that are kept of a vector trained so that its head serves alone (Kusupati et al. 2022, arXiv 2205.13147). */
  readonly truncate?: number;
  /** Sub-spaces that a rotation is learned for. */
  readonly opq?: number;
  /** Lists of an inverted file. */
  readonly lists?: number;
  /** Links of a node of a graph, M. */
  readonly links?: number;
  readonly codes: Codes;
  /** What the best candidates are scored again with. */
  readonly rescore?: "flat" | "sq8";
}

const FORMS =
  "[MRL<d>,][OPQ<M>,][IVF<lists>,|HNSW<links>,] Flat | SQ8 | Binary | PQ<M>x8[_A<T>] | PQ<M>x4fs[_A<T>] | RQ<1-16>x8 | RQ<1-64>x4fs | LSQ<1-16>x8 | LSQ<1-64>x4fs | RaBitQ[1-8] [,RFlat|,RSQ8]";

const CODES: readonly [RegExp, (number: number, threshold?: number) => Codes][] = [
  [/^Flat$/, () => ({ kind: "flat" })],
  [/^SQ8$/, () => ({ kind: "sq8" })],
  [/^Binary$/, () => ({ kind: "binary" })],
  [/^PQ([1-9]\d{0,3})x8(?:_A(0\.\d\d?))?$/, (subspaces, threshold) => pqCodes(subspaces, 8, threshold)],
  [/^PQ([1-9]\d{0,3})x4fs(?:_A(0\.\d\d?))?$/, (subspaces, threshold) => pqCodes(subspaces, 4, threshold)],
  [/^RQ([1-9]|1[0-6])x8$/, (books) => ({ kind: "rq", books, bits: 8 })],
  [/^RQ([1-9]|[1-5]\d|6[0-4])x4fs$/, (books) => ({ kind: "rq", books, bits: 4 })],
  [/^LSQ([1-9]|1[0-6])x8$/, (books) => ({ kind: "lsq", books, bits: 8 })],
  [/^LSQ([1-9]|[1-5]\d|6[0-4])x4fs$/, (books) => ({ kind: "lsq", books, bits: 4 })],
  [/^RaBitQ([1-8]?)$/, (bits) => ({ kind: "rabitq", bits: bits || 1 })],
];

const pqCodes = (subspaces: number, bits: 4 | 8, threshold: number | undefined): Codes => ({
  kind: "pq",
  subspaces,
  bits,
  ...(threshold !== undefined && { threshold }),
});

/**
 * @param text e.g. `"OPQ48,IVF1024,PQ48x4fs,RFlat"`
 * @throws InputError
 */
export function parseSpec(text: string): IndexSpec {
  const refuse = (): never => {
    throw new InputError("parseSpec", "index spec", FORMS, text);
  };
  const parts = text.split(",").map((part) => part.trim());
  const head = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(parts[0] ?? "");
    if (found) parts.shift();
    return found ? Number(found[1]) : undefined;
  };
  const truncate = head(/^MRL([1-9]\d{0,4})$/);
  const opq = head(/^OPQ([1-9]\d{0,3})$/);
  const lists = head(/^IVF([1-9]\d{0,6})$/);
  const links = head(/^HNSW([1-9]\d{0,2})$/);
  if (links && (lists || links < 2 || links > 256)) refuse();
  const word = parts.shift() ?? (links ? "Flat" : refuse());
  let codes: Codes | undefined;
  for (const [pattern, make] of CODES) {
    const found = pattern.exec(word);
    if (found) codes = make(Number(found[1]), found[2] === undefined ? undefined : Number(found[2]));
  }
  if (codes === undefined || (codes.kind === "pq" && codes.threshold === 0)) return refuse();
  if (links && !linkable(codes)) refuse();
  const last = parts.shift();
  if (parts.length > 0 || (last !== undefined && last !== "RFlat" && last !== "RSQ8")) refuse();
  const rescore = last && (last === "RFlat" ? ("flat" as const) : ("sq8" as const));
  return {
    ...(truncate && { truncate }),
    ...(opq && { opq }),
    ...(lists && { lists }),
    ...(links && { links }),
    codes,
    ...(rescore && { rescore }),
  };
}

/** Whether a graph may stand over them: its kernel scores single vectors of these. */
const linkable = (codes: Codes): boolean =>
  codes.kind === "flat" || codes.kind === "sq8" || codes.kind === "rabitq" || (codes.kind === "pq" && codes.bits === 8);

/** The text that {@link parseSpec} reads. */
export function formatSpec({ truncate, opq, lists, links, codes, rescore }: IndexSpec): string {
  const head = [truncate && `MRL${truncate}`, opq && `OPQ${opq}`, lists && `IVF${lists}`, links && `HNSW${links}`];
  const parts = [...head, wordOf(codes)];
  return [...parts, rescore && (rescore === "flat" ? "RFlat" : "RSQ8")].filter(Boolean).join(",");
}

function wordOf(codes: Codes): string {
  switch (codes.kind) {
    case "flat":
      return "Flat";
    case "sq8":
      return "SQ8";
    case "binary":
      return "Binary";
    case "rabitq":
      return `RaBitQ${codes.bits === 1 ? "" : codes.bits}`;
    case "pq":
      return `PQ${codes.subspaces}x${codes.bits === 8 ? "8" : "4fs"}${codes.threshold === undefined ? "" : `_A${codes.threshold}`}`;
    default:
      return `${codes.kind.toUpperCase()}${codes.books}x${codes.bits === 8 ? "8" : "4fs"}`;
  }
}

/** Candidates that are scored again for a query of k, unless it says otherwise: 200 of binary codes, 50 of others, never fewer than k. */
export const defaultRescored = ({ codes }: IndexSpec, k: number): number =>
  Math.max(k, codes.kind === "binary" ? 200 : 50);
