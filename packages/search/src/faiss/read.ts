/** Files of Faiss' `index_write`; everything they say is checked before it is used. */
import { type LoadKernelsOptions, loadKernels, packPqBlocks, pqBlockBytes } from "lowbit/kernels";
import { Bits } from "../bits.ts";
import { Ids, type IndexId } from "../ids.ts";
import { Payloads } from "../payloads.ts";
import { Index } from "../search-index.ts";
import { formatSpec, type IndexSpec, parseSpec } from "../spec.ts";
import type { IndexPart } from "../store.ts";
import { faissRows, fromFaissBlocks } from "./blocks.ts";
import { Reader } from "./bytes.ts";
import { readGraph } from "./graph.ts";
import { readLists } from "./lists.ts";
import { type Found, header, pqSpec, readFlat, readQuantizer } from "./parts.ts";

const SUPPORTED = "IxFI, IxF2, IxPq, IPfs, IwFl, IwPQ, IwPf, IHNf, IHNp, IBxF, in IxMp, IBMp, IxRF or IxPT (LTra)";

/**
 * The index of a Faiss file: flat (inner product, L2), PQ of 8 or 4 bits, PQ fast scan, inverted files of them with residuals, HNSW over flat and PQ, binary flat; with an id map, a linear transform that is a rotation (OPQ) and a flat refinement.
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
  const { spec, metric, dimension, n, learned, sizes, arrays, plain, graph } = found;
  const ids = idsOf(found.ids, n, reader);
  const instance = await loadKernels({ ...kernels, part: "search", ...(signal && { signal }) });
  const live = new Bits();
  live.grow(0, n);
  const words = { payloads: new Payloads(), about: {} };
  const state = { instance, spec, metric, input: dimension, learned, ids, ...words, live };
  const { efConstruction = 1, entry = 0 } = graph ?? {};
  return Index.restore({ ...state, efConstruction }, (parts, links) => {
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
    links?.restored(n, entry);
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

function readIndex(reader: Reader, name: string): Found {
  switch (name) {
    case "IxFI":
    case "IxF2":
      return readFlat(reader);
    case "IxPq":
      return readPq(reader);
    case "IPfs":
      return readFastScan(reader);
    case "IwFl":
    case "IwPQ":
    case "IwPf":
      return readLists(reader, name);
    case "IHNf":
    case "IHNp":
      return readGraph(reader, header(reader), () => readIndex(reader, reader.name()));
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
