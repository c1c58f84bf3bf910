import { describe, expect, it } from "vitest";
import { Random } from "../src/random.ts";

describe("Random", () => {
  it("repeats itself for a seed and path, and differs for any other", () => {
    const draw = (...key: [number, ...number[]]) =>
      Array.from(
        { length: 4 },
        (
          (r) => () =>
            r.uint32()
        )(new Random(...key)),
      );
    expect(draw(1, 2, 3)).toEqual(draw(1, 2, 3));
    const sequences = [draw(1), draw(2), draw(1, 0), draw(1, 1), draw(1, 0, 1), draw(1, 1, 0)];
    expect(new Set(sequences.map(String)).size).toBe(sequences.length);
  });

  it("is xoshiro128**: the first outputs from the state 1, 2, 3, 4 are the published ones", () => {
    // From the reference C code of Blackman and Vigna, state {1, 2, 3, 4}.
    const random = Random.fromState(Uint32Array.of(1, 2, 3, 4));
    expect(Array.from({ length: 4 }, () => random.uint32())).toEqual([11520, 0, 5927040, 70819200]);
  });

  it("draws integers uniformly and permutes without loss", () => {
    const random = new Random(7);
    const counts = new Array<number>(5).fill(0);
    for (let i = 0; i < 20_000; i++) counts[random.integer(5)]!++;
    for (const count of counts) expect(Math.abs(count - 4000)).toBeLessThan(250);
    expect([...random.permutation(100)].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(() => random.integer(0)).toThrow(RangeError);
  });

  it("draws uniform reals that float32 holds exactly", () => {
    const random = new Random(3);
    for (let i = 0; i < 1000; i++) {
      const x = random.uniform();
      expect(x).toBe(Math.fround(x));
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThan(1);
    }
  });
});
