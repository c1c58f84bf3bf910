/** Inverted files of Faiss, read and written. */
import { formatSpec, type IndexSpec, parseSpec } from "../spec.ts";
import type { IndexPart } from "../store.ts";
import { faissRows, fromFaissBlocks, toFaissBlocks } from "./blocks.ts";
import type { Reader, Writer } from "./bytes.ts";
import { type Found, header, pqSpec, readFlat, readQuantizer } from "./parts.ts";

/** Lists of flat vectors (IwFl), of PQ of 8 bits (IwPQ) or of fast scan (IwPf), the two of residuals. */
export function readLists(reader: Reader, name: string): Found {
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
  const inner = innerOf(reader, name, dimension);
  const { rows } = inner;
  const kind = reader.name();
  const { sizes, codes, ids } = inner.blocks
    ? readBlocks(reader, kind, lists, inner.blocks)
    : readRows(reader, kind, lists, rows);
  if (ids.length !== n) reader.refuse("sizes of lists", `the sum ${n}`, ids.length);
  // Numbers in the order of ids, as they were added if they count up.
  const order = Uint32Array.from(ids.keys()).sort((a, b) => (ids[a]! < ids[b]! ? -1 : Number(ids[a]! > ids[b]!)));
  const numbers = new Uint32Array(n);
  for (const [number, position] of order.entries()) numbers[position] = number;
  const arrays = new Map([
    ["codes", codes],
    ["numbers", new Uint8Array(numbers.buffer)],
  ]);
  const spec = parseSpec(`IVF${lists},${formatSpec(inner.spec)}`);
  const learned = { centroids, codebooks: inner.codebooks };
  return { ...head, spec, learned, ids: ids.map((_, i) => ids[order[i]!]!), sizes, arrays };
}

interface Inner {
  readonly spec: IndexSpec;
  readonly codebooks?: Float32Array;
  /** Bytes of a code. */
  readonly rows: number;
  /** Sub-spaces of codes that are in blocks. */
  readonly blocks?: number;
}

function innerOf(reader: Reader, name: string, dimension: number): Inner {
  if (name === "IwFl") return { spec: parseSpec("Flat"), rows: 4 * dimension };
  if (reader.u8("by_residual") !== 1) reader.refuse("by_residual", "1 (IVF<lists>,PQ<M>x4fsr)", 0);
  const size = reader.count("bytes of a code");
  if (name === "IwPQ") {
    const { subspaces, codebooks } = readQuantizer(reader, dimension, [8]);
    if (size !== subspaces) reader.refuse("bytes of a code", subspaces, size);
    return { spec: pqSpec(subspaces, 8), codebooks, rows: subspaces };
  }
  const block = reader.i32("vectors of a block");
  if (block !== 32) reader.refuse("vectors of a block", 32, block);
  const held = reader.count("rows of a block");
  reader.i32("implementation");
  reader.raw(8, "queries of a block");
  const { subspaces, codebooks } = readQuantizer(reader, dimension, [4]);
  if (held !== faissRows(subspaces)) reader.refuse("rows of a block", faissRows(subspaces), held);
  return { spec: pqSpec(subspaces, 4), codebooks, rows: size, blocks: subspaces };
}

interface ListRows {
  readonly sizes: readonly number[];
  readonly codes: Uint8Array;
  readonly ids: BigInt64Array;
}

function readRows(reader: Reader, kind: string, lists: number, size: number): ListRows {
  if (kind !== "ilar") reader.refuse("class of the lists", "ilar", kind);
  const [heldLists, heldSize] = [reader.count("lists"), reader.count("bytes of a code")];
  if (heldLists !== lists || heldSize !== size) reader.refuse("lists", [lists, size], [heldLists, heldSize]);
  const sizes = readSizes(reader, lists);
  const parts = sizes.map((count) => {
    const codes = reader.raw(count * size, "codes of a list");
    return { codes, ids: reader.plainIntegers("ids of a list", count) };
  });
  return { sizes, ...joined(parts) };
}

/** Lists of whole blocks. */
function readBlocks(reader: Reader, kind: string, lists: number, subspaces: number): ListRows {
  if (kind !== "ilbl") reader.refuse("class of the lists", "ilbl", kind);
  const held = reader.count("lists");
  if (held !== lists) reader.refuse("lists", lists, held);
  // Of no meaning in blocks: -1.
  reader.raw(8, "bytes of a code");
  const bytes = 16 * faissRows(subspaces);
  const sizesOfBlock = [reader.count("vectors of a block"), reader.count("bytes of a block")];
  if (sizesOfBlock[0] !== 32 || sizesOfBlock[1] !== bytes) reader.refuse("blocks", [32, bytes], sizesOfBlock);
  const parts = Array.from({ length: lists }, () => {
    const count = reader.count("ids of a list");
    const ids = reader.plainIntegers("ids of a list", count);
    return { ids, codes: fromFaissBlocks(reader.bytes("codes of a list", Math.ceil(count / 32) * bytes), subspaces) };
  });
  return { sizes: parts.map(({ ids }) => ids.length), ...joined(parts) };
}

function joined(parts: readonly { readonly codes: Uint8Array; readonly ids: BigInt64Array }[]) {
  const codes = new Uint8Array(parts.reduce((sum, { codes }) => sum + codes.length, 0));
  const ids = new BigInt64Array(parts.reduce((sum, { ids }) => sum + ids.length, 0));
  let [at, first] = [0, 0];
  for (const part of parts) {
    codes.set(part.codes, at);
    ids.set(part.ids, first);
    at += part.codes.length;
    first += part.ids.length;
  }
  return { codes, ids };
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

/** Sizes of lists, then codes and ids of each. @param names of vectors; absent: their numbers */
export function writeRows(writer: Writer, parts: readonly IndexPart[], size: number, names: BigInt64Array | undefined) {
  const lists = listsOf(parts);
  writer.name("ilar").i64(lists.length, size);
  const sizes = lists.map(({ n }) => n);
  const full = sizes.filter((n) => n > 0).length > Math.floor(lists.length / 2);
  const some = sizes.flatMap((n, i) => (n > 0 ? [i, n] : []));
  writer.name(full ? "full" : "sprs").vector(BigInt64Array.from(full ? sizes : some, BigInt));
  for (const { codes, numbers } of lists) writer.raw(codes).raw(new Uint8Array(named(numbers, names).buffer));
}

/** The same of 4-bit codes. */
export function writeBlocks(
  writer: Writer,
  parts: readonly IndexPart[],
  subspaces: number,
  names: BigInt64Array | undefined,
) {
  const lists = listsOf(parts);
  writer.name("ilbl").i64(lists.length, -1, 32, 16 * faissRows(subspaces));
  for (const { codes, numbers } of lists) writer.vector(named(numbers, names)).vector(toFaissBlocks(codes, subspaces));
}

function listsOf(parts: readonly IndexPart[]) {
  const numbers = parts.filter(({ name }) => name === "numbers");
  return parts
    .filter(({ name }) => name === "codes")
    .map(({ block, of }, list) => ({
      n: of.n,
      codes: block.view().slice(),
      numbers: new Uint32Array(numbers[list]!.block.view().slice().buffer),
    }));
}

const named = (numbers: Uint32Array, names: BigInt64Array | undefined): BigInt64Array<ArrayBuffer> =>
  BigInt64Array.from(numbers, (i) => names?.[i] ?? BigInt(i));
