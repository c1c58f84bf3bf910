import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  atanh,
  expm1,
  floatAbove,
  floatBelow,
  floorLog2,
  LEAST_FLOAT,
  ln,
  log10,
  nextFloat,
  powerOfTwo,
  previousFloat,
  tanh,
} from "../../src/quantize/powers.ts";
import { Random } from "../../src/quantize/random.ts";

describe("Random", () => {
  /** xoshiro128** and splitmix32 once more, in exact integers. */
  function* reference(seed: bigint): Generator<number> {
    const mask = 0xffffffffn;
    const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
    let s = seed & mask;
    const state = [0n, 0n, 0n, 0n].map(() => {
      s = (s + 0x9e3779b9n) & mask;
      let z = s;
      z = ((z ^ (z >> 16n)) * 0x21f0aaadn) & mask;
      z = ((z ^ (z >> 15n)) * 0x735a2d97n) & mask;
      return z ^ (z >> 15n);
    }) as [bigint, bigint, bigint, bigint];
    for (;;) {
      yield Number((rotate((state[1] * 5n) & mask, 7n) * 9n) & mask);
      const t = (state[1] << 9n) & mask;
      state[2] ^= state[0];
      state[3] ^= state[1];
      state[1] ^= state[2];
      state[0] ^= state[3];
      state[2] ^= t;
      state[3] = rotate(state[3], 11n);
    }
  }

  it.each([0, 1, 42, 0xffffffff, -1, 2 ** 33 + 5])("is xoshiro128** from seed %d", (seed) => {
    const random = new Random(seed);
    const expected = reference(BigInt(seed));
    for (let i = 0; i < 50; i++) expect(random.bits32()).toBe(expected.next().value);
  });

  it("is fixed for ever", () => {
    const random = new Random(0);
    expect([random.bits32(), random.bits32(), random.bits32()]).toEqual([1789933344, 44971166, 2521387044]);
  });

  it("is uniform to what 40,000 draws can tell", () => {
    const random = new Random(3);
    const bins = new Array(16).fill(0);
    let sum = 0;
    for (let i = 0; i < 40_000; i++) {
      const u = random.uniform();
      expect(u >= 0 && u < 1).toBe(true);
      sum += u;
      bins[random.below(16)]++;
    }
    expect(sum / 40_000).toBeCloseTo(0.5, 2);
    // Chi-square with 15 degrees of freedom: 99.9 % below 37.7.
    expect(bins.reduce((chi, count) => chi + (count - 2500) ** 2 / 2500, 0)).toBeLessThan(37.7);
  });
});

describe("powers of two", () => {
  it("floorLog2 and powerOfTwo invert each other", () => {
    for (let e = -1022; e <= 1023; e++) {
      expect(floorLog2(powerOfTwo(e))).toBe(e);
      expect(floorLog2(powerOfTwo(e) * 1.9999999)).toBe(e);
    }
    expect(powerOfTwo(-149)).toBe(LEAST_FLOAT);
    expect(LEAST_FLOAT).toBe(2 ** -149);
  });

  it("floatBelow is the largest float not above, previousFloat the one before", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-40, max: 1e38, noNaN: true }), (x) => {
        const below = floatBelow(x);
        expect(below).toBe(Math.fround(below));
        expect(below).toBeLessThanOrEqual(x);
        expect(previousFloat(below)).toBeLessThan(below);
        if (Math.fround(x) !== x)
          expect(Math.fround((below + x) / 2) === below || Math.fround(x) > x || Math.fround(x) === below).toBe(true);
      }),
      { seed: 1 },
    );
    expect(floatBelow(0)).toBe(0);
    expect(floatBelow(0.7)).toBe(Math.fround(0.7) > 0.7 ? previousFloat(Math.fround(0.7)) : Math.fround(0.7));
  });

  it("floatAbove is the least float not below", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-44, max: 3e38, noNaN: true }), (x) => {
        const above = floatAbove(x);
        expect(above).toBe(Math.fround(above));
        expect(above).toBeGreaterThanOrEqual(x);
        expect(previousFloat(above)).toBeLessThan(x);
      }),
      { seed: 3 },
    );
    expect([0, 1, 2 ** -149, 2 ** -150, 3.5e38].map(floatAbove)).toEqual([0, 1, 2 ** -149, 2 ** -149, Infinity]);
  });

  it("log10 is within 1e-15 of the engine's over the whole range", () => {
    expect(log10(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(log10(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(log10(1)).toBe(0);
    expect(log10(5e-324)).toBeCloseTo(-323.3062153431158, 11);
    fc.assert(
      fc.property(fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true }), (x) => {
        expect(Math.abs(log10(x) - Math.log10(x))).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(Math.log10(x))));
      }),
      { seed: 2, numRuns: 2000 },
    );
  });

  it("floatAbove is the least float not below, on both sides of 0", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e38, max: 1e38, noNaN: true }), (x) => {
        const above = floatAbove(x);
        expect(above).toBe(Math.fround(above));
        expect(above).toBeGreaterThanOrEqual(x);
        const before = above > 0 ? previousFloat(above) : -nextFloat(Math.abs(above));
        expect(before).toBeLessThan(x);
      }),
      { seed: 3 },
    );
    expect(floatAbove(0.5)).toBe(0.5);
    expect(floatAbove(1e-50)).toBe(LEAST_FLOAT);
    expect(floatAbove(-1e-50)).toBe(-0);
  });

  it("ln, expm1, tanh and atanh are within a few units in the last place of the engine's", () => {
    const close = (mine: (x: number) => number, engine: (x: number) => number, min: number, max: number) =>
      fc.assert(
        fc.property(fc.double({ min, max, noNaN: true }), (x) => {
          expect(Math.abs(mine(x) - engine(x))).toBeLessThanOrEqual(2e-15 * Math.abs(engine(x)) + 1e-320);
        }),
        { seed: 4, numRuns: 1000 },
      );
    close(expm1, Math.expm1, -700, 700);
    close(expm1, Math.expm1, -1, 1);
    close(tanh, Math.tanh, -30, 30);
    close(tanh, Math.tanh, -1e-3, 1e-3);
    close(atanh, Math.atanh, -0.9999, 0.9999);
    close(ln, Math.log, 1.1, 1e300);
    close(ln, Math.log, 1e-300, 0.9);
    expect([tanh(0), atanh(0), expm1(0), ln(1)]).toEqual([0, 0, 0, 0]);
    expect([tanh(25), tanh(-25)]).toEqual([1, -1]);
  });
});
