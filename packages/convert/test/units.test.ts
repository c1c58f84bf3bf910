/** Small parts by themselves. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeAt } from "../../core/src/graph/constants.ts";
import { combine, floats, numbersOf, perChannel, transposed } from "../src/graph/constants.ts";
import { resolveShape } from "../src/graph/fold.ts";
import { negateRow, packCodes, perChannelConstant, rowScales, unpackCodes } from "../src/graph/low-bit.ts";
import { roundTiesToEven } from "../src/graph/numbers.ts";
import { int8Quantization } from "../src/integer-activations.ts";
import { binaryWeights, ternaryWeights } from "../src/passes/recognize-weights.ts";
import { globToRegExp } from "../src/schemes.ts";

const run = { seed: 1, numRuns: 300 } as const;

describe("codes", () => {
  const matrices = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 8 }))
    .chain(([rows, columns, bits]) =>
      fc.tuple(
        fc.constant({ rows, columns, bits }),
        fc.uint8Array({ minLength: rows * columns, maxLength: rows * columns }),
      ),
    );

  test("unpack what pack packed, and the runtime reads the same codes", () => {
    fc.assert(
      fc.property(matrices, ([{ rows, columns, bits }, bytes]) => {
        const codes = bytes.map((byte) => byte & ((1 << bits) - 1));
        const packed = packCodes(codes, rows, columns, bits);
        const rowBytes = Math.ceil((columns * bits) / 8);
        expect(packed.length).toBe(rows * rowBytes);
        expect(unpackCodes(packed, rows, columns, bits)).toEqual(codes);
        for (let i = 0; i < codes.length; i++) {
          expect(codeAt(packed, Math.floor(i / columns) * rowBytes, i % columns, bits)).toBe(codes[i]);
        }
      }),
      run,
    );
  });

  test("negating a row twice gives the row, once its negative", () => {
    const constant = perChannelConstant(
      "ternary",
      [2, 5],
      2,
      Uint8Array.of(0, 1, 2, 2, 1, 0, 0, 0, 1, 2),
      { kind: "affine", zeroPoint: 1 },
      Float32Array.of(1, 2),
    );
    const codes = constant.codes.slice();
    expect(negateRow(constant, codes, 0)).toBe(true);
    expect([...unpackCodes(codes, 2, 5, 2)]).toEqual([2, 1, 0, 0, 1, 0, 0, 0, 1, 2]);
    expect(negateRow(constant, codes, 0)).toBe(true);
    expect(codes).toEqual(constant.codes);
  });

  test("a row whose codes have no negative stays", () => {
    const constant = perChannelConstant(
      "int2",
      [1, 2],
      2,
      Uint8Array.of(0, 3),
      { kind: "affine", zeroPoint: 2 },
      Float32Array.of(1),
    );
    const codes = constant.codes.slice();
    expect(negateRow(constant, codes, 0)).toBe(false);
    expect(codes).toEqual(constant.codes);
  });
});

describe("weights that are low-bit already", () => {
  const weights = (...rows: number[][]) =>
    floats([rows.length, rows[0]!.length], rows.flat()) as Parameters<typeof binaryWeights>[0];
  const row = (...values: number[]) => [...values, ...values, ...values, ...values];

  test("two values per channel, three values per channel, one scale where all agree", () => {
    const binary = binaryWeights(weights(row(0.5, -0.5), row(-2, -2)))!;
    expect([binary.bits, [...rowScales(binary)!], [...unpackCodes(binary.codes, 2, 8, 1)]]).toEqual([
      1,
      [0.5, 2],
      [...row(0, 1), ...row(1, 1)],
    ]);
    const ternary = ternaryWeights(weights(row(0, 3), row(-3, 0)))!;
    expect([ternary.bits, ternary.scaleShape, [...unpackCodes(ternary.codes, 2, 8, 2)]]).toEqual([
      2,
      [1, 1],
      [...row(1, 2), ...row(0, 1)],
    ]);
  });

  test("what is not", () => {
    expect(binaryWeights(weights(row(1, -1), row(1, 0)))).toBeUndefined();
    expect(binaryWeights(weights(row(1, -2)))).toBeUndefined();
    expect(ternaryWeights(weights(row(1, 0), row(1, 2)))).toBeUndefined();
    expect(ternaryWeights(weights(row(0, 0)))).toBeUndefined();
    for (const recognise of [binaryWeights, ternaryWeights]) {
      expect(recognise(weights(row(Number.NaN, 1)))).toBeUndefined();
      expect(recognise(weights(row(1, Number.NaN)))).toBeUndefined();
      expect(recognise(weights(row(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)))).toBeUndefined();
      expect(recognise(weights([1, -1, 1]))).toBeUndefined();
    }
  });
});

describe("constants", () => {
  test("transposing with a permutation and its inverse gives the tensor", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.integer(),
        (shape, seed) => {
          const tensor = floats(
            shape,
            Array.from({ length: shape.reduce((p, n) => p * n, 1) }, (_, i) => i),
          );
          const permutation = shape
            .map((_, axis) => axis)
            .sort((a, b) => ((a * 7919 + seed) % 5) - ((b * 7919 + seed) % 5));
          const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
          const there = transposed(tensor, permutation);
          expect(there.shape).toEqual(permutation.map((axis) => shape[axis]));
          expect(transposed(there, inverse)).toEqual(tensor);
        },
      ),
      run,
    );
  });

  test("combining broadcasts as numpy does", () => {
    const column = floats([2, 1], [10, 20]);
    expect(combine(column, floats([3], [1, 2, 3]), (x, y) => x + y)).toEqual(floats([2, 3], [11, 12, 13, 21, 22, 23]));
    expect(combine(column, floats([], [1]), (x, y) => x - y)).toEqual(floats([2, 1], [9, 19]));
    expect(combine(column, floats([3, 1], [1, 2, 3]), (x, y) => x + y)).toBeUndefined();
  });

  test("per channel: a scalar, a row, and what is neither", () => {
    expect(perChannel(floats([], [2]), 3, 4)).toEqual(Float32Array.of(2, 2, 2));
    expect(perChannel(floats([1, 1, 3], [1, 2, 3]), 3, 4)).toEqual(Float32Array.of(1, 2, 3));
    expect(perChannel(floats([3, 1, 1], [1, 2, 3]), 3, 4)).toBeUndefined();
    expect(perChannel(floats([1, 1, 1, 1, 3], [1, 2, 3]), 3, 4)).toBeUndefined();
  });

  test("a reshape's 0 and -1", () => {
    expect(resolveShape([2, 3, 4], [0, -1])).toEqual([2, 12]);
    expect(resolveShape([2, 3], [-1, 4])).toBeUndefined();
    expect(resolveShape([0, 3], [0, -1])).toBeUndefined();
    expect(numbersOf({ kind: "plain", dtype: "int64", shape: [2], data: BigInt64Array.of(-1n, 7n) })).toEqual([-1, 7]);
  });
});

test("int8 codes of a range: 0 has a code of its own, both ends are within half a step", () => {
  const ends = fc.float({ min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(ends, ends, (a, b) => {
      const [min, max] = [Math.min(a, b, 0), Math.max(a, b, 0)];
      const { scale, zeroPoint } = int8Quantization({ min, max });
      expect(Number.isInteger(zeroPoint) && zeroPoint >= -128 && zeroPoint <= 127).toBe(true);
      for (const end of [min, max]) {
        const code = Math.min(127, Math.max(-128, roundTiesToEven(end / scale) + zeroPoint));
        if (max - min > 1e-30)
          expect(Math.abs((code - zeroPoint) * scale - end)).toBeLessThanOrEqual(scale * 0.5001 + 1e-30);
      }
    }),
    run,
  );
  expect(int8Quantization({ min: 0, max: 0 })).toEqual({ scale: 1, zeroPoint: -128 });
});

test("ties go to the even integer", () => {
  expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6].map(roundTiesToEven)).toEqual([-2, -2, 0, 0, 2, 2, 2, -3]);
});

test("globs: * and ? are wild, everything else stands for itself", () => {
  expect(globToRegExp("conv*").test("conv12/bn")).toBe(true);
  expect(globToRegExp("conv?").test("conv12")).toBe(false);
  expect(globToRegExp("a.b").test("axb")).toBe(false);
  expect(globToRegExp("a[1](x)+$").test("a[1](x)+$")).toBe(true);
});
