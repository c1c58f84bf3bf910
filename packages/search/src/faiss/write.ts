/** Files of Faiss' `index_write`, as its version 1.15 writes and older ones since 1.7 read them. */
import { InputError } from "lowbit";
import type { IndexId } from "../ids.ts";
import { codeMetric, stretchOf } from "../metric.ts";
import type { Index } from "../search-index.ts";
import { defaultRescored } from "../spec.ts";
import { joined } from "../store.ts";
import { faissRows, toFaissBlocks } from "./blocks.ts";
import { Writer } from "./bytes.ts";
import { writeGraph } from "./graph.ts";
import { writeBlocks, writeRows } from "./lists.ts";

/** Lists that Faiss looks through, where nobody says otherwise: as many as an index here does. */
const PROBES = 16;

/**
 * The file of a Faiss index with the same codes: `Flat`, `PQ<M>x8`, `PQ<M>x4fs`, `Binary`, `IVF<lists>` over the first three (fast scan of residuals, `PQ<M>x4fsr`
 * there), and `HNSW<links>` over `Flat` and `PQ<M>x8`; behind `OPQ<M>` and before `RFlat` too.
 *
 * Vectors of a cosine index are of length 1, and queries of Faiss have to be. Its metric is the inner product; of product quantization it is the distance, from centroids that are as much shorter as queries are longer here
 * (`stretch.ts`), which is the same order: such a file is for searches, what Faiss adds to it would be coded by the shorter ones. Bit 1 of a binary code is a negative number, the first bit the lowest of
 * its byte (`numpy.packbits(x < 0, bitorder="little")`). Ids that are numbers or bigints go along.
 *
 * @throws InputError for codes that Faiss has not, ids that are words, and vectors that were removed and not yet compacted
 */
export function toFaiss(index: Index): Uint8Array<ArrayBuffer> {
  const { spec, ids, live, learned, input } = index.state;
  const refuse = (what: string, expected: string, got: unknown): never => {
    throw new InputError("toFaiss", what, expected, got);
  };
  const supported = "[OPQ,] [IVF,] Flat, PQ<M>x8 or PQ<M>x4fs [,RFlat], HNSW over Flat or PQ<M>x8, or Binary";
  const { codes, lists, links, truncate, rescore, opq } = spec;
  const written = codes.kind === "flat" || codes.kind === "pq" || codes.kind === "binary";
  const alone = codes.kind !== "binary" || !(opq || rescore || lists);
  if (!written || !alone || truncate || rescore === "sq8") refuse("index", supported, index.spec);
  if (live.size !== ids.count) refuse("index", "no removed vectors: compact() it", `${ids.count - live.size} of them`);
  const names: BigInt64Array | undefined = ids.plain
    ? undefined
    : BigInt64Array.from({ length: ids.count }, (_, number) => integer(ids.idOf(number)));
  const writer = new Writer();
  if (codes.kind === "binary") return writeBinary(writer, index, names);
  const metric = codeMetric(index.metric, learned);
  const file = new FloatFile(writer, index, metric);
  if (opq) {
    file.header("IxPT").i32(1).name("LTra").u8(0).vector(learned.rotation!).vector(new Float32Array(0));
    writer.i32(input, input).u8(1);
  }
  // Lists hold ids of their own.
  if (names && !lists) file.header("IxMp");
  if (rescore) file.header("IxRF");
  if (links) {
    file.header(codes.kind === "flat" ? "IHNf" : "IHNp");
    writeGraph(writer, index, links);
  }
  file.codes(names);
  if (rescore) {
    file.flat(file.joined("exact.codes"), ids.count, metric);
    writer.f32(defaultRescored(spec, 10) / 10);
  }
  if (names && !lists) writer.vector(names);
  return writer.finish();
}

function integer(id: IndexId): bigint {
  const name = typeof id === "string" ? undefined : BigInt(id);
  if (name === undefined || BigInt.asIntN(64, name) !== name)
    throw new InputError("toFaiss", "id", "an integer of 64 bits", id);
  return name;
}

class FloatFile {
  readonly #writer: Writer;
  readonly #index: Index;
  readonly #metric: "l2" | "ip";

  constructor(writer: Writer, index: Index, metric: "l2" | "ip") {
    [this.#writer, this.#index, this.#metric] = [writer, index, metric];
  }

  /** Class, dimension, vectors, two numbers of no meaning, trained, metric. */
  header(name: string, n = this.#index.size, metric = this.#metric): Writer {
    const writer = this.#writer
      .name(name)
      .i32(this.#index.dimension)
      .i64(n, 1 << 20, 1 << 20);
    return writer.u8(1).i32(metric === "ip" ? 0 : 1);
  }

  /** An array of all lists, one behind the other. */
  joined(name: string): Uint8Array {
    return joined(this.#index.parts().filter((part) => part.name === name));
  }

  flat(rows: Uint8Array, n: number, metric: "l2" | "ip"): void {
    this.header(metric === "ip" ? "IxFI" : "IxF2", n, metric)
      .i64(rows.length / 4)
      .raw(rows);
  }

  codes(names: BigInt64Array | undefined): void {
    const { codes, lists } = this.#index.state.spec;
    if (lists) this.#lists(lists, names);
    else if (codes.kind === "flat") this.flat(this.joined("codes"), this.#index.size, this.#metric);
    else if (codes.kind === "pq" && codes.bits === 8) {
      this.header("IxPq");
      this.#quantizer(codes.subspaces, 8);
      // Search by distance tables, without the options of polysemous codes.
      this.#writer
        .vector(this.joined("codes"))
        .i32(0)
        .u8(0)
        .i32(codes.subspaces * 8 + 1);
    } else if (codes.kind === "pq") this.#blocks(codes.subspaces);
  }

  #quantizer(subspaces: number, bits: number): void {
    this.#writer.i64(this.#index.dimension, subspaces, bits).vector(this.#shortened("codebooks"));
  }

  /** |s q - y|² is s² |q - y / s|². */
  #shortened(name: "codebooks" | "centroids"): Float32Array {
    const { learned } = this.#index.state;
    const s = stretchOf(learned) ?? 1;
    return s === 1 ? learned[name]! : learned[name]!.map((x) => x / s);
  }

  #blocks(subspaces: number): void {
    this.header("IPfs");
    this.#quantizer(subspaces, 4);
    const blocks = toFaissBlocks(this.joined("codes"), subspaces);
    const held = Math.ceil(this.#index.size / 32) * 32;
    // The implementation is Faiss' choice; blocks of 32, and as many queries at once as it likes.
    this.#writer.i32(0, 32, 0).i64(held, faissRows(subspaces)).vector(blocks);
  }

  #lists(lists: number, names: BigInt64Array | undefined): void {
    const { codes } = this.#index.state.spec;
    const fast = codes.kind === "pq" && codes.bits === 4;
    const writer = this.header(codes.kind === "flat" ? "IwFl" : fast ? "IwPf" : "IwPQ").i64(lists, PROBES);
    // Vectors are in the list of the nearest centroid, whatever the metric.
    this.flat(new Uint8Array(this.#shortened("centroids").slice().buffer), lists, "l2");
    writer.u8(0).i64(0);
    const parts = this.#index.parts();
    if (codes.kind !== "pq") {
      writeRows(writer, parts, 4 * this.#index.dimension, names);
      return;
    }
    const { subspaces } = codes;
    writer.u8(1).i64(fast ? Math.ceil(subspaces / 2) : subspaces);
    // As of one list: blocks of 32, the rest as Faiss likes.
    if (fast) writer.i32(32).i64(faissRows(subspaces)).i32(0).i64(0);
    this.#quantizer(subspaces, codes.bits);
    if (fast) writeBlocks(writer, parts, subspaces, names);
    else writeRows(writer, parts, subspaces, names);
  }
}

function writeBinary(writer: Writer, index: Index, names: BigInt64Array | undefined): Uint8Array<ArrayBuffer> {
  const bytes = Math.ceil(index.dimension / 8);
  const n = index.size;
  const header = (name: string): Writer =>
    writer
      .name(name)
      .i32(8 * bytes, bytes)
      .i64(n)
      .u8(1)
      .i32(1);
  const [part] = index.parts();
  // Rows here are whole words.
  const row = 4 * Math.ceil(index.dimension / 32);
  const codes = part!.block.view();
  const packed = row === bytes ? codes : new Uint8Array(n * bytes);
  if (row !== bytes) for (let i = 0; i < n; i++) packed.set(codes.subarray(i * row, i * row + bytes), i * bytes);
  if (names) header("IBMp");
  header("IBxF").vector(packed.slice());
  if (names) writer.vector(names);
  return writer.finish();
}
