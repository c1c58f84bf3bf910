/**
 * Where each value of a run lies in one block of memory, so that values whose lifetimes do not meet share bytes.
 *
 * Greedy by size: the largest first, each at the lowest offset that is free during its life. Pisarchyk and Lee,
 * "Efficient Memory Management for Deep Neural Net Inference", 2020, section 4.3.
 */

/** A span of bytes wanted during steps `first` to `last`, both included. */
export interface Span {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Arena {
  /** Offset of each span, a multiple of {@link alignment}. */
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** A cache line; no kernel wants more. */
export const alignment = 64;

const padded = (bytes: number): number => Math.ceil(Math.max(1, bytes) / alignment) * alignment;

export function layOut(spans: readonly Span[]): Arena {
  const offsets = new Array<number>(spans.length).fill(0);
  const order = spans.map((_, i) => i).sort((a, b) => spans[b]!.bytes - spans[a]!.bytes || a - b);
  /** Placed spans by rising offset. */
  const placed: number[] = [];
  let total = 0;
  for (const i of order) {
    const span = spans[i]!;
    const size = padded(span.bytes);
    let offset = 0;
    for (const other of placed) {
      const { first, last, bytes } = spans[other]!;
      if (first > span.last || last < span.first) continue;
      if (offset + size <= offsets[other]!) break;
      offset = Math.max(offset, offsets[other]! + padded(bytes));
    }
    offsets[i] = offset;
    const at = placed.findIndex((other) => offsets[other]! > offset);
    placed.splice(at < 0 ? placed.length : at, 0, i);
    total = Math.max(total, offset + size);
  }
  return { offsets, bytes: total };
}
