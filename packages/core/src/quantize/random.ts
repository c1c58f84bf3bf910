/**
 * The random generator of every seeded choice in this package: xoshiro128** (Blackman, Vigna, "Scrambled linear
 * pseudorandom number generators", 2018), its state filled by splitmix32 from a 32-bit seed. Integer operations only, so a
 * seed gives the same numbers in every engine.
 */
export class Random {
  readonly #state = new Uint32Array(4);

  /** @param seed any integer; its low 32 bits count. */
  constructor(seed: number) {
    let s = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      s = (s + 0x9e3779b9) >>> 0;
      let z = s ^ (s >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      this.#state[i] = z ^ (z >>> 15);
    }
  }

  /** The four words that all further numbers follow from, as they are now: a kernel that draws starts from them and leaves its own there. */
  get state(): Uint32Array {
    return this.#state;
  }

  /** The next 32 bits, 0..2^32 - 1. */
  bits32(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const scrambled = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 11);
    return scrambled;
  }

  /** Uniform in [0, 1), a multiple of 2^-53: 27 and then 26 high bits of two draws. */
  uniform(): number {
    const high = this.bits32() >>> 5;
    const low = this.bits32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Uniform integer in 0..n-1, n from 1 to 2^32. */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }
}

const rotateLeft = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
