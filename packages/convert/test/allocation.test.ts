import { describe, expect, it } from "vitest";
import { type Allocation, allocationFront, findAllocation } from "../src/allocation.ts";

/** Small seeded numbers. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const problem = (seed: number, layers: number, choices: number) => {
  const next = random(seed);
  return Array.from({ length: layers }, () =>
    Array.from({ length: choices }, (_, i) => ({
      ...{ scheme: `s${i}`, bytes: 1 + Math.floor(next() * 30), damage: Math.floor(next() * 50) },
    })),
  );
};

/** Least damage within a budget, by trying everything. */
function bruteForce(layers: ReturnType<typeof problem>, budget: number): number {
  const [first, ...rest] = layers;
  if (!first) return budget >= 0 ? 0 : Number.POSITIVE_INFINITY;
  return Math.min(...first.map(({ bytes, damage }) => damage + bruteForce(rest, budget - bytes)));
}

describe("allocationFront", () => {
  it.each([1, 2, 3, 4, 5, 6])("is optimal at every budget, seed %i", (seed) => {
    const layers = problem(seed, 1 + (seed % 5), 4);
    const front = allocationFront(layers);
    for (let budget = 0; budget <= 160; budget++) {
      const best = front.findLast(({ bytes }) => bytes <= budget)?.damage ?? Number.POSITIVE_INFINITY;
      expect(best).toBe(bruteForce(layers, budget));
    }
  });

  it("says which choices make its sums, by rising bytes and falling damage", () => {
    const layers = problem(9, 5, 4);
    const front = allocationFront(layers);
    for (const [i, { bytes, damage, choices }] of front.entries()) {
      const chosen = choices.map((choice, layer) => layers[layer]![choice]!);
      expect(chosen.reduce((sum, each) => sum + each.bytes, 0)).toBe(bytes);
      expect(chosen.reduce((sum, each) => sum + each.damage, 0)).toBe(damage);
      if (i > 0) expect(bytes > front[i - 1]!.bytes && damage < front[i - 1]!.damage).toBe(true);
    }
  });

  it("thinned, it keeps the smallest and the least damaged", () => {
    const layers = problem(11, 8, 5);
    const [all, few] = [allocationFront(layers), allocationFront(layers, 20)];
    expect(few.length).toBeLessThan(all.length);
    expect(few[0]!.bytes).toBe(all[0]!.bytes);
    expect(few.at(-1)!.damage).toBe(all.at(-1)!.damage);
  });
});

describe("findAllocation", () => {
  const front = Array.from({ length: 40 }, (_, i): Allocation => ({ bytes: 10 * i, damage: 40 - i, choices: [i] }));
  const attempt = async ({ bytes }: Allocation) => ({ bytes: bytes + 77, accuracy: bytes / 400 });

  it("fills a file's budget, whatever the file holds besides", async () => {
    expect(await findAllocation(front, { maxBytes: 300 }, attempt)).toMatchObject({
      reached: true,
      attempt: { bytes: 297 },
    });
    expect(await findAllocation(front, { maxBytes: 50 }, attempt)).toMatchObject({
      reached: false,
      attempt: { bytes: 77 },
    });
  });

  it("takes the smallest that reaches an accuracy, or says that none does", async () => {
    const found = await findAllocation(front, { minAccuracy: 0.5 }, attempt);
    expect(found).toMatchObject({ reached: true, allocation: { bytes: 200 } });
    expect((await findAllocation(front, { minAccuracy: 0.99 }, attempt)).reached).toBe(false);
  });

  it("holds what fits to the accuracy too", async () => {
    expect((await findAllocation(front, { maxBytes: 300, minAccuracy: 0.9 }, attempt)).reached).toBe(false);
  });
});
