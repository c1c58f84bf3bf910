/**
 * The seeded generator behind every random choice of a training run: initial weights, the order of the images,
 * augmentation. It is xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018), its
 * state filled by SplitMix32, in 32-bit integer arithmetic only, so that a seed means the same run in every engine.
 *
 * A generator is made for a purpose, `new Random(seed, ...path)`: epoch 7 of seed 1 draws the same numbers whether the
 * run came there from the start or was resumed, which is what makes a resumed run equal to an unbroken one.
 */
export class Random {
  readonly #state = new Uint32Array(4);

  /** @param path integers that name the purpose; each path gives an independent sequence */
  constructor(seed: number, ...path: readonly number[]) {
    let mixed = splitMix32(seed >>> 0);
    for (const step of path) mixed = splitMix32(mixed ^ splitMix32((step + 0x9e3779b9) >>> 0));
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      this.#state[i] = splitMix32(mixed);
    }
    // The all-zero state is the one fixed point of the recurrence.
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }

  /** A generator with this state of four words, not all 0. */
  static fromState(state: Uint32Array): Random {
    const random = new Random(0);
    random.#state.set(state);
    return random;
  }

  /** A uniform integer in [0, 2^32). */
  uint32(): number {
    const [s0, s1, s2, s3] = this.#state as unknown as [number, number, number, number];
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    const t2 = s2 ^ s0;
    const t3 = s3 ^ s1;
    this.#state[1] = s1 ^ t2;
    this.#state[0] = s0 ^ t3;
    this.#state[2] = t2 ^ shifted;
    this.#state[3] = rotateLeft(t3, 11);
    return result;
  }

  /** A uniform real in [0, 1): a multiple of 2^-24, hence exact in float32. */
  uniform(): number {
    return (this.uint32() >>> 8) / 0x1000000;
  }

  /** A uniform integer in [0, bound), without modulo bias; bound in 1..2^32. */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 0x100000000) {
      throw new RangeError(`Random.integer: bound must be an integer in 1..2^32, got ${bound}`);
    }
    const limit = 0x100000000 - (0x100000000 % bound);
    for (;;) {
      const draw = this.uint32();
      if (draw < limit) return draw % bound;
    }
  }

  /** A uniform permutation of 0..length-1 (Fisher-Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i] as number;
      order[i] = order[j] as number;
      order[j] = kept;
    }
    return order;
  }
}

function rotateLeft(word: number, bits: number): number {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0;
}

/** One output of SplitMix32: the finalizer of MurmurHash3 over a Weyl step. */
function splitMix32(word: number): number {
  let z = (word + 0x9e3779b9) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
