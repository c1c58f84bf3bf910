import { Tensor } from "lowbit";
import { describe, expect, it } from "vitest";
import { fitSamples, type InputInfo } from "./samples.ts";

const input = (dtype: InputInfo["dtype"], ...shape: InputInfo["shape"]): InputInfo => ({ name: "image", dtype, shape });
const bytes = (...shape: number[]) =>
  new Tensor(
    "uint8",
    shape,
    Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

describe("fitSamples", () => {
  it("reshapes where sizes agree and converts bytes to f32 exactly", () => {
    const samples = fitSamples(bytes(5, 2, 2), input("f32", "N", 1, 4));
    expect(samples).toMatchObject({ count: 5, fixedBatch: undefined });
    const taken = samples.take(1, 2);
    expect(taken).toMatchObject({ dtype: "f32", shape: [2, 1, 4] });
    expect([...taken.data]).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("fills the last slice of a fixed batch up with zeros", () => {
    const samples = fitSamples(bytes(5, 4), input("f32", 2, 4));
    expect(samples.fixedBatch).toBe(2);
    expect([...samples.take(4, 1).data]).toEqual([16, 17, 18, 19, 0, 0, 0, 0]);
  });

  it("gives a model without a batch axis one sample at a time", () => {
    const samples = fitSamples(bytes(3, 2, 2), input("f32", 4));
    expect(samples.fixedBatch).toBe(1);
    expect(samples.take(2, 1)).toMatchObject({ shape: [4] });
  });

  it("keeps the array's own shape where the model leaves a size open", () => {
    expect(fitSamples(bytes(2, 3, 5, 1), input("f32", "N", "H", "W", 1)).take(0, 2).shape).toEqual([2, 3, 5, 1]);
    expect(() => fitSamples(bytes(2, 3, 5, 1), input("f32", "N", "H", "W", 3))).toThrow("expected [H, W, 3]");
  });

  it("says both sizes where a sample does not fit", () =>
    expect(() => fitSamples(bytes(2, 5), input("f32", "N", 1, 4))).toThrow(
      "expected [1, 4] (4 values), got [5] (5 values)",
    ));

  it("refuses what an integer input cannot hold, and an array without samples", () => {
    const half = new Tensor("f32", [1, 1], Float32Array.of(0.5));
    expect(() => fitSamples(half, input("uint8", "N", 1)).take(0, 1)).toThrow("integers 0 to 255, got 0.5");
    const large = new Tensor("int32", [1, 1], Int32Array.of(200));
    expect(() => fitSamples(large, input("int8", "N", 1)).take(0, 1)).toThrow("integers -128 to 127, got 200");
    expect(() => fitSamples(bytes(0, 4), input("f32", "N", 4))).toThrow("1 or more samples");
  });
});
