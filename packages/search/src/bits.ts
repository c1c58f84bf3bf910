/** A set of numbers as bits of 32-bit words, which scans read as a filter. */
export class Bits {
  words: Uint32Array;
  #size: number;

  constructor(words: Uint32Array = new Uint32Array(0)) {
    this.words = words;
    this.#size = words.reduce((size, word) => size + ones(word), 0);
  }

  /** How many are in. */
  get size(): number {
    return this.#size;
  }

  /** Takes in the numbers `from` to `count`, none of which was there. */
  grow(from: number, count: number): void {
    const length = Math.ceil(count / 32);
    if (length > this.words.length) {
      const words = new Uint32Array(Math.max(length, Math.ceil(this.words.length * 1.25)));
      words.set(this.words);
      this.words = words;
    }
    for (let i = from; i < count; i++) this.words[i >>> 5]! |= 1 << (i & 31);
    this.#size += count - from;
  }

  has(i: number): boolean {
    return ((this.words[i >>> 5] ?? 0) & (1 << (i & 31))) !== 0;
  }

  delete(i: number): void {
    if (!this.has(i)) return;
    this.words[i >>> 5]! &= ~(1 << (i & 31));
    this.#size--;
  }
}

function ones(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
