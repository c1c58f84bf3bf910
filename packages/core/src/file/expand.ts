/** Codes (and sparse floats) as a graph has them, from the packings that a file may have. Loaded where a file has any: most have none. */
import { FormatError } from "../errors.ts";
import { expandBase3 } from "./base3.ts";
import { BitReader, fieldTable, type SymbolTable } from "./bits.ts";
import { lengthBytes, readTable } from "./huffman.ts";

/** How the codes of a constant are stored other than in `bits` each. */
export type Packing = "base3" | "huffman" | "sparse" | "sparse-huffman";

export const packings = ["base3", "huffman", "sparse", "sparse-huffman"] as const satisfies readonly Packing[];

/** Codes [n, perRow] of `bits` each. */
export interface CodeSizes {
  readonly n: number;
  readonly perRow: number;
  readonly bits: number;
}

export interface Expand {
  /**
   * @param what for the error: the tensor that is expanded
   * @returns codes as a constant has them: least significant bit first, each row on a new byte
   * @throws FormatError
   */
  codes(packing: Packing, packed: Uint8Array, sizes: CodeSizes, what: string): Uint8Array<ArrayBuffer>;
  /** @returns that many floats */
  floats(
    packing: "sparse" | "sparse-huffman",
    packed: Uint8Array,
    length: number,
    what: string,
  ): Float32Array<ArrayBuffer>;
}

export const expand: Expand = {
  codes(packing, packed, sizes, what) {
    if (packing === "base3") return expandBase3(packed, sizes.n, sizes.perRow, what);
    return packing === "huffman"
      ? expandHuffman(packed, sizes, what)
      : expandSparse(packed, sizes, packing === "sparse-huffman", what);
  },
  floats: (packing, packed, length, what) => expandFloats(packed, length, packing === "sparse-huffman", what),
};

const rowBytesOf = ({ perRow, bits }: CodeSizes): number => Math.ceil((perRow * bits) / 8);

function refuse(what: string, expected: unknown, got: unknown): never {
  throw new FormatError("metadata-field", what, expected, got);
}

function checkEnd(reader: BitReader, what: string): void {
  if (!reader.isAtEnd()) refuse(`stream of ${what}`, "an end with its last byte, spare bits 0", "another end");
}

function expandHuffman(packed: Uint8Array, sizes: CodeSizes, what: string): Uint8Array<ArrayBuffer> {
  const { n, perRow, bits } = sizes;
  const start = lengthBytes(1 << bits);
  // A code takes a bit at least: what is allocated follows from the file's size.
  if (8 * (packed.length - start) < n * perRow) refuse(`codes of ${what}`, `at most 8 for a byte`, n * perRow);
  const table = readTable(packed, 0, 1 << bits, what);
  const reader = new BitReader(packed, start);
  const rowBytes = rowBytesOf(sizes);
  const codes = new Uint8Array(n * rowBytes);
  for (let row = 0; row < n; row++) reader.codes(table, perRow, bits, codes, row * rowBytes);
  checkEnd(reader, what);
  return codes;
}

/** A stream of gaps and what stands behind each. */
interface SparseStream {
  readonly reader: BitReader;
  readonly gaps: SymbolTable;
  /** The gap behind which nothing stands. */
  readonly jump: number;
}

/** @param at where the gaps' bits stand, in a byte of their own in front of all tables */
function openSparse(
  packed: Uint8Array,
  at: number,
  total: number,
  isHuffman: boolean,
  valueBits: number,
  what: string,
) {
  const gapBits = packed[at] ?? refuse(`bytes of ${what}`, "a sparse stream", packed.length);
  if (gapBits < 1 || gapBits > 8) refuse(`bits of a gap of ${what}`, "1 to 8", gapBits);
  const tables = at + 1;
  const values = tables + (isHuffman ? lengthBytes(1 << gapBits) : 0);
  const start = values + (isHuffman && valueBits > 0 ? lengthBytes(1 << valueBits) : 0);
  // A gap takes a bit at least and stands for 2^gapBits codes at most.
  if (8 * (packed.length - start) * (1 << gapBits) < total)
    refuse(`codes of ${what}`, `at most ${8 << gapBits} for a byte`, total);
  const gaps = isHuffman ? readTable(packed, tables, 1 << gapBits, `gaps of ${what}`) : fieldTable(gapBits);
  const stream: SparseStream = { reader: new BitReader(packed, start), gaps, jump: (1 << gapBits) - 1 };
  const value = (): SymbolTable =>
    isHuffman ? readTable(packed, values, 1 << valueBits, what) : fieldTable(valueBits);
  return { stream, value };
}

/** Calls `take` at every position that the stream stops at. */
function walk({ reader, gaps, jump }: SparseStream, total: number, what: string, take: (at: number) => void): void {
  for (let at = 0; at < total; ) {
    const gap = reader.symbol(gaps);
    at += gap;
    if (at > total) refuse(`gaps of ${what}`, `at most ${total} codes`, at);
    if (gap !== jump && at < total) take(at++);
  }
  checkEnd(reader, what);
}

function expandSparse(packed: Uint8Array, sizes: CodeSizes, isHuffman: boolean, what: string): Uint8Array<ArrayBuffer> {
  const { n, perRow, bits } = sizes;
  const rowBytes = rowBytesOf(sizes);
  const background = packed[0] ?? 0;
  if (background >= 1 << bits) refuse(`most frequent code of ${what}`, `below ${1 << bits}`, background);
  const { stream, value } = openSparse(packed, 1, n * perRow, isHuffman, bits, what);
  const values = value();
  const codes = backgroundRows(background, sizes);
  const { reader } = stream;
  let [row, rowEnd] = [0, perRow];
  walk(stream, n * perRow, what, (at) => {
    const difference = reader.symbol(values) ^ background;
    if (difference === 0) refuse(`a code of ${what}`, "other than the most frequent", background);
    while (at >= rowEnd) {
      row++;
      rowEnd += perRow;
    }
    const bit = (at - rowEnd + perRow) * bits;
    const to = row * rowBytes + (bit >>> 3);
    const shifted = difference << (bit & 7);
    codes[to]! ^= shifted;
    if (shifted > 255) codes[to + 1]! ^= shifted >> 8;
  });
  return codes;
}

/** Codes that are all `code`. */
function backgroundRows(code: number, sizes: CodeSizes): Uint8Array<ArrayBuffer> {
  const { n, perRow, bits } = sizes;
  const rowBytes = rowBytesOf(sizes);
  const codes = new Uint8Array(n * rowBytes);
  if (code === 0) return codes;
  for (let i = 0; i < perRow; i++) {
    const shifted = code << ((i * bits) & 7);
    codes[(i * bits) >>> 3]! |= shifted;
    if (shifted > 255) codes[((i * bits) >>> 3) + 1]! |= shifted >> 8;
  }
  for (let row = 1; row < n; row++) codes.copyWithin(row * rowBytes, 0, rowBytes);
  return codes;
}

function expandFloats(packed: Uint8Array, length: number, isHuffman: boolean, what: string): Float32Array<ArrayBuffer> {
  const { stream } = openSparse(packed, 0, length, isHuffman, 0, what);
  const bits = new Uint32Array(length);
  const { reader } = stream;
  walk(stream, length, what, (at) => {
    bits[at] = (reader.uint16() | (reader.uint16() << 16)) >>> 0;
    if (bits[at] === 0) refuse(`a float of ${what}`, "other than 0", 0);
  });
  return new Float32Array(bits.buffer);
}
