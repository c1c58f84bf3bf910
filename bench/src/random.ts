/**
 * The generator behind every tensor of a case: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014). Draw i, counted from 1, is mix(s + i * 0x9e3779b97f4a7c15) mod 2^64, so another language can make
 * any part of a tensor without the part before it. s is (seed << 32) + stream; a tensor's stream is its place in the task.
 *
 * A 64-bit number is two 32-bit halves here: BigInt would take longer than the benchmark.
 */
export class SplitMix64 {
  #high: number;
  #low: number;
  /** Halves of the last draw. */
  high = 0;
  low = 0;

  /** @param seed @param stream integers; their low 32 bits count */
  constructor(seed: number, stream: number) {
    this.#high = seed >>> 0;
    this.#low = stream >>> 0;
  }

  /** Draws 64 bits into `high` and `low`. */
  next(): void {
    const sum = this.#low + 0x7f4a7c15;
    this.#low = sum >>> 0;
    this.#high = (this.#high + 0x9e3779b9 + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    let [high, low] = [this.#high, this.#low];
    // z ^= z >>> 30; z *= 0xbf58476d1ce4e5b9
    low ^= (low >>> 30) | (high << 2);
    high ^= high >>> 30;
    [high, low] = [multiplyHigh(high, low, 0xbf58476d, 0x1ce4e5b9), Math.imul(low, 0x1ce4e5b9)];
    // z ^= z >>> 27; z *= 0x94d049bb133111eb
    low ^= (low >>> 27) | (high << 5);
    high ^= high >>> 27;
    [high, low] = [multiplyHigh(high, low, 0x94d049bb, 0x133111eb), Math.imul(low, 0x133111eb)];
    // z ^= z >>> 31
    this.low = (low ^ ((low >>> 31) | (high << 1))) >>> 0;
    this.high = (high ^ (high >>> 31)) >>> 0;
  }

  /** Fills `bytes` with the draws, each as 8 little-endian bytes. */
  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 8) {
      this.next();
      for (let j = 0; j < 4; j++) {
        bytes[i + j] = this.low >>> (8 * j);
        bytes[i + 4 + j] = this.high >>> (8 * j);
      }
    }
  }
}

/** The upper half of the low 64 bits of (aHigh, aLow) * (bHigh, bLow). */
function multiplyHigh(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const [a0, a1, b0, b1] = [aLow & 0xffff, aLow >>> 16, bLow & 0xffff, bLow >>> 16];
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = (middle % 0x10000) + a0 * b1;
  const high = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
  return (high + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0;
}
