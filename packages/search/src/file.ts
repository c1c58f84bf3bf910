/** An index as a file: safetensors with `__metadata__.lowbit_index`; docs/format.md says it byte by byte. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type ByteSource,
  DigestError,
  FormatError,
  type RawTensor,
  readSafetensors,
  readSource,
  type SourceOptions,
  writeSafetensors,
} from "lowbit";
import { type LoadKernelsOptions, loadKernels } from "lowbit/kernels";
import { Bits } from "./bits.ts";
import { MOST_BREADTH } from "./graph.ts";
import { Ids, type IndexId } from "./ids.ts";
import type { Metric } from "./metric.ts";
import { Payloads } from "./payloads.ts";
import { checkMetric, Index } from "./search-index.ts";
import { type IndexSpec, parseSpec } from "./spec.ts";
import { type IndexPart, joined } from "./store.ts";
import { byteTensor, floatTensor, readBytes, readFloats, readWords, wordTensor } from "./tensors.ts";
import type { Learned } from "./train.ts";

const KEY = "lowbit_index";
const DIGEST = "lowbit_digest";
const VERSION = 1;

const digest = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));
const digestOf = (text: string): string => digest(new TextEncoder().encode(text));

/** The file of an index: the same bytes wherever it was built. */
export function saveIndex(index: Index): Uint8Array<ArrayBuffer> {
  const { spec, learned, ids, payloads, about, live, metric, input, efConstruction } = index.state;
  const tensors = new Map<string, RawTensor>();
  const dimension = spec.truncate ?? input;
  const { rotation, centroids, codebooks, norms, mean, stretch } = learned;
  if (rotation) tensors.set("rotation", floatTensor(rotation, [dimension, dimension]));
  if (centroids) tensors.set("centroids", floatTensor(centroids, [centroids.length / dimension, dimension]));
  if (codebooks) {
    const { books, entries, part } = booksOf(spec, dimension)!;
    tensors.set("codebooks", floatTensor(codebooks, [books, entries, part]));
  }
  if (norms) tensors.set("norms", floatTensor(norms, [2]));
  if (mean) tensors.set("mean", floatTensor(mean, [mean.length]));
  if (stretch) tensors.set("stretch", floatTensor(stretch, [1]));
  tensors.set("live", wordTensor(live.words.slice(0, Math.ceil(ids.count / 32))));
  if (!payloads.empty) {
    const { bytes, ends } = payloads.arrays(ids.count);
    tensors.set("payloads", byteTensor(bytes));
    tensors.set("payload_ends", wordTensor(ends));
  }
  const parts = index.parts();
  for (const name of new Set(parts.map((part) => part.name)))
    tensors.set(name, byteTensor(joined(parts.filter((part) => part.name === name))));
  const sizes = sizesOf(parts);
  const sha = Object.fromEntries(
    [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([n, t]) => [n, digest(t.bytes)]),
  );
  const graph = index.graph && { graph: { entry: index.graph.entry, efConstruction } };
  const head = { version: VERSION, spec: index.spec, metric, dimension: input };
  const words = Object.keys(about).length > 0 && { about };
  const text = { ...head, ids: ids.toJSON(), sizes, ...graph, ...words, sha256: sha };
  const json = JSON.stringify(text);
  return writeSafetensors(
    tensors,
    new Map([
      [KEY, json],
      [DIGEST, digestOf(json)],
    ]),
  );
}

/** Vectors of each list, in order. */
function sizesOf(parts: readonly IndexPart[]): number[] {
  const sizes: number[] = [];
  for (const { name, list, of } of parts) if (!name.startsWith("exact.")) sizes[list] = of.n;
  return sizes;
}

/** How a file comes: its progress, a signal, a cache of downloads and a digest, as for models; and the kernels it is for. */
export interface LoadIndexOptions extends SourceOptions {
  /** Tier and module of the kernels; absent: the package's own. */
  readonly kernels?: LoadKernelsOptions;
}

/**
 * Reads a file that {@link saveIndex} wrote; everything it says is checked before it is used.
 *
 * @param source URL, path (Node, Deno, Bun), Response, Blob or bytes
 * @throws FormatError, DigestError, IntegrityError, LoadError, OutOfMemoryError, or the signal's reason
 */
export async function loadIndex(source: ByteSource, options: LoadIndexOptions = {}): Promise<Index> {
  const { kernels, signal } = options;
  const bytes = await readSource(source, options);
  const { metadata, tensors } = readSafetensors(bytes);
  const { spec, metric, dimension, ids, sizes, graph, about, sha } = header(metadata.get(KEY), metadata.get(DIGEST));
  for (const [name, { bytes: data }] of tensors) {
    const found = digest(data);
    if (sha[name] !== found) throw new DigestError(`tensor ${name}`, String(sha[name]), found);
  }
  const learned = learnedOf(tensors, spec, dimension, metric);
  const words = readWords(tensors, "live");
  const { count } = ids;
  if (words.length !== Math.ceil(count / 32))
    throw new FormatError("tensor-shape", "words of live", Math.ceil(count / 32), words.length);
  const live = new Bits(words);
  checkTail(words, count);
  const payloads = payloadsOf(tensors, count);
  const instance = await loadKernels({ ...kernels, part: "search", ...(signal && { signal }) });
  const { efConstruction, entry } = graph;
  const state = { instance, spec, metric, input: dimension, learned, ids, payloads, about, live, efConstruction };
  return Index.restore(state, (parts, links) => {
    const from = new Map<string, number>();
    for (const { name, list, block, of, bytes } of parts) {
      const n = name.startsWith("exact.") ? count : sizes[list]!;
      const data = readBytes(tensors, name);
      const at = from.get(name) ?? 0;
      const length = bytes(n);
      if (at + length > data.length)
        throw new FormatError("tensor-shape", `bytes of ${name}`, at + length, data.length);
      block.append(data.subarray(at, at + length));
      from.set(name, at + length);
      of.n = n;
    }
    for (const [name, end] of from) {
      const { length } = readBytes(tensors, name);
      if (end !== length) throw new FormatError("tensor-shape", `bytes of ${name}`, end, length);
    }
    links?.restored(count, entry);
    if (spec.lists) checkNumbers(readBytes(tensors, "numbers"), count);
  });
}

interface Header {
  readonly spec: IndexSpec;
  readonly metric: Metric;
  readonly dimension: number;
  readonly ids: Ids;
  readonly sizes: readonly number[];
  readonly graph: { readonly entry: number; readonly efConstruction: number };
  readonly about: Readonly<Record<string, string>>;
  readonly sha: Readonly<Record<string, unknown>>;
}

function header(text: string | undefined, sha256: string | undefined): Header {
  if (text === undefined) throw new FormatError("metadata-missing", `metadata ${KEY}`, "an index", "none");
  const found = digestOf(text);
  if (found !== sha256) throw new DigestError(`metadata ${KEY}`, String(sha256), found);
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text);
  } catch {
    throw new FormatError("header-syntax", `metadata ${KEY}`, "JSON", text.slice(0, 40));
  }
  const field = (what: string, expected: unknown, got: unknown): never => {
    throw new FormatError("metadata-field", `${KEY}.${what}`, expected, got);
  };
  const { version, spec: words, metric, dimension, ids: given, sizes, graph, about = {}, sha256: sha } = json;
  if (version !== VERSION) throw new FormatError("metadata-version", `${KEY}.version`, VERSION, version);
  if (typeof words !== "string") return field("spec", "text", words);
  const spec = parseSpec(words);
  checkMetric(spec, metric as Metric);
  if (!isCount(dimension, 1) || dimension > 65_536) return field("dimension", "1 to 65536", dimension);
  if (spec.truncate && spec.truncate > dimension) field("spec", `at most ${dimension} coordinates kept`, words);
  if (spec.codes.kind === "pq" && (spec.truncate ?? dimension) % spec.codes.subspaces !== 0)
    field("spec", `sub-spaces that divide ${spec.truncate ?? dimension}`, words);
  if (typeof sha !== "object" || sha === null) return field("sha256", "an object", sha);
  const ids = idsOf(given, field);
  const lists = spec.lists ?? 1;
  if (!Array.isArray(sizes) || sizes.length !== lists || !sizes.every((size) => isCount(size, 0)))
    return field("sizes", `${lists} counts`, sizes);
  const sum = sizes.reduce((sum: number, size: number) => sum + size, 0);
  if (sum !== ids.count) field("sizes", `counts with the sum ${ids.count}`, sum);
  const { entry, efConstruction } = { entry: 0, efConstruction: 1, ...(graph as object | undefined) };
  if (spec.links && !graph) return field("graph", "an object", graph);
  if (!isCount(entry, 0)) return field("graph.entry", "a count", entry);
  if (!isCount(efConstruction, 1) || efConstruction > MOST_BREADTH)
    return field("graph.efConstruction", `1 to ${MOST_BREADTH}`, efConstruction);
  if (!isWords(about)) return field("about", "an object of texts", about);
  const ways = { entry, efConstruction };
  const read = { spec, metric: metric as Metric, dimension, ids, sizes, graph: ways, about };
  return { ...read, sha: sha as Record<string, unknown> };
}

const isWords = (value: unknown): value is Record<string, string> =>
  typeof value === "object" && value !== null && Object.values(value).every((word) => typeof word === "string");

const isCount = (value: unknown, least: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= least && value < 2 ** 32 - 1;

function idsOf(given: unknown, field: (what: string, expected: unknown, got: unknown) => never): Ids {
  const { count, kind, ids, next } = (given ?? {}) as Record<string, unknown>;
  if (!isCount(count, 0)) return field("ids.count", "a count", count);
  if (kind === undefined) {
    const known = new Ids();
    known.add(count, undefined);
    return known;
  }
  if (!Array.isArray(ids) || ids.length !== count) return field("ids.ids", `${count} ids`, ids);
  const read = (id: unknown): IndexId => {
    if (kind === "bigint" && typeof id === "string" && /^-?\d{1,40}$/.test(id)) return BigInt(id);
    if ((kind === "number" && typeof id === "number") || (kind === "string" && typeof id === "string")) return id;
    return field("ids.ids", `a ${kind}`, id);
  };
  if (next !== undefined && !isCount(next, count)) return field("ids.next", `a number from ${count}`, next);
  return Ids.from(ids.map(read), next as number | undefined);
}

/** Codebooks, entries of each, and numbers of an entry. */
function booksOf({ codes }: IndexSpec, dimension: number) {
  if (codes.kind === "pq")
    return { books: codes.subspaces, entries: 2 ** codes.bits, part: dimension / codes.subspaces };
  if (codes.kind === "rq" || codes.kind === "lsq")
    return { books: codes.books, entries: 2 ** codes.bits, part: dimension };
  return undefined;
}

function learnedOf(tensors: ReadonlyMap<string, RawTensor>, spec: IndexSpec, input: number, metric: Metric): Learned {
  const dimension = spec.truncate ?? input;
  const floats = (name: string, wanted: boolean, length: number): Float32Array | undefined => {
    if (!wanted) return undefined;
    const data = readFloats(tensors, name);
    if (data.length !== length) throw new FormatError("tensor-shape", `numbers of ${name}`, length, data.length);
    if (!data.every(Number.isFinite)) throw new FormatError("tensor-shape", name, "finite numbers", "others");
    return data;
  };
  const { codes, lists, opq } = spec;
  const { books = 0, entries = 0, part = 0 } = booksOf(spec, dimension) ?? {};
  const sums = codes.kind === "rq" || codes.kind === "lsq";
  const stretch = stretchIn(tensors, spec, metric, floats);
  const norms = floats("norms", sums && (metric === "l2" || stretch !== undefined), 2);
  if (norms && !(norms[1]! > 0)) throw new FormatError("tensor-shape", "norms", "a step above 0", norms[1]);
  return {
    norms,
    stretch,
    rotation: floats("rotation", opq !== undefined || codes.kind === "rabitq", dimension * dimension),
    centroids: floats("centroids", lists !== undefined, (lists ?? 0) * dimension),
    codebooks: floats("codebooks", books > 0, books * entries * part),
    mean: floats("mean", codes.kind === "rabitq" && !lists, dimension),
  };
}

/** Files of before it was learned: cosines of PQ by plain distances, those of sums and in lists by inner products. */
function stretchIn(
  tensors: ReadonlyMap<string, RawTensor>,
  { codes, lists }: IndexSpec,
  metric: Metric,
  floats: (name: string, wanted: boolean, length: number) => Float32Array | undefined,
): Float32Array | undefined {
  const { kind } = codes;
  if (metric !== "cosine" || !(kind === "pq" || kind === "rq" || kind === "lsq")) return undefined;
  if (kind === "pq" && codes.threshold !== undefined) return undefined;
  if (!tensors.has("stretch")) return kind !== "pq" || lists ? undefined : Float32Array.of(1);
  const stretch = floats("stretch", true, 1)!;
  if (!(stretch[0]! >= 1 && stretch[0]! <= 64)) throw new FormatError("tensor-shape", "stretch", "1 to 64", stretch[0]);
  return stretch;
}

function payloadsOf(tensors: ReadonlyMap<string, RawTensor>, count: number): Payloads {
  if (!tensors.has("payloads")) return new Payloads();
  const ends = readWords(tensors, "payload_ends");
  if (ends.length !== count) throw new FormatError("tensor-shape", "numbers of payload_ends", count, ends.length);
  return Payloads.from(readBytes(tensors, "payloads"), ends);
}

/** Bits behind the last vector would be found. */
function checkTail(words: Uint32Array, count: number): void {
  const last = words.at(-1) ?? 0;
  if (count % 32 !== 0 && last >>> (count % 32) !== 0)
    throw new FormatError("metadata-field", "bits of live", `none behind ${count}`, "more");
}

/** Every number once. */
function checkNumbers(bytes: Uint8Array, count: number): void {
  const numbers = new Uint32Array(bytes.slice().buffer);
  const seen = new Uint8Array(count);
  for (const number of numbers) {
    if (number >= count || seen[number])
      throw new FormatError("metadata-field", "numbers", `each below ${count} once`, number);
    seen[number] = 1;
  }
}
