/** Integer-only requantization, addition and means: random nodes against their references, and what is refused. */
import { Tensor } from "lowbit";
import { describe, expect, it } from "vitest";
import { RandomData } from "../../src/testing/random-data.ts";
import { checkNode } from "./check.ts";

const seeds = Array.from({ length: 12 }, (_, seed) => seed);

const int32 = (random: RandomData, shape: readonly number[], low: number, high: number): Tensor =>
  new Tensor(
    "int32",
    shape,
    Int32Array.from({ length: shape.reduce((n, size) => n * size, 1) }, () => random.between(low, high)),
  );

function drawCodes(random: RandomData) {
  const dtype = random.pick(["int8", "uint8"] as const);
  const low = dtype === "int8" ? -128 : 0;
  const [a, b] = [low + random.below(256), low + random.below(256)];
  return { dtype, zeroPoint: low + random.below(256), min: Math.min(a, b), max: Math.max(a, b) };
}

function bytes(random: RandomData, dtype: "int8" | "uint8", shape: readonly number[]): Tensor {
  const drawn = random.bytes(shape.reduce((n, size) => n * size, 1));
  return dtype === "uint8" ? new Tensor(dtype, shape, drawn) : new Tensor(dtype, shape, Int8Array.from(drawn));
}

describe.each(seeds)("seed %i", (seed) => {
  const random = new RandomData(seed);
  it("fixedRequantize", async () => {
    const columns = random.between(1, 9);
    const count = random.pick([1, columns]);
    const constant = (tensor: Tensor) => ({ tensor, as: "constant" as const });
    await checkNode(
      "fixedRequantize",
      [
        { tensor: int32(random, [3, columns], -1_000_000, 1_000_000) },
        constant(int32(random, [count], 2 ** 30, 2 ** 31 - 1)),
        constant(int32(random, [count], -16, 1)),
        random.below(2) === 0 ? undefined : constant(int32(random, [columns], -1000, 1000)),
      ],
      { ...drawCodes(random), rounded: random.pick(["twice", "once"] as const) },
    );
  });

  it("fixedAdd", async () => {
    const codes = drawCodes(random);
    const low = codes.dtype === "int8" ? -128 : 0;
    const shape = [2, random.between(1, 5), 3];
    await checkNode(
      "fixedAdd",
      [0, 1].map(() => ({ tensor: bytes(random, codes.dtype, shape) })),
      {
        ...codes,
        multipliers: [0, 1, 2].map(() => random.between(2 ** 30, 2 ** 31 - 1)),
        exponents: [random.between(-8, 0), random.between(-8, 0), random.between(-22, -16)],
        zeroPoints: [low + random.below(256), low + random.below(256)],
      },
    );
  });

  it("fixedAverage", async () => {
    const codes = drawCodes(random);
    const kernel = [random.between(1, 3), random.between(1, 3)] as const;
    await checkNode("fixedAverage", [{ tensor: bytes(random, codes.dtype, [2, 5, 4, random.between(1, 70)]) }], {
      ...codes,
      kernel,
      strides: [random.between(1, 2), random.between(1, 2)],
      dilations: [1, 1],
      pads: [0, 1, 2, 3].map((side) => random.below(kernel[side % 2]!)) as unknown as [number, number, number, number],
    });
  });
});

describe("refused", () => {
  const codes = { dtype: "int8", zeroPoint: 0, min: -128, max: 127 } as const;
  const random = new RandomData(1);
  const x = { tensor: int32(random, [2, 4], 0, 9) };
  const constants = (n: number) => ({ tensor: int32(random, [n], 0, 9), as: "constant" as const });

  it.each([
    ["multipliers of other columns", [x, constants(3), constants(3)], /multipliers, expected 1 or 4, got 3/],
    ["fewer exponents than multipliers", [x, constants(4), constants(1)], /exponents, expected 4, got 1/],
    ["biases of other columns", [x, constants(1), constants(1), constants(2)], /biases, expected 4, got 2/],
  ] as const)("%s", async (_, inputs, message) => {
    await expect(checkNode("fixedRequantize", inputs, { ...codes, rounded: "twice" })).rejects.toThrow(message);
  });

  it("operands of two shapes", async () => {
    const operands = [
      [2, 3],
      [3, 2],
    ].map((shape) => ({ tensor: bytes(random, "int8", shape) }));
    const attributes = { ...codes, multipliers: [1, 1, 1], exponents: [0, 0, 0], zeroPoints: [0, 0] };
    await expect(checkNode("fixedAdd", operands, attributes)).rejects.toThrow(/shape of b/);
  });

  it("an exponent out of range", async () => {
    const operands = [0, 1].map(() => ({ tensor: bytes(random, "int8", [2]) }));
    const attributes = { ...codes, multipliers: [1, 1, 1], exponents: [0, 31, 0], zeroPoints: [0, 0] };
    await expect(checkNode("fixedAdd", operands, attributes)).rejects.toThrow(/exponents.*-31 to 30/);
  });
});
