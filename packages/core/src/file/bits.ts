/** Streams of bits: the first bit is the least significant of the first byte. */

export class BitWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #pending = 0;
  #held = 0;

  /** Appends the `width` (0..16) lowest bits of `value`, which has no others. */
  write(value: number, width: number): void {
    this.#pending |= value << this.#held;
    this.#held += width;
    for (; this.#held >= 8; this.#held -= 8, this.#pending >>>= 8) this.#append(this.#pending & 255);
  }

  /** All bytes; the spare bits of the last one are 0. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#held > 0) this.#append(this.#pending);
    return this.#bytes.slice(0, this.#length);
  }

  #append(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }
}

/** What the next bits of a stream mean: by the lowest `width` of them, symbol << 4 | bits that it takes (1..12). */
export interface SymbolTable {
  readonly width: number;
  readonly entries: Uint16Array;
}

/** Plain numbers of `width` (1..8) bits as a table. */
export const fieldTable = (width: number): SymbolTable => ({
  width,
  entries: Uint16Array.from({ length: 1 << width }, (_, value) => (value << 4) | width),
});

/** Behind the last byte there are zeros, without an error: `isAtEnd` says whether any were taken. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #pending = 0;
  #held = 0;

  /** @param start the byte that the stream begins at */
  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes;
    this.#at = start;
  }

  symbol({ entries, width }: SymbolTable): number {
    this.#fill();
    const entry = entries[this.#pending & ((1 << width) - 1)]!;
    const taken = entry & 15;
    this.#pending >>>= taken;
    this.#held -= taken;
    return entry >> 4;
  }

  /**
   * The next `count` symbols as codes of `bits` each, from byte `to` of `codes` on, least significant bit first. What `symbol` does, with all that changes
   * in local variables: a third of the time.
   */
  codes({ entries, width }: SymbolTable, count: number, bits: number, codes: Uint8Array, to: number): void {
    const bytes = this.#bytes;
    const mask = (1 << width) - 1;
    const last = bytes.length - 2;
    let [at, pending, held] = [this.#at, this.#pending, this.#held];
    let [made, ready] = [0, 0];
    for (let i = 0; i < count; i++) {
      if (held < width) {
        const next = at <= last ? bytes[at]! | (bytes[at + 1]! << 8) : at <= last + 1 ? bytes[at]! : 0;
        pending |= next << held;
        at += 2;
        held += 16;
      }
      const entry = entries[pending & mask]!;
      const taken = entry & 15;
      pending >>>= taken;
      held -= taken;
      made |= (entry >> 4) << ready;
      ready += bits;
      if (ready >= 8) {
        codes[to++] = made;
        made >>>= 8;
        ready -= 8;
      }
    }
    if (ready > 0) codes[to] = made;
    [this.#at, this.#pending, this.#held] = [at, pending, held];
  }

  uint16(): number {
    this.#fill();
    const value = this.#pending & 0xffff;
    this.#pending >>>= 16;
    this.#held -= 16;
    return value;
  }

  /** Whether all bytes were taken, none behind them was, and the spare bits of the last are 0. */
  isAtEnd(): boolean {
    const spare = this.#held + 8 * (this.#bytes.length - this.#at);
    return spare >= 0 && spare < 8 && this.#pending === 0;
  }

  /** At least 16 bits are there behind it. */
  #fill(): void {
    if (this.#held >= 16) return;
    const [at, bytes] = [this.#at, this.#bytes];
    if (at + 1 < bytes.length) this.#pending |= (bytes[at]! | (bytes[at + 1]! << 8)) << this.#held;
    else if (at < bytes.length) this.#pending |= bytes[at]! << this.#held;
    this.#at += 2;
    this.#held += 16;
  }
}
