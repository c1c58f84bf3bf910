/**
 * 4-bit codes in blocks of 32 vectors: both have M rows of 16 bytes a block, in which a byte holds vectors j and 16 + j; Faiss orders its bytes so that 16-bit sums of even and odd
 * bytes come out in order, and fills up an odd M with a row of zeros.
 */
const ORDER = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15] as const;

/** Rows of Faiss' blocks. */
export const faissRows = (subspaces: number): number => subspaces + (subspaces % 2);

/** One pass over the bytes, once a file. */
export function toFaissBlocks(blocks: Uint8Array, subspaces: number): Uint8Array<ArrayBuffer> {
  const [from, to] = [16 * subspaces, 16 * faissRows(subspaces)];
  const packed = new Uint8Array((blocks.length / from) * to);
  for (let source = 0, target = 0; source < blocks.length; source += from, target += to)
    for (let row = 0; row < from; row += 16)
      for (let j = 0; j < 16; j++) packed[target + row + j] = blocks[source + row + ORDER[j]!]!;
  return packed;
}

export function fromFaissBlocks(packed: Uint8Array, subspaces: number): Uint8Array<ArrayBuffer> {
  const [from, to] = [16 * faissRows(subspaces), 16 * subspaces];
  const blocks = new Uint8Array((packed.length / from) * to);
  for (let source = 0, target = 0; source < packed.length; source += from, target += to)
    for (let row = 0; row < to; row += 16)
      for (let j = 0; j < 16; j++) blocks[target + row + ORDER[j]!] = packed[source + row + j]!;
  return blocks;
}
