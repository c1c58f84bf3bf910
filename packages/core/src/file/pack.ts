/** Codes (and sparse floats) in as few bytes as their packing makes of them: the writer of what `expand.ts` reads. */
import { base3RowBytes, fitsBase3, packBase3 } from "./base3.ts";
import { BitWriter } from "./bits.ts";
import type { CodeSizes, Packing } from "./expand.ts";
import { codeLengths, codesOf, lengthBytes, packLengths } from "./huffman.ts";

/** How codes are stored: in their `bits` each, in one way of {@link Packing} where it takes fewer bytes, or in whichever takes fewest. */
export type Pack = "bits" | Packing | "smallest";

export const packs = [
  "bits",
  "base3",
  "huffman",
  "sparse",
  "sparse-huffman",
  "smallest",
] as const satisfies readonly Pack[];

export interface Packed {
  readonly packing?: Packing;
  /** Shape of the tensor that holds the bytes. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** @param codes as a constant has them: least significant bit first, each row on a new byte */
export function packCodes(codes: Uint8Array, sizes: CodeSizes, pack: Pack): Packed {
  const { n, perRow, bits } = sizes;
  const plain: Packed = { shape: [n, Math.ceil((perRow * bits) / 8)], bytes: codes };
  if (pack === "bits" || n * perRow === 0) return plain;
  const candidates: Packed[] = [];
  const isWanted = (packing: Packing) => pack === packing || pack === "smallest";
  const add = (packing: Packing, bytes: Uint8Array) => candidates.push({ packing, shape: [bytes.length], bytes });
  if (isWanted("base3") && bits === 2 && fitsBase3(codes))
    candidates.push({ packing: "base3", shape: [n, base3RowBytes(perRow)], bytes: packBase3(codes, n, perRow) });
  if (pack !== "base3") {
    const each = unpack(codes, sizes);
    const counts = countsOf(each, 1 << bits);
    if (isWanted("huffman")) add("huffman", packHuffman(each, counts));
    const background = counts.indexOf(counts.reduce((most, count) => Math.max(most, count)));
    if (2 * counts[background]! >= each.length) {
      const entries = entriesOf(each, (code) => code !== background);
      const fields = { counts: countsOf(entries.values, 1 << bits), bits };
      const head = Uint8Array.of(background);
      for (const packing of ["sparse", "sparse-huffman"] as const)
        if (isWanted(packing)) add(packing, join(head, packSparse(entries, fields, packing === "sparse-huffman")));
    }
  }
  return candidates.reduce((least, next) => (next.bytes.length < least.bytes.length ? next : least), plain);
}

/** Floats of which most are +0: undefined where no packing that is asked for takes fewer bytes. */
export function packFloats(data: Float32Array, pack: Pack): Packed | undefined {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const zeros = bits.reduce((sum, word) => sum + (word === 0 ? 1 : 0), 0);
  if (2 * zeros < bits.length) return undefined;
  const entries = entriesOf(bits, (word) => word !== 0);
  return (["sparse", "sparse-huffman"] as const)
    .filter((packing) => pack === packing || pack === "smallest")
    .map((packing) => {
      const bytes = packSparse(entries, undefined, packing === "sparse-huffman");
      return { packing, shape: [bytes.length], bytes };
    })
    .filter(({ bytes }) => bytes.length < data.byteLength)
    .sort((a, b) => a.bytes.length - b.bytes.length)[0];
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** One code a byte. */
function unpack(codes: Uint8Array, { n, perRow, bits }: CodeSizes): Uint8Array {
  const each = new Uint8Array(n * perRow);
  const mask = (1 << bits) - 1;
  for (let row = 0, from = 0, to = 0; row < n; row++) {
    let [pending, held] = [0, 0];
    for (let i = 0; i < perRow; i++) {
      if (held < bits) {
        pending |= codes[from++]! << held;
        held += 8;
      }
      each[to++] = pending & mask;
      pending >>>= bits;
      held -= bits;
    }
  }
  return each;
}

function countsOf(symbols: ArrayLike<number>, count: number): Uint32Array {
  const counts = new Uint32Array(count);
  for (let i = 0; i < symbols.length; i++) counts[symbols[i]!]!++;
  return counts;
}

function packHuffman(each: Uint8Array, counts: Uint32Array): Uint8Array {
  const lengths = codeLengths(counts);
  const words = codesOf(lengths);
  const stream = new BitWriter();
  for (let i = 0; i < each.length; i++) stream.write(words[each[i]!]!, lengths[each[i]!]!);
  return join(packLengths(lengths), stream.finish());
}

/** The elements that are not the frequent one. */
interface Entries<T> {
  /** Frequent elements in front of each, and behind the last. */
  readonly gaps: Uint32Array;
  readonly values: T;
}

function entriesOf<T extends Uint8Array | Uint32Array>(elements: T, isEntry: (element: number) => boolean): Entries<T> {
  let count = 0;
  for (let i = 0; i < elements.length; i++) if (isEntry(elements[i]!)) count++;
  const gaps = new Uint32Array(count + 1);
  const values = elements.slice(0, count) as T;
  let [entry, gap] = [0, 0];
  for (let i = 0; i < elements.length; i++)
    if (isEntry(elements[i]!)) {
      values[entry] = elements[i]!;
      gaps[entry++] = gap;
      gap = 0;
    } else gap++;
  gaps[entry] = gap;
  return { gaps, values };
}

/** Symbols of a stream: plain numbers, or Huffman codes. */
interface Alphabet {
  readonly lengths: Uint8Array;
  readonly words: ArrayLike<number>;
}

const plainAlphabet = (bits: number): Alphabet => ({
  lengths: new Uint8Array(1 << bits).fill(bits),
  words: Uint16Array.from({ length: 1 << bits }, (_, value) => value),
});

function huffmanAlphabet(counts: Uint32Array): Alphabet {
  const lengths = codeLengths(counts);
  return { lengths, words: codesOf(lengths) };
}

/** Gaps as symbols of `bits`: the highest says that as many follow and no value does. The last gap ends where its elements do. */
function gapCounts(gaps: Uint32Array, bits: number): Uint32Array {
  const counts = new Uint32Array(1 << bits);
  const jump = counts.length - 1;
  for (let i = 0; i < gaps.length; i++) {
    const gap = gaps[i]!;
    counts[jump]! += Math.floor(gap / jump);
    if (i < gaps.length - 1 || gap % jump > 0) counts[gap % jump]!++;
  }
  return counts;
}

/** @param fields how values are written; absent: as 32 bits each */
function packSparse(
  { gaps, values }: Entries<Uint8Array | Uint32Array>,
  fields: { readonly counts: Uint32Array; readonly bits: number } | undefined,
  isHuffman: boolean,
): Uint8Array {
  const alphabetOf = isHuffman
    ? huffmanAlphabet
    : (counts: Uint32Array) => plainAlphabet(31 - Math.clz32(counts.length));
  const cost = (counts: Uint32Array, { lengths }: Alphabet): number =>
    counts.reduce(
      (sum, count, symbol) => sum + count * lengths[symbol]!,
      isHuffman ? 8 * lengthBytes(counts.length) : 0,
    );
  const best = [1, 2, 3, 4, 5, 6, 7, 8]
    .map((bits) => {
      const counts = gapCounts(gaps, bits);
      const alphabet = alphabetOf(counts);
      return { bits, alphabet, cost: cost(counts, alphabet) };
    })
    .reduce((least, next) => (next.cost < least.cost ? next : least));
  const value = fields && alphabetOf(fields.counts);
  const jump = (1 << best.bits) - 1;
  const stream = new BitWriter();
  const write = ({ lengths, words }: Alphabet, symbol: number) => stream.write(words[symbol]!, lengths[symbol]!);
  for (let i = 0; i < gaps.length; i++) {
    let gap = gaps[i]!;
    for (; gap >= jump; gap -= jump) write(best.alphabet, jump);
    const isLast = i === values.length;
    if (!isLast || gap > 0) write(best.alphabet, gap);
    if (isLast) continue;
    if (value) write(value, values[i]!);
    else {
      stream.write(values[i]! & 0xffff, 16);
      stream.write(values[i]! >>> 16, 16);
    }
  }
  return join(
    Uint8Array.of(best.bits),
    isHuffman ? packLengths(best.alphabet.lengths) : new Uint8Array(0),
    isHuffman && value ? packLengths(value.lengths) : new Uint8Array(0),
    stream.finish(),
  );
}
