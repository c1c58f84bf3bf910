import { describe, expect, test } from "vitest";
import { SplitMix64 } from "../src/random.ts";
import { draw } from "../src/values.ts";

/** As the paper has it, on 64-bit integers. */
function* reference(state: bigint): Generator<bigint> {
  const mask = (1n << 64n) - 1n;
  for (;;) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    yield z ^ (z >> 31n);
  }
}

describe("SplitMix64", () => {
  test.each([
    [0, 0],
    [1, 0],
    [0xffffffff, 0xffffffff],
    [4711, 3],
  ])("seed %i, stream %i: 1000 draws are those of the paper", (seed, stream) => {
    const random = new SplitMix64(seed, stream);
    const expected = reference((BigInt(seed) << 32n) | BigInt(stream));
    for (let i = 0; i < 1000; i++) {
      random.next();
      expect((BigInt(random.high) << 32n) | BigInt(random.low)).toBe(expected.next().value);
    }
  });

  test("the published first draws of seed 0", () => {
    const random = new SplitMix64(0, 0);
    random.next();
    expect([random.high, random.low]).toEqual([0xe220a839, 0x7b1dcdaf]);
  });
});

describe("draw", () => {
  test.each([
    ["sign", -1, 1],
    ["trit", -1, 1],
    ["int2", -2, 1],
    ["int4", -8, 7],
    ["int8", -128, 127],
    ["uint8", 0, 255],
    ["weight8", -127, 127],
  ] as const)("%s reaches exactly %i..%i", (values, low, high) => {
    const y = draw(values, 20_001, 7, 1);
    expect([y.length, Math.min(...y), Math.max(...y)]).toEqual([20_001, low, high]);
  });

  test("f32 lies in [-1, 1), and a longer tensor begins like a shorter one", () => {
    const y = draw("f32", 1000, 7, 1);
    expect(Math.min(...y)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...y)).toBeLessThan(1);
    expect(draw("f32", 10, 7, 1)).toEqual(y.slice(0, 10));
  });

  test("streams of one seed differ", () => {
    expect(draw("int8", 64, 7, 0)).not.toEqual(draw("int8", 64, 7, 1));
  });
});
