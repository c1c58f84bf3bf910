/** A set of numbers as bits of 32-bit words, which scans read as a filter. */
export class Bits {
  words: Uint32Array = new Uint32Array(0);

  /** Takes numbers up to `count`, of which new ones are in. */
  grow(from: number, count: number): void {
    const length = Math.ceil(count / 32);
    if (length > this.words.length) {
      const words = new Uint32Array(Math.max(length, Math.ceil(this.words.length * 1.25)));
      words.set(this.words);
      this.words = words;
    }
    for (let i = from; i < count; i++) this.words[i >>> 5]! |= 1 << (i & 31);
  }

  has(i: number): boolean {
    return ((this.words[i >>> 5] ?? 0) & (1 << (i & 31))) !== 0;
  }

  delete(i: number): void {
    this.words[i >>> 5]! &= ~(1 << (i & 31));
  }
}
