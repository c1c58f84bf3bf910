import { DTypeError, fromHalf, ShapeError, Tensor, toHalf } from "lowbit";
import { describe, expect, it } from "vitest";

describe("half precision", () => {
  it("survives the round trip for all 65,536 patterns; NaNs become 0x7e00", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const nan = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
      if (toHalf(fromHalf(bits)) !== (nan ? 0x7e00 : bits)) expect.fail(`pattern ${bits}`);
    }
  });

  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [3 * 2 ** -25, 0x0002],
    [2 ** -14, 0x0400],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
  ])("toHalf(%d) is the nearest, ties to even", (value, bits) => expect(toHalf(value)).toBe(bits));
});

describe("Tensor", () => {
  it("keeps the caller's data", () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const tensor = new Tensor("f32", [2, 3], data);
    expect(tensor.data).toBe(data);
    expect(tensor.size).toBe(6);
  });

  it("is zeros where no data is given, of the dtype's array", () => {
    expect(new Tensor("int64", [2]).data).toEqual(new BigInt64Array(2));
    expect(new Tensor("f16", [2]).data).toBeInstanceOf(Uint16Array);
    expect(new Tensor("f32", []).size).toBe(1);
  });

  it.each([
    ["elements", () => new Tensor("f32", [2, 3], new Float32Array(5)), ShapeError],
    ["a negative size", () => new Tensor("f32", [-1], new Float32Array(1)), ShapeError],
    ["a broken size", () => new Tensor("f32", [1.5], new Float32Array(1)), ShapeError],
    ["another array", () => new Tensor("int8", [1], new Uint8Array(1) as unknown as Int8Array), DTypeError],
    ["an unknown dtype", () => new Tensor("f8" as "f32", [1]), DTypeError],
  ])("refuses %s by name", (_, make, error) => expect(make).toThrow(error));
});
