import { expect, it } from "vitest";
import type { Decoding } from "../../src/graph/types.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { kernelLoops } from "../../src/kernels/quantize.ts";
import type { Grid, Grouping, InnerLoops, Resident } from "../../src/quantize/inner.ts";
import { groupCount } from "../../src/quantize/inner.ts";
import { naiveLoops } from "../quantize/naive-loops.ts";
import { integers } from "./random.ts";

const next = integers(9);
/** Eighths, so that ties and equal distances are common. */
const floats = (length: number) => Float32Array.from({ length }, () => next(-40, 40) / 8);
const groupings: Grouping[] = [
  { rows: 1, columns: 1, groupSize: 1 },
  { rows: 3, columns: 7, groupSize: 7 },
  { rows: 4, columns: 33, groupSize: 16 },
  { rows: 1, columns: 600, groupSize: 600 },
  { rows: 5, columns: 64, groupSize: 3 },
];

/** Both implementations on the same weights. */
function onBoth<T>(kernel: InnerLoops, x: Float32Array, run: (resident: Resident) => T, factor?: number): [T, T] {
  const [a, b] = [kernel.load(x, factor), naiveLoops.load(x, factor)];
  try {
    return [run(a), run(b)];
  } finally {
    a[Symbol.dispose]();
    b[Symbol.dispose]();
  }
}

export function quantize(kernels: () => KernelInstance): void {
  it("gives the statistics, grid codes and errors of the plain loops for every grouping", () => {
    const loops = kernelLoops(kernels());
    for (const grouping of groupings) {
      const x = floats(grouping.rows * grouping.columns);
      const groups = groupCount(grouping);
      const threshold = Float32Array.from({ length: groups }, () => next(0, 20) / 8);
      const grid: Grid = {
        scale: Float32Array.from({ length: groups }, () => next(1, 9) / 8),
        zeroPoint: next(0, 1) === 0 ? 7 : Int32Array.from({ length: groups }, () => next(-3, 12)),
        minCode: 1,
        maxCode: 15,
      };
      const [kernel, naive] = onBoth(loops, x, (r) => [
        r.absMax(grouping),
        r.meanAbs(grouping),
        r.minMax(grouping),
        r.meanAbsAbove(grouping, threshold),
        r.signCodes(),
        r.gridCodes(grouping, grid),
        r.gridErrors(grouping, grid),
      ]);
      expect(kernel, JSON.stringify(grouping)).toEqual(naive);
    }
    const [scaled, expected] = onBoth(loops, floats(50), (r) => r.absMax(groupings[0]!), 1 / 3);
    expect(scaled).toEqual(expected);
  });

  it("finds the nearest level of the plain loops, ties to the lowest, for every number of levels and dimension", () => {
    const loops = kernelLoops(kernels());
    for (const dimension of [1, 2, 3, 4, 8])
      for (const levels of [1, 2, 3, 5, 16, 17, 255, 256]) {
        const x = floats(60 * dimension);
        const codebook = floats(levels * dimension);
        const [kernel, naive] = onBoth(loops, x, (r) => r.nearest(codebook, dimension));
        expect(kernel, `${levels} levels of ${dimension}`).toEqual(naive);
      }
    const grouping = { rows: 4, columns: 15, groupSize: 4 };
    const scale = Float32Array.from({ length: 16 }, () => next(1, 30) / 7);
    const codebook = floats(16).sort();
    const [kernel, naive] = onBoth(loops, floats(60), (r) => r.nearest(codebook, 1, { grouping, scale }));
    expect(kernel).toEqual(naive);
  });

  it("packs, unpacks and decodes as the plain loops for every width and decoding", () => {
    const loops = kernelLoops(kernels());
    for (let bits = 1; bits <= 8; bits++) {
      const [rows, columns, groupSize] = [5, 24, 8];
      const codes = Uint8Array.from({ length: rows * columns }, () => next(0, 2 ** bits - 1));
      const packed = loops.pack(codes, rows, columns, bits);
      expect(packed).toEqual(naiveLoops.pack(codes, rows, columns, bits));
      expect(loops.unpack(packed, rows, columns, bits)).toEqual(codes);
      const decodings: Decoding[] = [
        { kind: "affine", zeroPoint: 3 },
        { kind: "affine", zeroPoint: Int32Array.from({ length: rows * 3 }, () => next(0, 9)) },
        { kind: "table", codebook: floats(2 ** bits) },
        ...(bits === 1 ? [{ kind: "sign" } as const] : []),
      ];
      const scale = floats(rows * 3);
      for (const decoding of decodings) {
        const coded = {
          rows,
          columns,
          bits,
          codes: packed,
          decoding,
          scale,
          scaleShape: [rows, 3] as const,
          groupSize,
        };
        for (const [from, to] of [
          [0, rows],
          [2, 4],
        ] as const) {
          expect(loops.decode(coded, from, to)).toEqual(naiveLoops.decode(coded, from, to));
          const given = floats((to - from) * columns);
          expect(loops.decodedErrorSums(given, coded, from, to)).toEqual(
            naiveLoops.decodedErrorSums(given, coded, from, to),
          );
        }
      }
      const product: Decoding = { kind: "product", codebook: floats(2 ** bits * 4), dimension: 4 };
      const shared = { rows: 5, columns: 96, bits, codes: packed, decoding: product };
      for (const scales of [{}, { scale: floats(1), scaleShape: [1, 1] as const }])
        expect(loops.decode({ ...shared, ...scales }, 1, 5)).toEqual(naiveLoops.decode({ ...shared, ...scales }, 1, 5));
    }
  });

  it("sums errors and finds what is out of range as the plain loops do, and gives its memory back", () => {
    const instance = kernels();
    const loops = kernelLoops(instance);
    const before = instance.bytesInUse;
    const [x, y] = [floats(1001), floats(1001)];
    expect(loops.errorSums(x, y)).toEqual(naiveLoops.errorSums(x, y));
    x[1000] = Number.NaN;
    expect(loops.errorSums(x, y)).toEqual(naiveLoops.errorSums(x, y));
    expect(loops.firstNonFinite(x)).toBe(1000);
    expect(loops.firstNonFinite(y)).toBe(-1);
    // Wherever it is, and whatever vectors it may be looked for in.
    for (const at of [0, 63, 64, 127, 128, 999]) {
      expect(loops.firstNonFinite(x.with(at, Number.NEGATIVE_INFINITY))).toBe(at);
      expect(loops.firstCodeBeyond(new Uint8Array(1001).fill(3).fill(4, at), 4)).toBe(at);
    }
    expect(loops.firstCodeBeyond(Uint8Array.of(1, 3, 4, 9), 4)).toBe(2);
    expect(loops.firstCodeBeyond(Uint8Array.of(1, 3), 4)).toBe(-1);
    const resident = loops.load(y);
    expect(() => resident.nearest(floats(257), 1)).toThrow("codebook entries, expected 256, got 257");
    resident[Symbol.dispose]();
    expect(instance.bytesInUse).toBe(before);
  });
}
