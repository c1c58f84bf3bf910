/** GGUF's block types against llama.cpp's reference (scripts/make-block-golden.py), and the codebooks of 4 bits against their definitions. */
import { describe, expect, it } from "vitest";
import { LowbitError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { sha256Hex } from "../../src/file/digest.ts";
import { E2M1_LEVELS } from "../../src/quantize/blocks/e2m1.ts";
import { blockLayouts, type QuantizerBlock } from "../../src/quantize/blocks/layout.ts";
import { NF4_LEVELS } from "../../src/quantize/blocks/nf4.ts";
import { e4m3 } from "../../src/quantize/blocks/nvfp4.ts";
import {
  dequantize,
  fromBlocks,
  mxfp4,
  nf4,
  nvfp4,
  parseScheme,
  q4_0,
  q4_k,
  q8_0,
  quantize,
  Random,
  ternary,
  toBlocks,
  tq1_0,
  tq2_0,
} from "../../src/quantize.ts";
import golden from "../golden/blocks.json" with { type: "json" };
import { normalQuantile } from "./distributions.ts";
import { toHalf } from "./naive-blocks.ts";

const types: readonly QuantizerBlock[] = ["q4_0", "q8_0", "tq1_0", "tq2_0", "q4_k"];
const quantizers = { q4_0, q8_0, tq1_0, tq2_0, q4_k };
const shape = [golden.rows, golden.columns];

/** The weights of scripts/make-block-golden.py. */
function sample(kind: string): Float32Array {
  const random = new Random(golden.seed);
  const bell = (): number => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.uniform();
    return sum;
  };
  const draw: Record<string, (i: number) => number> = {
    bell: () => 0.05 * bell(),
    heavy: () => {
      const x = bell();
      return x * Math.abs(x) * x;
    },
    "one-sided": () => 0.01 + random.uniform(),
    negative: () => -1 - random.uniform(),
    few: () => random.below(4) - 1,
    ternary: () => (random.below(3) - 1) * 0.0625,
    small: () => bell() * 2 ** -15,
    tiny: () => bell() * 2 ** -21,
    large: () => bell() * 4096,
    mixed: (i) => {
      const part = Math.floor(i / 64) % 4;
      return i % 64 === 5 && part === 3 ? 40 : [0, 0.3, -0.7, bell()][part]!;
    },
  };
  return Float32Array.from({ length: golden.rows * golden.columns }, (_, i) => draw[kind]!(i));
}

const digest = (data: ArrayBufferView): string =>
  sha256Hex(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).slice(0, 32);

describe.each(Object.entries(golden.cases))("%s weights, as llama.cpp's reference", (kind, recorded) => {
  const data = sample(kind);
  it("are the ones that were recorded", () => expect(digest(data)).toBe(recorded.weights));

  it.each(types)("%s: the same floats, the same bytes, and back", async (type) => {
    const quantized = await quantize({ shape, data }, quantizers[type]());
    expect(digest(quantized.dequantize())).toBe(recorded[type].floats);
    const bytes = await toBlocks(quantized.toConstant(), type);
    // Where d has rounded to 0 the integers that it would multiply are lost, and nothing else.
    if (type !== "q4_k" || kind !== "tiny") expect(digest(bytes)).toBe(recorded[type].blocks);
    const constant = await fromBlocks(bytes, type, shape);
    expect(digest(await dequantize(constant))).toBe(recorded[type].floats);
    expect(await toBlocks(constant, type)).toEqual(bytes);
  });
});

describe("blocks by hand", () => {
  const row = (length: number, ...head: number[]): Float32Array => {
    const data = new Float32Array(length);
    data.set(head);
    return data;
  };

  it("q4_0: the largest weight is code 0, halves round up", async () => {
    // d = 8 / -8 = -1: codes are trunc(8.5 - w).
    const { unpackCodes, scales, toConstant } = await quantize(
      { shape: [1, 32], data: row(32, 8, -7, 1, 0.5, 0.51, -0.5, -8) },
      q4_0(),
    );
    expect([...scales!]).toEqual([-1]);
    expect([...unpackCodes().subarray(0, 8)]).toEqual([0, 15, 7, 8, 7, 9, 15, 8]);
    const bytes = await toBlocks(toConstant(), "q4_0");
    // f16 of -1 is 0xbc00; bytes of codes have weight 16 + j in the high half.
    expect([...bytes.subarray(0, 5)]).toEqual([0x00, 0xbc, 0x80, 0x8f, 0x87]);
    expect(bytes.length).toBe(18);
  });

  it("q8_0: halves away from zero", async () => {
    const { unpackCodes, toConstant } = await quantize(
      { shape: [1, 32], data: row(32, 127, -2.5, 2.5, 0.5, -0.4) },
      q8_0(),
    );
    expect([...unpackCodes().subarray(0, 6)].map((code) => code - 128)).toEqual([127, -3, 3, 1, 0, 0]);
    expect([...(await toBlocks(toConstant(), "q8_0")).subarray(0, 5)]).toEqual([0x00, 0x3c, 127, 253, 3]);
  });

  it("tq1_0: five trits to a byte; tq2_0: four", async () => {
    const data = row(256, 1);
    data[32] = -1;
    data[64] = 0.5;
    data[96] = 0.49;
    const one = await toBlocks((await quantize({ shape: [1, 256], data }, tq1_0())).toConstant(), "tq1_0");
    // Trits 2 0 2 1 1 are 162 + 0 + 18 + 3 + 1 = 184; ceil(184 · 256 / 243) = 194.
    expect(one[0]).toBe(194);
    expect([one[52], one[53], one.length]).toEqual([0x00, 0x3c, 54]);
    const two = await toBlocks((await quantize({ shape: [1, 256], data }, tq2_0())).toConstant(), "tq2_0");
    expect([two[0], two.length]).toEqual([2 | (0 << 2) | (2 << 4) | (1 << 6), 66]);
  });

  it("q4_k: 16 levels a sub-block are exact where its scale and minimum are", async () => {
    // Sub-block j: steps of (j + 1) / 64 from -j / 16 on... in units that 6 bits hold: largest step and minimum are 63 of theirs.
    const data = Float32Array.from({ length: 256 }, (_, i) => {
      const j = Math.floor(i / 32);
      return (((i % 16) * (j === 7 ? 63 : j + 1) - (j === 6 ? 63 : 3 * j) * 5) * 1) / 64;
    });
    const { error, toConstant } = await quantize({ shape: [1, 256], data }, q4_k());
    expect(error.relativeMse).toBeLessThan(1e-3);
    expect((await toBlocks(toConstant(), "q4_k")).length).toBe(144);
  });

  it("ternary weights in groups of 256 are blocks too, where f16 has their scales", async () => {
    const data = Float32Array.from({ length: 512 }, (_, i) => ((i * 7) % 3) - 1);
    const constant = (await quantize({ shape: [2, 256], data }, ternary({ per: { group: 256 } }))).toConstant();
    const blocks = await toBlocks(constant, "tq2_0");
    expect(await dequantize(await fromBlocks(blocks, "tq2_0", [2, 256]))).toEqual(data);
    const third = (
      await quantize({ shape: [2, 256], data: data.map((w) => w / 3) }, ternary({ per: { group: 256 } }))
    ).toConstant();
    await expect(toBlocks(third, "tq2_0")).rejects.toThrow(OutOfRangeError);
    await expect(toBlocks(third, "tq2_0")).rejects.toThrow("toBlocks tq2_0: scale 0, expected a number of f16");
  });
});

describe("bad input", () => {
  const constant = async (type: QuantizerBlock, columns: number) =>
    (
      await quantize({ shape: [2, columns], data: new Float32Array(2 * columns).fill(1) }, quantizers[type]())
    ).toConstant();

  it.each(types)("%s: rows that are no multiple of the block have no blocks", async (type) => {
    const { weights, bytes } = blockLayouts[type];
    const failure = toBlocks(await constant(type, weights / 2), type);
    await expect(failure).rejects.toThrow(ShapeError);
    await expect(failure).rejects.toThrow(
      `toBlocks ${type}: weights of a row, expected a multiple of ${weights}, got ${weights / 2}`,
    );
    await expect(fromBlocks(new Uint8Array(bytes), type, [2, weights / 2])).rejects.toThrow(ShapeError);
  });

  it.each(types)("%s: another number of bytes", async (type) => {
    const { weights, bytes } = blockLayouts[type];
    for (const length of [0, bytes - 1, bytes + 1, 2 * bytes]) {
      const failure = fromBlocks(new Uint8Array(length), type, [1, weights]);
      await expect(failure).rejects.toThrow(`fromBlocks ${type}: bytes, expected ${bytes}, got ${length}`);
    }
    for (const shape of [[], [0, weights], [-1, weights], [1.5, weights]])
      await expect(fromBlocks(new Uint8Array(bytes), type, shape)).rejects.toThrow(ShapeError);
  });

  it("another decoding, group or width", async () => {
    const q4 = await constant("q4_0", 256);
    await expect(toBlocks(q4, "q8_0")).rejects.toThrow("toBlocks q8_0: bits, expected 8, got 4");
    await expect(toBlocks(q4, "q4_k")).rejects.toThrow("decoding, expected offset, got 8");
    const wide = (await quantize({ shape: [2, 256], data: new Float32Array(512).fill(1) }, ternary())).toConstant();
    await expect(toBlocks({ ...wide, shape: [1, 512], scaleShape: [1, 2] }, "tq2_0")).resolves.toHaveLength(132);
    const channel = (await quantize({ shape: [1, 512], data: new Float32Array(512).fill(1) }, ternary())).toConstant();
    await expect(toBlocks(channel, "tq2_0")).rejects.toThrow("weights of a group, expected 256, got 512");
  });

  it.each(types)("%s: a scale that is infinite or NaN", async (type) => {
    const { weights, bytes } = blockLayouts[type];
    const at = type.startsWith("tq") ? bytes - 2 : 0;
    for (const [half, got] of [
      [0x7c00, "Infinity"],
      [0xfc00, "-Infinity"],
      [0x7e00, "NaN"],
    ] as const) {
      const blocks = new Uint8Array(2 * bytes).fill(1);
      new DataView(blocks.buffer).setUint16(bytes + at, half, true);
      const first = weights / blockLayouts[type].group;
      const failure = fromBlocks(blocks, type, [2, weights]);
      await expect(failure).rejects.toThrow(OutOfRangeError);
      await expect(failure).rejects.toThrow(`scale ${first}, expected finite, got ${got}`);
    }
  });

  it.each([
    ["q4_0", 8 * 65520],
    ["q8_0", 127 * 65520],
    ["tq2_0", 65520],
    ["q4_k", 1e9],
  ] as const)("%s: weights beyond f16's scales are refused, those before are not", async (type, limit) => {
    const run = (w: number) => quantize({ shape: [1, 256], data: row(w) }, quantizers[type]());
    const row = (w: number): Float32Array => Float32Array.from({ length: 256 }, (_, i) => (i === 3 ? w : 0));
    await expect(run(limit)).rejects.toThrow(OutOfRangeError);
    await expect(run(limit)).rejects.toThrow(`quantize ${type}: levels, expected finite f32`);
    expect((await run(limit / 300)).error.relativeMse).toBeLessThan(0.02);
    await expect(run(limit)).rejects.toThrow(LowbitError);
  });

  it("any bytes with finite scales are read and written again", async () => {
    for (const type of types) {
      const { weights, bytes } = blockLayouts[type];
      const random = new Random(5);
      const blocks = Uint8Array.from({ length: 8 * bytes }, () => random.below(256));
      const constant = await fromBlocks(
        blocks.map((byte, i) => (finiteHalves(type).includes(i % bytes) ? byte & 0xbb : byte)),
        type,
        [8, weights],
      );
      const again = await fromBlocks(await toBlocks(constant, type), type, [8, weights]);
      expect(await dequantize(again)).toEqual(await dequantize(constant));
    }
  });

  /** The high bytes of the f16 of a block. */
  const finiteHalves = (type: QuantizerBlock): number[] =>
    type.startsWith("tq") ? [blockLayouts[type].bytes - 1] : type === "q4_k" ? [1, 3] : [1];
});

describe("NF4", () => {
  it("has the quantiles of its construction as levels", () => {
    const offset = 1 - (1 / 32 + 1 / 30) / 2;
    const positive = Array.from({ length: 8 }, (_, i) => normalQuantile(offset - (i * (offset - 0.5)) / 8));
    const negative = Array.from({ length: 7 }, (_, i) => -normalQuantile(offset - (i * (offset - 0.5)) / 7));
    const levels = [...negative, 0, ...positive.toReversed()].map((level) => level / positive[0]!);
    expect(NF4_LEVELS.length).toBe(16);
    for (const [i, level] of NF4_LEVELS.entries()) expect(level).toBeCloseTo(levels[i]!, 6);
  });

  it("is exact on its own levels and takes the lower one on a tie", async () => {
    const levels = Float32Array.from(NF4_LEVELS);
    const { error, scales } = await quantize({ shape: [1, 16], data: levels.map((l) => l * -4) }, nf4());
    expect(scales).toEqual(Float32Array.of(4));
    expect(error.relativeMse).toBeGreaterThan(0);
    expect((await quantize({ shape: [1, 16], data: levels.map((l) => l * 4) }, nf4())).error.maxAbs).toBe(0);
    const tie = (levels[14]! + 1) / 2;
    const q = await quantize({ shape: [1, 2], data: Float32Array.of(1, tie) }, nf4());
    expect(q.unpackCodes()[1]).toBe(Math.fround(tie) === tie ? 14 : q.unpackCodes()[1]);
  });
});

describe("E2M1, MXFP4 and NVFP4", () => {
  it("has the levels of the format's bits", () => {
    // Sign, exponent e with bias 1, mantissa m: m / 2 where e is 0, else 2^(e-1) (1 + m / 2).
    const levels = Array.from({ length: 16 }, (_, bits) => {
      const [e, m] = [(bits >> 1) & 3, bits & 1];
      const magnitude = e === 0 ? m / 2 : 2 ** (e - 1) * (1 + m / 2);
      return bits & 8 ? -magnitude : magnitude;
    });
    expect([...E2M1_LEVELS].map((l) => l + 0).sort((a, b) => a - b)).toEqual(
      levels.map((l) => l + 0).sort((a, b) => a - b),
    );
  });

  it("mxfp4: the power of two two below the largest weight's, ties to even, clipping at 6", async () => {
    const data = Float32Array.of(7.9, -5, 0.25, 0.75, -1.25, 1.75, 2.5, 3.5, 0.2501, -7, 5.01, 0);
    const { scales, dequantize } = await quantize({ shape: [1, 12], data }, mxfp4());
    expect(scales).toEqual(Float32Array.of(1));
    expect([...dequantize()]).toEqual([6, -4, 0, 1, -1, 2, 2, 4, 0.5, -6, 6, 0]);
    const scale = async (max: number) =>
      (await quantize({ shape: [1, 1], data: Float32Array.of(max) }, mxfp4())).scales![0];
    expect(await scale(4)).toBe(1);
    expect(await scale(3.999)).toBe(0.5);
    expect(await scale((2 - 2 ** -23) * 2 ** 127)).toBe(2 ** 125);
    expect(await scale(2 ** -125)).toBe(2 ** -127);
    expect(await scale(2 ** -149)).toBe(2 ** -127);
  });

  it("e4m3 is the nearest of its 127 numbers, ties to even", () => {
    const numbers = Array.from({ length: 127 }, (_, bits) => {
      const [e, m] = [bits >> 3, bits & 7];
      return e === 0 ? m * 2 ** -9 : 2 ** (e - 7) * (1 + m / 8);
    });
    expect(numbers[126]).toBe(448);
    const random = new Random(6);
    const probes = [
      0,
      1e-9,
      2 ** -10,
      447,
      448,
      460,
      1e9,
      ...numbers,
      ...numbers.slice(1).map((n, i) => (n + numbers[i]!) / 2),
    ];
    for (let i = 0; i < 2000; i++) probes.push(random.uniform() * 2 ** (random.below(22) - 11));
    for (const x of probes) {
      const distances = numbers.map((n) => Math.abs(n - x));
      const least = Math.min(...distances);
      const nearest = numbers.filter((_, i) => distances[i] === least);
      const even = nearest.find((n) => numbers.indexOf(n) % 2 === 0);
      expect(e4m3(x), String(x)).toBe(nearest.length === 1 ? nearest[0] : even);
    }
  });

  it("nvfp4: scales of E4M3 under one of the tensor, small groups drop to 0", async () => {
    const data = new Float32Array(64);
    data.set([2688, -1344, 1], 0); // s_t = 1, s_g = 448
    data.set([6 * 1.1, 6.6], 16); // E4M3(1.1) = 1.125
    data.set([6 * 2 ** -10, -0.004], 32); // a tie between 0 and 2^-9, to the even 0
    const { scales, dequantize } = await quantize({ shape: [1, 64], data }, nvfp4());
    expect([...scales!]).toEqual([448, 1.125, 0, 0]);
    const values = dequantize();
    expect([...values.subarray(0, 3)]).toEqual([2688, -1344, 0]);
    expect([...values.subarray(16, 18)]).toEqual([6.75, 6.75]);
    expect(values.subarray(32).every((value) => value === 0)).toBe(true);
  });
});

describe("schemes", () => {
  it("take no modifiers but NF4's", () => {
    expect(parseScheme("nf4:g64").scheme).toBe("nf4");
    expect(parseScheme("nf4:g32").scheme).toBe("nf4:g32");
    for (const scheme of ["q4_0:g32", "q4_k:channel", "tq3_0", "mxfp4:g16", "nvfp4:", "nf4:mse"])
      expect(() => parseScheme(scheme)).toThrow("parseScheme");
  });
});

describe("the oracle's f16", () => {
  it("is that of known numbers", () => {
    expect([1 / 3, 65504, 65519, 2 ** -24, 2 ** -25, 3 * 2 ** -26, 0.1].map(toHalf)).toEqual([
      0.333251953125,
      65504,
      65504,
      2 ** -24,
      0,
      2 ** -24,
      0.0999755859375,
    ]);
  });
});
