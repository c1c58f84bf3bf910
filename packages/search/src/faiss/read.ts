/** Files of Faiss' `index_write`; everything they say is checked before it is used. */
import { type LoadKernelsOptions, loadKernels, packPqBlocks, pqBlockBytes } from "lowbit/kernels";
import { Bits } from "../bits.ts";
import { Ids, type IndexId } from "../ids.ts";
import type { Metric } from "../metric.ts";
import { Payloads } from "../payloads.ts";
import { Index } from "../search-index.ts";
import { formatSpec, type IndexSpec, parseSpec } from "../spec.ts";
import type { IndexPart } from "../store.ts";
import type { Learned } from "../train.ts";
import { faissRows, fromFaissBlocks } from "./blocks.ts";
import { Reader } from "./bytes.ts";

/** What a file says. */
interface Found {
  readonly spec: IndexSpec;
  readonly metric: Metric;
  readonly dimension: number;
  readonly n: number;
  readonly learned: Learned;
  readonly ids?: BigInt64Array;
  /** Vectors of each list. */
  readonly sizes: readonly number[];
  /** Bytes of each array, all lists one behind the other. */
  readonly arrays: ReadonlyMap<string, Uint8Array>;
  /** 4-bit codes that are not in blocks. */
  readonly plain?: boolean;
}

const SUPPORTED = "IxFI, IxF2, IxPq, IPfs, IwPQ, IBxF, in IxMp, IBMp, IxRF or IxPT (LTra)";

/**
 * The index of a Faiss file: flat (inner product, L2), PQ of 8 or 4 bits, PQ fast scan, IVF-PQ with residuals, binary flat; with an id map, a linear transform that is a rotation (OPQ) and a flat refinement.
 * Codes are as they are in the file. An inverted file looks here through the lists whose centroids are nearest, also where Faiss took those of the largest inner product.
 *
 * @throws InputError for a file that is cut, says what cannot be, or holds an index of another kind; LoadError, OutOfMemoryError
 */
export async function fromFaiss(
  bytes: Uint8Array,
  { kernels, signal }: { readonly kernels?: LoadKernelsOptions; readonly signal?: AbortSignal } = {},
): Promise<Index> {
  // A plain view: where others copy, a slice of Node's Buffer shares.
  const reader = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const found = readIndex(reader, reader.name());
  reader.end();
  const { spec, metric, dimension, n, learned, sizes, arrays, plain } = found;
  const ids = idsOf(found.ids, n, reader);
  const instance = await loadKernels({ ...kernels, part: "search", ...(signal && { signal }) });
  const live = new Bits();
  live.grow(0, n);
  const words = { payloads: new Payloads(), about: {} };
  const state = { instance, spec, metric, input: dimension, learned, ids, ...words, live, efConstruction: 1 };
  return Index.restore(state, (parts) => {
    const at = new Map<string, number>();
    for (const part of parts) {
      const { name, list, block, of, bytes: bytesOf } = part;
      const from = at.get(name) ?? 0;
      const count = name.startsWith("exact.") ? n : sizes[list]!;
      const data = arrays.get(name)!;
      of.n = count;
      if (plain && name === "codes") packPlain(part, data, n, spec);
      else block.append(data.subarray(from, from + bytesOf(count)));
      at.set(name, from + bytesOf(count));
    }
  });
}

function packPlain({ block }: IndexPart, codes: Uint8Array, n: number, { codes: kind }: IndexSpec): void {
  const { instance } = block;
  const subspaces = kind.kind === "pq" ? kind.subspaces : 1;
  block.extend(pqBlockBytes(n, subspaces));
  const from = instance.upload(codes);
  try {
    packPqBlocks(instance, from, n, subspaces, block.pointer);
  } finally {
    if (!instance.ended) instance.free(from, codes.length);
  }
}

/** Ids that are 0, 1, 2 ... are none. */
function idsOf(given: BigInt64Array | undefined, n: number, reader: Reader): Ids {
  const ids = new Ids();
  if (given?.every((id, i) => id === BigInt(i)) ?? true) {
    ids.add(n, undefined);
    return ids;
  }
  const small = given!.every((id) => Number.isSafeInteger(Number(id)));
  const names: IndexId[] = Array.from(given!, (id) => (small ? Number(id) : id));
  if (new Set(names).size !== n) reader.refuse("ids", "each once", "one of them twice");
  return Ids.from(names, undefined);
}

function header(reader: Reader): { dimension: number; n: number; metric: Metric } {
  const dimension = reader.i32("dimension");
  if (dimension < 1 || dimension > 65_536) reader.refuse("dimension", "1 to 65536", dimension);
  const n = reader.count("vectors");
  reader.raw(16, "a header");
  if (reader.u8("is_trained") !== 1) reader.refuse("is_trained", 1, 0);
  const metric = reader.i32("metric");
  if (metric !== 0 && metric !== 1) reader.refuse("metric", "0 (inner product) or 1 (L2)", metric);
  return { dimension, n, metric: metric === 0 ? "ip" : "l2" };
}

function readIndex(reader: Reader, name: string): Found {
  switch (name) {
    case "IxFI":
    case "IxF2":
      return readFlat(reader);
    case "IxPq":
      return readPq(reader);
    case "IPfs":
      return readFastScan(reader);
    case "IwPQ":
      return readLists(reader);
    case "IBxF":
      return readBinary(reader);
    case "IxMp":
    case "IBMp":
      return readIdMap(reader, name);
    case "IxRF":
      return readRefined(reader);
    case "IxPT":
      return readRotated(reader);
    default:
      return reader.refuse("class of the index", SUPPORTED, name);
  }
}

function readFlat(reader: Reader): Found {
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

function readQuantizer(reader: Reader, dimension: number, bits: readonly number[]) {
  const d = reader.count("dimension of the quantizer");
  if (d !== dimension) reader.refuse("dimension of the quantizer", dimension, d);
  const subspaces = reader.count("sub-spaces", 1024);
  if (subspaces < 1 || dimension % subspaces !== 0) reader.refuse("sub-spaces", `a divisor of ${dimension}`, subspaces);
  const width = reader.count("bits of a code");
  if (!bits.includes(width)) reader.refuse("bits of a code", bits.join(" or "), width);
  const codebooks = reader.floats("centroids", 2 ** width * dimension);
  return { subspaces, bits: width, codebooks };
}

const pqSpec = (subspaces: number, bits: number): IndexSpec => parseSpec(`PQ${subspaces}x${bits === 8 ? "8" : "4fs"}`);

function readPq(reader: Reader): Found {
  const head = header(reader);
  const { subspaces, bits, codebooks } = readQuantizer(reader, head.dimension, [8, 4]);
  const codes = reader.bytes("codes", head.n * Math.ceil((subspaces * bits) / 8));
  reader.raw(9, "search parameters");
  const arrays = new Map([["codes", codes]]);
  const spec = pqSpec(subspaces, bits);
  return { ...head, spec, learned: { codebooks }, sizes: [head.n], arrays, plain: bits === 4 };
}

function readFastScan(reader: Reader): Found {
  const head = header(reader);
  const { subspaces, codebooks } = readQuantizer(reader, head.dimension, [4]);
  reader.i32("implementation");
  const block = reader.i32("vectors of a block");
  if (block !== 32) reader.refuse("vectors of a block", 32, block);
  reader.i32("queries of a block");
  const held = reader.count("vectors with those that fill up");
  const rows = reader.count("rows of a block");
  const fits = held === Math.ceil(head.n / 32) * 32 && rows === faissRows(subspaces);
  if (!fits) reader.refuse("blocks", `${head.n} vectors in whole blocks of ${faissRows(subspaces)} rows`, [held, rows]);
  const codes = fromFaissBlocks(reader.bytes("codes", (held * rows) / 2), subspaces);
  const arrays = new Map([["codes", codes]]);
  return { ...head, spec: pqSpec(subspaces, 4), learned: { codebooks }, sizes: [head.n], arrays };
}

function readLists(reader: Reader): Found {
  const head = header(reader);
  const { dimension, n } = head;
  const lists = reader.count("lists", 9_999_999);
  reader.count("nprobe");
  const quantizer = reader.name();
  if (quantizer !== "IxF2" && quantizer !== "IxFI") reader.refuse("quantizer of lists", "IxF2 or IxFI", quantizer);
  const coarse = readFlat(reader);
  if (lists < 1 || coarse.n !== lists || coarse.dimension !== dimension)
    reader.refuse("centroids of lists", `${lists} of ${dimension}`, `${coarse.n} of ${coarse.dimension}`);
  const centroids = new Float32Array(coarse.arrays.get("codes")!.slice().buffer);
  if (reader.u8("direct map") !== 0) reader.refuse("direct map", "none", "one");
  reader.integers("direct map", 0);
  if (reader.u8("by_residual") !== 1) reader.refuse("by_residual", 1, 0);
  const size = reader.count("bytes of a code");
  const { subspaces, codebooks } = readQuantizer(reader, dimension, [8]);
  if (size !== subspaces) reader.refuse("bytes of a code", subspaces, size);
  const kind = reader.name();
  if (kind !== "ilar") reader.refuse("class of the lists", "ilar", kind);
  const [heldLists, heldSize] = [reader.count("lists"), reader.count("bytes of a code")];
  if (heldLists !== lists || heldSize !== size) reader.refuse("lists", [lists, size], [heldLists, heldSize]);
  const sizes = readSizes(reader, lists);
  const sum = sizes.reduce((sum, size) => sum + size, 0);
  if (sum !== n) reader.refuse("sizes of lists", `the sum ${n}`, sum);
  const codes = new Uint8Array(n * size);
  const ids = new BigInt64Array(n);
  let at = 0;
  for (const count of sizes) {
    codes.set(reader.raw(count * size, "codes of a list"), at * size);
    ids.set(reader.plainIntegers("ids of a list", count), at);
    at += count;
  }
  // Numbers in the order of ids, as they were added if they count up.
  const order = Uint32Array.from(ids.keys()).sort((a, b) => (ids[a]! < ids[b]! ? -1 : Number(ids[a]! > ids[b]!)));
  const numbers = new Uint32Array(n);
  for (const [number, position] of order.entries()) numbers[position] = number;
  const arrays = new Map([
    ["codes", codes],
    ["numbers", new Uint8Array(numbers.buffer)],
  ]);
  const spec = parseSpec(`IVF${lists},${formatSpec(pqSpec(subspaces, 8))}`);
  return { ...head, spec, learned: { centroids, codebooks }, ids: ids.map((_, i) => ids[order[i]!]!), sizes, arrays };
}

function readSizes(reader: Reader, lists: number): number[] {
  const kind = reader.name();
  if (kind === "full") return Array.from(reader.integers("sizes of lists", lists), Number);
  if (kind !== "sprs") reader.refuse("sizes of lists", "full or sprs", kind);
  const sizes = new Array<number>(lists).fill(0);
  const length = reader.count("length of sizes of lists", 2 * lists);
  const pairs = reader.plainIntegers("sizes of lists", length);
  for (let i = 0; i + 1 < length; i += 2) {
    const list = Number(pairs[i]);
    if (!(list >= 0 && list < lists)) reader.refuse("number of a list", `below ${lists}`, list);
    sizes[list] = Number(pairs[i + 1]);
  }
  return sizes;
}

function readBinary(reader: Reader): Found {
  const dimension = reader.i32("dimension");
  const bytes = reader.i32("bytes of a code");
  if (dimension < 1 || dimension > 65_536 || bytes !== Math.ceil(dimension / 8))
    reader.refuse("bytes of a code", Math.ceil(dimension / 8), bytes);
  const n = reader.count("vectors");
  if (reader.u8("is_trained") !== 1) reader.refuse("is_trained", 1, 0);
  reader.i32("metric");
  const codes = reader.bytes("codes", n * bytes);
  const row = 4 * Math.ceil(dimension / 32);
  const words = row === bytes ? codes : new Uint8Array(n * row);
  if (row !== bytes) for (let i = 0; i < n; i++) words.set(codes.subarray(i * bytes, (i + 1) * bytes), i * row);
  const arrays = new Map([["codes", words]]);
  return { spec: parseSpec("Binary"), metric: "hamming", dimension, n, learned: {}, sizes: [n], arrays };
}

function readIdMap(reader: Reader, name: string): Found {
  if (name === "IBMp") reader.raw(21, "a header");
  else header(reader);
  const inner = readIndex(reader, reader.name());
  if (inner.ids) reader.refuse("ids", "of one kind", "a map of ids of lists");
  return { ...inner, ids: reader.integers("ids", inner.n) };
}

function readRefined(reader: Reader): Found {
  const head = header(reader);
  const base = readIndex(reader, reader.name());
  const name = reader.name();
  if (name !== "IxFI" && name !== "IxF2") reader.refuse("refinement", "IxFI or IxF2", name);
  const exact = readFlat(reader);
  reader.f32("k_factor");
  const fits = exact.n === head.n && base.n === head.n && exact.dimension === base.dimension && !base.spec.rescore;
  if (!fits || base.metric === "hamming") reader.refuse("refinement", "of the same vectors", "of others");
  const arrays = new Map([...base.arrays, ["exact.codes", exact.arrays.get("codes")!]]);
  return { ...base, spec: { ...base.spec, rescore: "flat" }, arrays };
}

function readRotated(reader: Reader): Found {
  const head = header(reader);
  const steps = reader.i32("transforms");
  const name = steps === 1 ? reader.name() : `${steps} of them`;
  if (name !== "LTra") reader.refuse("transforms", "one LTra", name);
  if (reader.u8("have_bias") !== 0) reader.refuse("have_bias", 0, 1);
  const { dimension } = head;
  const rotation = reader.floats("rotation", dimension * dimension);
  reader.floats("bias", 0);
  const [into, from] = [reader.i32("d_in"), reader.i32("d_out")];
  if (into !== dimension || from !== dimension) reader.refuse("d_in, d_out", [dimension, dimension], [into, from]);
  reader.u8("is_trained");
  const inner = readIndex(reader, reader.name());
  const { codes } = inner.spec;
  const fits = codes.kind === "pq" && inner.dimension === dimension && !inner.spec.opq;
  if (!fits) reader.refuse("index behind the rotation", `PQ of ${dimension}`, formatSpec(inner.spec));
  const opq = codes.kind === "pq" ? codes.subspaces : 1;
  return { ...inner, spec: { ...inner.spec, opq }, learned: { ...inner.learned, rotation } };
}
