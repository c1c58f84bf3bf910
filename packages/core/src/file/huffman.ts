/**
 * Canonical Huffman codes of up to 256 symbols and at most 12 bits, as RFC 1951 has them: in order of length, then of symbol, and sent from their
 * most significant bit. A file holds their lengths alone, four bits each, 0 where a symbol does not occur.
 */
import { FormatError } from "../errors.ts";
import type { SymbolTable } from "./bits.ts";

/** Bits of the longest code: a table of all that a stream may go on with has 4,096 entries. */
export const LONGEST = 12;

/** Bytes that the lengths of `symbols` codes take. */
export const lengthBytes = (symbols: number): number => Math.ceil(symbols / 2);

/**
 * Lengths of the codes with the least sum of count * length under the limit (package-merge: Larmore, Hirschberg 1990), by symbol.
 * A code has two symbols at least, so that it is complete: where fewer occur, the lowest of the others stand in.
 */
export function codeLengths(counts: Uint32Array): Uint8Array {
  const symbols = [...counts.keys()].filter((symbol) => counts[symbol]! > 0);
  for (let spare = 0; symbols.length < 2; spare++) if (!symbols.includes(spare)) symbols.push(spare);
  const leaves = symbols
    .map((symbol) => ({ count: counts[symbol]!, members: [symbol] }))
    .sort((a, b) => a.count - b.count || a.members[0]! - b.members[0]!);
  let merged = leaves;
  for (let level = 1; level < LONGEST; level++) {
    const packages = merged.flatMap(({ count, members }, i) => {
      const next = merged[i + 1];
      return i % 2 === 1 || next === undefined
        ? []
        : [{ count: count + next.count, members: [...members, ...next.members] }];
    });
    // The sort is stable: the same lengths everywhere.
    merged = [...leaves, ...packages].sort((a, b) => a.count - b.count);
  }
  const lengths = new Uint8Array(counts.length);
  for (const { members } of merged.slice(0, 2 * leaves.length - 2)) for (const symbol of members) lengths[symbol]!++;
  return lengths;
}

/** The codes, as numbers whose lowest bit is sent first; 0 where a length is 0. */
export function codesOf(lengths: Uint8Array): Uint16Array {
  const codes = new Uint16Array(lengths.length);
  for (let length = 1, code = 0; length <= LONGEST; length++, code <<= 1)
    for (const [symbol, own] of lengths.entries())
      if (own === length) {
        for (let bit = 0; bit < length; bit++) codes[symbol]! |= ((code >> bit) & 1) << (length - 1 - bit);
        code++;
      }
  return codes;
}

/** @returns lengths as a file has them, the lower half of a byte first */
export const packLengths = (lengths: Uint8Array): Uint8Array =>
  Uint8Array.from(
    { length: lengthBytes(lengths.length) },
    (_, i) => lengths[2 * i]! | ((lengths[2 * i + 1] ?? 0) << 4),
  );

/**
 * @param packed lengths of `symbols` codes as a file has them, from byte `start`
 * @throws FormatError where they are those of no complete code
 */
export function readTable(packed: Uint8Array, start: number, symbols: number, what: string): SymbolTable {
  const lengths = Uint8Array.from(
    { length: symbols },
    (_, symbol) => (packed[start + (symbol >> 1)]! >> (4 * (symbol & 1))) & 15,
  );
  const width = lengths.reduce((longest, length) => Math.max(longest, length), 0);
  if (width > LONGEST)
    throw new FormatError("metadata-field", `longest Huffman code of ${what}`, `at most ${LONGEST} bits`, width);
  const taken = lengths.reduce((sum, length) => sum + (length && 1 << (LONGEST - length)), 0);
  if (taken !== 1 << LONGEST)
    throw new FormatError(
      "metadata-field",
      `Huffman codes of ${what}`,
      "lengths of a complete code",
      `${taken} of ${1 << LONGEST} taken`,
    );
  const entries = new Uint16Array(1 << width);
  for (const [symbol, code] of codesOf(lengths).entries()) {
    const length = lengths[symbol]!;
    if (length > 0) for (let at = code; at < entries.length; at += 1 << length) entries[at] = (symbol << 4) | length;
  }
  return { width, entries };
}
