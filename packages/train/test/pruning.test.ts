import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../src/autograd.ts";
import { type Pruning, prunedShare } from "../src/pruning.ts";
import { fit } from "../src/train.ts";
import { syntheticDigits, tinyRecipe } from "./fixtures.ts";

beforeAll(startEngine);

describe("prunedShare", () => {
  it("rises as 1 - (1 - t)³ over the pruning epochs, and stays", () => {
    const pruning: Pruning = { fractions: {}, epochs: [2, 3] };
    expect([0, 9, 10, 20, 30, 99].map((step) => prunedShare(pruning, step, 10))).toEqual([0, 0, 0, 0.875, 1, 1]);
  });
});

describe("fit with pruning", () => {
  it("ends with the fraction of each parameter at 0, from an epoch after the last that prunes", async () => {
    const pruning: Pruning = { fractions: { "dense.weight": 0.75, "conv2.weight": 0.5 }, epochs: [1, 1] };
    const recipe = { ...tinyRecipe("ternary", 3), pruning };
    const options = { training: syntheticDigits(100, 1), validation: syntheticDigits(40, 2), seed: 1 };
    const { tensors, second, best } = await fit(recipe, options);
    const zeros = (name: string) => {
      const { data } = tensors[name]!;
      return data.reduce((sum, w) => sum + (w === 0 ? 1 : 0), 0) / data.length;
    };
    expect(zeros("dense.weight")).toBeCloseTo(0.75, 2);
    expect(zeros("conv2.weight")).toBeCloseTo(0.5, 2);
    expect(zeros("conv1.weight")).toBe(0);
    expect(best).toBeGreaterThan(1);
    expect(second["dense.weight"]!.shape).toEqual(tensors["dense.weight"]!.shape);
  });

  it("keeps the last epoch of a run that ends before its pruning does", async () => {
    const pruning: Pruning = { fractions: { "dense.weight": 0.75 }, epochs: [1, 4] };
    const options = { training: syntheticDigits(100, 1), validation: syntheticDigits(40, 2), seed: 1 };
    const { tensors, best } = await fit({ ...tinyRecipe("ternary", 2), pruning }, options);
    expect(best).toBe(2);
    expect(tensors["dense.weight"]!.data.some((w) => w !== 0)).toBe(true);
  });
});
