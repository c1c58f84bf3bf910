/** One result everywhere: the kernels of every tier against plain TypeScript, and digests that no engine may change. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledWasm } from "../../src/bundled.ts";
import { DisposedError } from "../../src/errors.ts";
import { sha256Hex } from "../../src/file/digest.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { loadKernels } from "../../src/kernels/load.ts";
import { kernelLoops } from "../../src/kernels/quantize.ts";
import { availableTiers, tiers } from "../../src/kernels/tiers.ts";
import type { Grouping, InnerLoops } from "../../src/quantize/inner.ts";
import { groupCount, groupLength } from "../../src/quantize/inner.ts";
import { Random } from "../../src/quantize/random.ts";
import { matrixOf, Weights } from "../../src/quantize/weights.ts";
import { dequantize, kmeans, parseScheme, type Quantizer, quantize, registry } from "../../src/quantize.ts";
import { digests } from "./digests.ts";
import { naiveLoops } from "./naive-loops.ts";
import { sampleNeeds } from "./needs.ts";

const schemes = registry.flatMap(({ examples }) => examples);

/** Exact arithmetic only: the same weights in every engine. */
function weights(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.uniform() + random.uniform() + random.uniform() - 1.5);
}

/** What the formula makes of the weights on given loops. */
function encode(loops: InnerLoops, quantizer: Quantizer, shape: readonly number[], data: Float32Array) {
  const { rows, columns } = matrixOf(shape);
  using w = new Weights(loops, data, rows, columns, quantizer.per);
  const { calibration, curvature } = sampleNeeds(quantizer, rows, columns);
  return quantizer.encode(w, { random: new Random(0), calibration, curvature });
}

/** Codes, scales and levels of 40 x 132 weights (132 = 4 * 33: rows beyond words and lanes). */
async function digest(scheme: string, kernels: KernelInstance): Promise<string> {
  const quantizer = parseScheme(scheme);
  const options = { kernels, ...sampleNeeds(quantizer, 40, 132) };
  const quantized = await quantize({ shape: [40, 132], data: weights(40 * 132, 20) }, quantizer, options);
  const { codes, scales, codebook, decoding } = quantized;
  const zeroPoints =
    decoding.kind === "affine" && typeof decoding.zeroPoint !== "number" ? decoding.zeroPoint : undefined;
  const parts = [codes, scales, codebook, zeroPoints, quantized.dequantize()].filter((part) => part !== undefined);
  return sha256Hex(
    parts.map((part) => sha256Hex(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))).join(),
  );
}

describe.each(tiers)("%s", (tier) => {
  if (!availableTiers().includes(tier)) {
    it.skip(`quantizers (this engine does not run the tier ${tier})`);
    return;
  }
  let kernels: KernelInstance;
  let loops: InnerLoops;
  beforeAll(async () => {
    kernels = await loadKernels({ tier, part: "quantize", wasm: bundledWasm });
    loops = kernelLoops(kernels);
  });

  it.each(schemes)("%s: codes, levels and scales equal plain TypeScript's", (scheme) => {
    for (const [rows, quads] of [
      [1, 1],
      [3, 3],
      [5, 8],
      [2, 33],
    ] as const) {
      const shape = [rows, 4 * quads];
      const data = weights(rows * 4 * quads, rows);
      const quantizer = parseScheme(scheme);
      expect(encode(loops, quantizer, shape, data)).toEqual(encode(naiveLoops, quantizer, shape, data));
    }
  });

  const size = fc.integer({ min: 1, max: 70 });
  const value = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -8, max: 8 }).map((n) => n / 2),
  );
  const matrix = fc.tuple(fc.integer({ min: 1, max: 4 }), size, size).chain(([rows, columns, groupSize]) =>
    fc.record({
      grouping: fc.constant<Grouping>({ rows, columns, groupSize }),
      x: fc
        .array(value, { minLength: rows * columns, maxLength: rows * columns })
        .map((list) => Float32Array.from(list)),
    }),
  );
  const both = <T>(run: (of: InnerLoops) => T): void => expect(run(loops)).toEqual(run(naiveLoops));

  it("statistics, signs, grids and sums equal plain TypeScript's on any finite weights", () => {
    fc.assert(
      fc.property(
        matrix,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 255 }),
        ({ grouping, x }, bits, zero) => {
          const y = x.toReversed();
          both((of) => {
            using resident = of.load(x);
            const mean = resident.meanAbs(grouping);
            const grid = {
              scale: resident.absMax(grouping).map((max) => max / 3),
              zeroPoint: bits % 2 === 0 ? zero : new Int32Array(groupCount(grouping)).fill(zero),
              minCode: bits,
              maxCode: 2 ** bits,
            };
            return [
              mean,
              resident.meanAbsAbove(grouping, mean),
              resident.minMax(grouping),
              resident.signCodes(),
              bits < 8 ? [resident.gridCodes(grouping, grid), resident.gridErrors(grouping, grid)] : [],
              of.errorSums(x, y),
            ];
          });
        },
      ),
      { seed: 30, numRuns: 200 },
    );
  });

  it("order statistics, histograms, thresholds, grids with an offset and mixtures equal plain TypeScript's on any finite weights", () => {
    fc.assert(
      fc.property(matrix, fc.integer({ min: 1, max: 40 }), ({ grouping, x }, count) => {
        const groups = groupCount(grouping);
        const lengths = Array.from({ length: groups }, (_, group) => groupLength(grouping, group));
        const ranks = Uint32Array.from(lengths.flatMap((n) => [0, n >> 1, n - 1]));
        const thresholds = x.slice(0, count).sort();
        const y = x.toReversed();
        const mask = Uint8Array.from(x, (value, i) => (value > 0 || i % 3 === 0 ? 1 : 0));
        const set = mask.reduce((sum, m) => sum + m, 0);
        both((of) => {
          using resident = of.load(x);
          const scale = resident.absMax(grouping).map((max) => Math.max(max / 3, 2 ** -149));
          const offset = resident.minMax(grouping).min;
          const top = scale.subarray(0, groups / grouping.rows);
          const grid = { scale, zeroPoint: 0, offset, minCode: 0, maxCode: 7 };
          return [
            resident.orderStatistics(grouping, "values", ranks),
            resident.orderStatistics(grouping, "magnitudes", ranks),
            (["both", "positive", "negative"] as const).map((side) =>
              resident.histogram(grouping, 0, { side, count, top }),
            ),
            resident.thresholdCodes(grouping, thresholds, scale),
            resident.gridCodes(grouping, grid),
            resident.gridErrors(grouping, grid),
            of.largest(x, Math.floor((set + x.length) / 2), mask),
            of.choose(x, y, mask),
            of.mix(x, y, count / 4),
          ];
        });
      }),
      { seed: 33, numRuns: 150 },
    );
  });

  it("nearest levels equal plain TypeScript's on any finite weights", () => {
    const levels = fc.integer({ min: 1, max: 256 });
    fc.assert(
      fc.property(
        matrix,
        levels,
        fc.integer({ min: 1, max: 9 }),
        fc.integer(),
        ({ grouping, x }, count, dimension, seed) => {
          const codebook = weights(count * dimension, seed);
          const whole = x.subarray(0, x.length - (x.length % dimension));
          both((of) => {
            using resident = of.load(x);
            const scale = resident.absMax(grouping).map((max) => Math.max(max, 2 ** -149));
            return resident.nearest(codebook.subarray(0, count), 1, { grouping, scale });
          });
          if (whole.length === 0) return;
          both((of) => {
            using resident = of.load(whole, 0.5);
            return resident.nearest(codebook, dimension);
          });
        },
      ),
      { seed: 31, numRuns: 200 },
    );
  });

  it("steps of codebook searches equal plain TypeScript's", () => {
    const problem = fc.record({
      dimension: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 1, max: 40 }),
      clusters: fc.integer({ min: 1, max: 12 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(problem, ({ dimension, count, clusters, seed }) => {
        const x = weights(count * dimension, seed);
        const start = weights(clusters * dimension, seed + 1);
        const codes = Uint8Array.from({ length: count }, (_, i) => (i * 7) % clusters);
        both((of) => {
          using vectors = of.vectors(x, 0.5, dimension);
          using search = vectors.lloyd(start);
          const passes = [1, 2].map(() => [search.pass(), search.centroids()]);
          const filled = [search.refill(clusters - 1), search.centroids()];
          using columns = vectors.columns(Uint32Array.of(count - 1, 0), 1 + (seed & 1));
          const distances = new Float32Array(2).fill(Number.POSITIVE_INFINITY);
          columns.nearer(1, distances);
          using runs = vectors.take(Uint32Array.of(0, (count - 1) * dimension), dimension, dimension);
          vectors.subtract(codes, start);
          return [passes, filled, distances, runs.at(1), vectors.at(0), vectors.sumSquares(), vectors.nearest(start)];
        });
        both((of) => {
          using vectors = of.vectors(x, 1, dimension);
          const sides = of.interleave(Uint8Array.of(...codes, ...codes.toReversed()), 2);
          const codebooks = weights(2 * clusters * dimension, seed + 2);
          return vectors.additive({ codes: sides, codebooks, count: 2 }, { beam: 3, searches: 2, fits: 2 });
        });
        const curvature = weights(x.length, seed + 3).map(Math.abs);
        both((of) => {
          using plain = of.sorted(x, 2);
          using weighted = of.sorted(x, 2, curvature, 0.25);
          using curved = of.curved(2, { values: x, curvature, ratio: 0.5 });
          const bounds = Float64Array.of(-0.75, 0, 0, 1);
          const chosen = curved.codes(start, start.map(Math.abs));
          return [plain.intervals(bounds), weighted.intervals(bounds), chosen, curved.sums(chosen, start.length)];
        });
        both((of) => of.hashedMeans(x, seed >>> 0, 0.5, clusters));
      }),
      { seed: 33, numRuns: 100 },
    );
  });

  it("bases, scales and sorted weights equal plain TypeScript's on any weights of a wide range", () => {
    // Levels are sums of coefficients: weights at the end of f32 would make infinities of them.
    const wide = fc.oneof(
      fc.float({ noNaN: true, min: Math.fround(-1e37), max: Math.fround(1e37) }),
      fc.integer({ min: -8, max: 8 }).map((n) => n / 2),
    );
    const problem = fc
      .tuple(fc.integer({ min: 1, max: 4 }), size, size, fc.integer({ min: 1, max: 8 }))
      .chain(([rows, columns, groupSize, count]) =>
        fc.record({
          grouping: fc.constant<Grouping>({ rows, columns, groupSize }),
          count: fc.constant(count),
          x: fc
            .array(wide, { minLength: rows * columns, maxLength: rows * columns })
            .map((list) => Float32Array.from(list)),
          codes: fc.uint8Array({ minLength: rows * columns, maxLength: rows * columns, max: 2 ** count - 1 }),
        }),
      );
    fc.assert(
      fc.property(problem, ({ grouping, count, x, codes }) => {
        both((of) => {
          using resident = of.load(x);
          const coefficients = resident.fitBases(grouping, codes, count);
          const importance = Float32Array.from(codes);
          const levels = weights(2 ** count, count);
          const sizes = groupCount(grouping) * count;
          return [
            coefficients,
            resident.nearestBases(grouping, coefficients, count),
            resident.nearestBases(grouping, new Float32Array(sizes).fill(0.5), count),
            count < 8 ? resident.residualSigns(grouping, { codes, coefficients, count }) : [],
            resident.baseCodes(grouping, coefficients, count),
            resident.moments(grouping),
            resident.scaleSums(grouping, codes, levels),
            resident.scaleSums(grouping, codes, levels, importance),
            resident.ternaryScale(grouping),
            resident.levelScale(
              grouping,
              Float32Array.of(0, 1, 2, 4).subarray(0, 1 + (count & 3)),
              coefficients.subarray(0, groupCount(grouping)).map(Math.abs),
            ),
          ];
        });
      }),
      { seed: 33, numRuns: 200 },
    );
  });

  it("packing, unpacking and searches equal plain TypeScript's", () => {
    const codes = fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5 }), size)
      .chain(([bits, rows, perRow]) =>
        fc.record({
          bits: fc.constant(bits),
          rows: fc.constant(rows),
          perRow: fc.constant(perRow),
          list: fc.uint8Array({ minLength: rows * perRow, maxLength: rows * perRow, max: 2 ** bits - 1 }),
        }),
      );
    fc.assert(
      fc.property(codes, fc.integer({ min: 0, max: 256 }), ({ bits, rows, perRow, list }, limit) => {
        both((of) => of.pack(list, rows, perRow, bits));
        both((of) => of.unpack(of.pack(list, rows, perRow, bits), rows, perRow, bits));
        both((of) => of.firstCodeBeyond(list, limit));
        both((of) => of.firstNonFinite(Float32Array.from(list, (code) => (code === 3 ? Number.NaN : code))));
        expect(loops.unpack(loops.pack(list, rows, perRow, bits), rows, perRow, bits)).toEqual(list);
      }),
      { seed: 32, numRuns: 200 },
    );
  });

  it("gives back all the memory it took", async () => {
    const before = kernels.bytesInUse;
    for (const scheme of schemes) {
      const quantizer = parseScheme(scheme);
      const options = { kernels, ...sampleNeeds(quantizer, 4, 36) };
      const quantized = await quantize({ shape: [4, 36], data: weights(144, 5) }, quantizer, options);
      quantized.dequantize();
    }
    await expect(
      quantize({ shape: [1], data: Float32Array.of(Number.NaN) }, kmeans({ k: 2 }), { kernels }),
    ).rejects.toThrow();
    expect(kernels.bytesInUse).toBe(before);
  });

  it("a constant outlives the instance that made it", async () => {
    const own = await loadKernels({ tier, part: "quantize", wasm: bundledWasm });
    const quantized = await quantize({ shape: [4, 36], data: weights(144, 6) }, parseScheme("int4"), { kernels: own });
    const values = quantized.dequantize();
    own.dispose();
    expect(() => quantized.dequantize()).toThrow(DisposedError);
    const constant = quantized.toConstant();
    if (constant.kind === "quantized") expect(await dequantize(constant)).toEqual(values);
    expect(constant.kind).toBe("quantized");
  });
});

describe("the same bytes in every tier and engine", () => {
  const instances = new Map<string, KernelInstance>();
  beforeAll(async () => {
    for (const tier of availableTiers())
      instances.set(tier, await loadKernels({ tier, part: "quantize", wasm: bundledWasm }));
  });
  afterAll(() => {
    for (const instance of instances.values()) instance.dispose();
  });

  it.each(schemes)("%s", async (scheme) => {
    for (const [tier, kernels] of instances)
      expect((await digest(scheme, kernels)).slice(0, 16), tier).toBe(digests[scheme]);
  });
});
