/** Gradients as bytes: what is decoded, how it is distributed, how many bytes it takes, and what is refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError, NotFiniteError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import { dynamicTreeLevels } from "../../src/quantize/gradients/dynamic-tree.ts";
import {
  dorefaGradient,
  dynamicTree,
  efSignSgd,
  type GradientQuantizer,
  gradientCodec,
  majorityVote,
  oneBitSgd,
  qsgd,
  signSgd,
  stromThreshold,
  ternGrad,
  WireError,
} from "../../src/quantize.ts";
import { bell, named, squares, sum } from "./gradient-cases.ts";
import { elias } from "./naive-gradients.ts";

describe("by hand", () => {
  const encodeOf = async (quantizer: GradientQuantizer, ...gradients: number[][]) => {
    const codec = await gradientCodec(quantizer);
    const messages = gradients.map((g) => codec.encode(Float32Array.from(g)));
    return { bytes: messages.map((m) => [...m]), vectors: messages.map((m) => [...codec.decode(m)]), codec };
  };
  const f32 = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

  it("1-bit SGD: means of both signs per column, the error with the next gradient", async () => {
    const { bytes, vectors, codec } = await encodeOf(
      oneBitSgd({ column: 4 }),
      [1, 3, -4, 0, -0.5, -1.5],
      [0, 0, 0, 0, 0, 0],
    );
    const mean = Math.fround(4 / 3);
    expect(vectors[0]).toEqual([mean, mean, -4, mean, -1, -1]);
    expect(bytes[0]).toEqual([
      1,
      0,
      0,
      0,
      6,
      0,
      0,
      0,
      4,
      0,
      0,
      0,
      ...f32(mean),
      ...f32(-4),
      ...f32(0),
      ...f32(-1),
      0b110100,
    ]);
    // Residual 1 - 4/3, 3 - 4/3, 0, -4/3 | 1/2, -1/2: what the second message says.
    expect(vectors[1]!.map((v) => v.toFixed(4))).toEqual([
      "-0.8333",
      "0.8333",
      "0.8333",
      "-0.8333",
      "0.5000",
      "-0.5000",
    ]);
    expect([...codec.residual!].map((v) => v.toFixed(4))).toEqual([
      "0.5000",
      "0.8333",
      "-0.8333",
      "-0.5000",
      "0.0000",
      "0.0000",
    ]);
  });

  it("Strom: what exceeds ±τ is sent as ±τ, the rest waits", async () => {
    const { bytes, vectors, codec } = await encodeOf(
      stromThreshold({ threshold: 1 }),
      [0.75, -2.5, 1, 0, 1.25],
      [0.5, 0, 0.25, 0, 0],
    );
    expect(vectors).toEqual([
      [0, -1, 0, 0, 1],
      [1, -1, 1, 0, 0],
    ]);
    expect(bytes[0]).toEqual([2, 0, 0, 0, 5, 0, 0, 0, ...f32(1), 2, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0]);
    expect([...codec.residual!]).toEqual([0.25, -0.5, 0.25, 0, 0.25]);
  });

  it("dynamic tree: levels by their bits", async () => {
    const levels = dynamicTreeLevels();
    expect(new Set(levels).size).toBe(256);
    expect([levels[0], levels[0x80]]).toEqual([0, 1]);
    // 0b1: six zeros, no fraction: 10^-6 · 0.55; 0b1101: three zeros, fifth of eight parts.
    expect(levels[1]).toBe(Math.fround(0.55e-6));
    expect(levels[0b1101]).toBe(Math.fround(1e-3 * (0.1 + (0.9 * 5.5) / 8)));
    expect(levels[0b0_1111111]).toBe(Math.fround(0.1 + (0.9 * 63.5) / 64));
    expect(levels[0b1_1000000]).toBe(-Math.fround(0.1 + (0.9 * 0.5) / 64));
    const { bytes, vectors } = await encodeOf(dynamicTree(), [2, -1, 0, 2e-4]);
    expect(bytes[0]!.slice(8, 12)).toEqual(f32(2));
    expect(bytes[0]![12]).toBe(0x80);
    expect(vectors[0]![0]).toBe(2);
    expect(Math.abs(vectors[0]![1]! + 1)).toBeLessThanOrEqual((2 * 0.45) / 64);
    expect(Math.abs(vectors[0]![3]! - 2e-4)).toBeLessThanOrEqual((2e-3 * 0.45) / 8);
    // The levels of bitsandbytes' create_dynamic_map(signed=True), its smallest and two in the middle.
    const known = [5.5e-7, 3.25e-6, 7.75e-6, 0.10703125].map(Math.fround);
    expect([levels[1], levels[2], levels[3], levels[64]]).toEqual(known);
  });

  it("TernGrad: the largest magnitude is kept, zeros stay", async () => {
    const { bytes, vectors } = await encodeOf(ternGrad(), [2, -2, 0, 2, -2, 2]);
    expect(vectors[0]).toEqual([2, -2, 0, 2, -2, 2]);
    // 2 + 0 · 3 + 1 · 9 + 2 · 27 + 0 · 81 = 65; then 2.
    expect(bytes[0]).toEqual([4, 0, 0, 0, 6, 0, 0, 0, ...f32(2), 65, 2]);
  });

  it("QSGD: Elias' codes of levels that are certain", async () => {
    // ‖v‖ = 5, s = 5: levels 3, 0, -4, 0.
    const sparse = await encodeOf(qsgd({ levels: 5 }), [3, 0, -4, 0]);
    expect(sparse.vectors[0]).toEqual([3, 0, -4, 0]);
    const bits = [elias(3), elias(1), "0", elias(3), elias(2), "1", elias(4)].join("");
    const stream = [...bits].map(Number);
    const packed = Array.from({ length: Math.ceil(bits.length / 8) }, (_, byte) =>
      stream.slice(8 * byte, 8 * byte + 8).reduce((all, bit, i) => all | (bit << i), 0),
    );
    expect(sparse.bytes[0]).toEqual([5, 0, 5, 0, 4, 0, 0, 0, 4, 0, 0, 0, ...f32(5), ...packed]);
    const dense = await encodeOf(qsgd({ levels: 5, coding: "dense" }), [3, 0, -4, 0]);
    expect(dense.vectors[0]).toEqual([3, 0, -4, 0]);
    expect(dense.bytes[0]!.length).toBe(
      16 + Math.ceil([elias(4), "0", elias(1), elias(5), "1", elias(1)].join("").length / 8),
    );
  });

  it("DoReFa: ends are certain, all else is one of its neighbours", async () => {
    const { bytes, vectors } = await encodeOf(dorefaGradient({ bits: 2 }), [3, -3, 1, -1, 0]);
    // Steps of 2 · 3 / 3: levels -3, -1, 1, 3.
    expect(vectors[0]!.slice(0, 4)).toEqual([3, -3, 1, -1]);
    expect(Math.abs(vectors[0]![4]!)).toBe(1);
    expect(bytes[0]!.slice(0, 13)).toEqual([6, 2, 0, 0, 5, 0, 0, 0, ...f32(2), 0b01_10_00_11]);
  });

  it("signs, and signs times the mean with what they lose", async () => {
    const signs = await encodeOf(signSgd(), [0.1, -3, 0, -0]);
    expect(signs.vectors[0]).toEqual([1, -1, 1, 1]);
    expect(signs.bytes[0]).toEqual([7, 0, 0, 0, 4, 0, 0, 0, 0b10]);
    const { bytes, vectors, codec } = await encodeOf(efSignSgd(), [1, -3, 0, -2], [0, 0, 0, 0]);
    expect(vectors[0]).toEqual([1.5, -1.5, 1.5, -1.5]);
    expect(bytes[0]).toEqual([8, 0, 0, 0, 4, 0, 0, 0, ...f32(1.5), 0b1010]);
    // Residual -0.5, -1.5, -1.5, -0.5.
    expect(vectors[1]).toEqual([-1, -1, -1, -1]);
    expect([...codec.residual!]).toEqual([0.5, -0.5, -0.5, 0.5]);
  });

  it("the majority of signs, plus on a tie", async () => {
    const codec = await gradientCodec(signSgd());
    const votes = [
      [1, 1, -1, -1, 1, 1, 1, 1, -1],
      [1, -1, -1, 1, 1, 1, 1, 1, -1],
      [-1, -1, -1, -1, 1, 1, 1, 1, 1],
    ].map((g) => codec.encode(Float32Array.from(g)));
    expect([...codec.decode(await majorityVote(votes))]).toEqual([1, -1, -1, -1, 1, 1, 1, 1, -1]);
    expect([...codec.decode(await majorityVote(votes.slice(0, 2)))]).toEqual([1, 1, -1, 1, 1, 1, 1, 1, -1]);
    expect(await majorityVote(votes.slice(0, 1))).toEqual(votes[0]);
  });
});

describe.each(named)("%s", (_, quantizer) => {
  const gradient = bell(1000, 3);

  it("decodes to what its residual says, and otherwise to levels that come back", async () => {
    const codec = await gradientCodec(quantizer);
    let sent = new Float64Array(gradient.length);
    for (let step = 0; step < 5; step++) {
      const before = codec.residual ?? new Float32Array(gradient.length);
      const vector = codec.decode(codec.encode(gradient));
      sent = sent.map((s, i) => s + vector[i]!);
      if (!quantizer.feedback) continue;
      const kept = codec.residual!;
      for (const [i, g] of gradient.entries())
        expect(kept[i]).toBe(Math.fround(Math.fround(g + before[i]!) - vector[i]!));
    }
    if (!quantizer.feedback) return expect(codec.residual).toBeUndefined();
    for (const [i, s] of sent.entries()) expect(s + codec.residual![i]!).toBeCloseTo(5 * gradient[i]!, 4);
  });

  it("gives the same bytes for the same seed, others for another where it draws, and leaves the gradient alone", async () => {
    const given = bell(300, 4);
    const encode = async (seed: number) => (await gradientCodec(quantizer, { seed })).encode(given);
    expect(await encode(1)).toEqual(await encode(1));
    const same = (await encode(1)).join() === (await encode(2)).join();
    expect(same).toBe(!/terngrad|qsgd|dorefa/.test(quantizer.scheme));
    expect(given).toEqual(bell(300, 4));
  });

  it("declares its bias truly: the mean over seeds within six standard errors", async () => {
    const vector = bell(60, 5);
    // Further than any number of others, so that clipping shows.
    vector[7] = 9;
    const codec = await gradientCodec(quantizer, { seed: 6 });
    if (quantizer.feedback) return expect(quantizer.unbiased).toBe(false);
    const draws = 4000;
    const [mean, square] = [new Float64Array(60), new Float64Array(60)];
    for (let draw = 0; draw < draws; draw++)
      codec.decode(codec.encode(vector)).forEach((v, i) => {
        mean[i]! += v / draws;
        square[i]! += (v * v) / draws;
      });
    const worst = vector.reduce((most, g, i) => {
      const error = Math.sqrt(Math.max(0, square[i]! - mean[i]! ** 2) / draws) + 1e-6 * Math.abs(g);
      return Math.max(most, Math.abs(mean[i]! - g) / error);
    }, 0);
    if (quantizer.unbiased) expect(worst).toBeLessThan(6);
    else expect(worst).toBeGreaterThan(6);
  });

  it("keeps zeros only, one number and numbers at both ends of f32", async () => {
    const decodeAll = async (...numbers: number[]) => {
      const codec = await gradientCodec(quantizer);
      return codec.decode(codec.encode(Float32Array.from(numbers)));
    };
    const zeros = await decodeAll(0, -0, 0, 0, 0, 0, 0, 0, 0);
    if (quantizer.scheme !== "sign") expect(zeros.map((v) => v + 0)).toEqual(new Float32Array(9));
    expect((await decodeAll(-0.75)).length).toBe(1);
    expect((await decodeAll(2 ** -149, -(2 ** -149), 2 ** -140)).every(Number.isFinite)).toBe(true);
    const most = (2 - 2 ** -23) * 2 ** 127;
    const ends = decodeAll(most, -most, 1);
    // 2 max|g| and the norm of two such numbers are beyond f32.
    if (/^qsgd:(1|4:dense|255)$|^qsgd:4|^dorefa-gradient:1$/.test(quantizer.scheme)) {
      await expect(ends).rejects.toThrow(OutOfRangeError);
    } else expect((await ends).every(Number.isFinite)).toBe(true);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses %f with its position",
    async (bad) => {
      const codec = await gradientCodec(quantizer);
      const failure = () => codec.encode(Float32Array.of(1, 2, bad));
      expect(failure).toThrow(NotFiniteError);
      expect(failure).toThrow(
        `encode ${quantizer.scheme}: gradient, expected finite numbers, got a NaN or an infinity at element 2`,
      );
    },
  );

  it("refuses no numbers, and with feedback another length", async () => {
    const codec = await gradientCodec(quantizer);
    expect(() => codec.encode(new Float32Array())).toThrow(ShapeError);
    codec.encode(Float32Array.of(1, 2));
    if (quantizer.feedback) {
      expect(() => codec.encode(Float32Array.of(1, 2, 3))).toThrow(ShapeError);
      expect(() => codec.encode(Float32Array.of(1, 2, 3))).toThrow("numbers of the gradient, expected 2, got 3");
    } else expect(codec.encode(Float32Array.of(1, 2, 3)).length).toBeGreaterThan(8);
  });

  it("refuses every message that ends too early or goes on", async () => {
    const codec = await gradientCodec(quantizer);
    for (const given of [bell(37, 8), bell(1, 9)]) {
      const bytes = codec.quantizer.feedback ? (await gradientCodec(quantizer)).encode(given) : codec.encode(given);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => codec.decode(bytes.subarray(0, length)), String(length)).toThrow(WireError);
        expect(() => codec.decode(bytes.subarray(0, length)), String(length)).toThrow(
          expect.objectContaining({ code: "wire-truncated", op: `decode ${quantizer.scheme}` }),
        );
      }
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      expect(() => codec.decode(longer)).toThrow(expect.objectContaining({ code: "wire-corrupt" }));
      // A message inside a larger buffer, at an odd place.
      const shifted = new Uint8Array(bytes.length + 3);
      shifted.set(bytes, 3);
      expect(codec.decode(shifted.subarray(3))).toEqual(codec.decode(bytes));
    }
  });

  it("refuses another method, no numbers, unknown parameters and floats that are none", async () => {
    const codec = await gradientCodec(quantizer);
    const bytes = codec.encode(bell(37, 10));
    const changed = (...at: [index: number, value: number][]): Uint8Array => {
      const copy = bytes.slice();
      for (const [index, value] of at) copy[index] = value;
      return copy;
    };
    const corrupt = expect.objectContaining({ name: "WireError", code: "wire-corrupt" });
    expect(() => codec.decode(changed([0, 99]))).toThrow(corrupt);
    expect(() => codec.decode(changed([0, 0]))).toThrow(
      `decode ${quantizer.scheme}: method, expected ${bytes[0]}, got 0`,
    );
    expect(() => codec.decode(changed([1, 77]))).toThrow(corrupt);
    expect(() => codec.decode(changed([3, 77]))).toThrow(corrupt);
    expect(() => codec.decode(changed([4, 0]))).toThrow(corrupt);
    if (quantizer.scheme === "sign") return;
    // The first float of the message becomes NaN, then negative infinity.
    const at = /^(1bit|qsgd)/.test(quantizer.scheme) ? 12 : 8;
    for (const [high, low] of [
      [0x7f, 0xc0],
      [0xff, 0x80],
    ] as const)
      expect(() => codec.decode(changed([at + 3, high], [at + 2, low]))).toThrow(corrupt);
  });

  it("reads any damaged message as a vector or refuses it by name", async () => {
    const codec = await gradientCodec(quantizer);
    const bytes = codec.encode(bell(50, 11));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (damage) => {
          const copy = bytes.slice();
          for (const [at, value] of damage) copy[at] = value;
          // A count of millions is a vector of millions.
          copy.set(bytes.subarray(6, 8), 6);
          try {
            expect(codec.decode(copy)).toBeInstanceOf(Float32Array);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        },
      ),
      { seed: 12, numRuns: 200 },
    );
  });
});

describe("bytes on the wire, counted", () => {
  const n = 1003;
  const length = async (quantizer: GradientQuantizer) => (await gradientCodec(quantizer)).encode(bell(n, 13)).length;
  it.each([
    [oneBitSgd(), 12 + 8 + 126],
    [oneBitSgd({ column: 100 }), 12 + 8 * 11 + 126],
    [dynamicTree(), 12 + 1003],
    [ternGrad(), 12 + 201],
    [dorefaGradient({ bits: 3 }), 12 + 377],
    [signSgd(), 8 + 126],
    [efSignSgd(), 12 + 126],
  ])("$scheme", async (quantizer, expected) => expect(await length(quantizer)).toBe(expected));

  it("threshold: four bytes for each number beyond τ", async () => {
    const beyond = bell(n, 13).filter((g) => Math.abs(g) > 2).length;
    expect(beyond).toBeGreaterThan(20);
    expect(await length(stromThreshold({ threshold: 2 }))).toBe(16 + 4 * beyond);
  });

  it("QSGD: few numbers at s = 1, about three bits a number at s = √n", async () => {
    const many = bell(10_000, 14);
    const codec = await gradientCodec(qsgd({ levels: 1 }), { seed: 15 });
    const counts = Array.from({ length: 50 }, () => {
      const bytes = codec.encode(many);
      return { nonzero: codec.decode(bytes).filter((v) => v !== 0).length, bytes: bytes.length };
    });
    // E = ‖v‖₁ / ‖v‖₂ = √(2n/π) <= √n for N(0,1).
    const mean = counts.reduce((total, { nonzero }) => total + nonzero, 0) / counts.length;
    expect(mean).toBeCloseTo(sum(many, Math.abs) / Math.sqrt(squares(many)), -0.5);
    expect(mean).toBeLessThan(Math.sqrt(many.length));
    expect(Math.max(...counts.map(({ bytes }) => bytes))).toBeLessThan(10_000 / 32);
    // Dense at s = √n: 1 bit where the level is 0 (37 %), 4 where it is 1 or 2, 7 for the few above.
    const dense = (await gradientCodec(qsgd({ levels: 100, coding: "dense" }))).encode(many);
    expect((8 * dense.length) / many.length).toBeCloseTo(3, 1);
  });
});

describe("parameters", () => {
  it("out of range are refused", async () => {
    for (const threshold of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e39, 1e-50])
      expect(() => stromThreshold({ threshold })).toThrow(OutOfRangeError);
    for (const clip of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => ternGrad({ clip })).toThrow(OutOfRangeError);
    for (const levels of [0, 65536, 1.5]) expect(() => qsgd({ levels })).toThrow(OutOfRangeError);
    for (const bucket of [0, 2 ** 31, 1.5]) expect(() => qsgd({ levels: 4, bucket })).toThrow(OutOfRangeError);
    for (const column of [0, 2 ** 31, 1.5]) expect(() => oneBitSgd({ column })).toThrow(OutOfRangeError);
    // @ts-expect-error nine bits do not fit a code
    expect(() => dorefaGradient({ bits: 9 })).toThrow(OutOfRangeError);
    await expect(majorityVote([])).rejects.toThrow(InputError);
    const [short, long] = [3, 4].map(async (n) => (await gradientCodec(signSgd())).encode(bell(n)));
    await expect(majorityVote([await short!, await long!])).rejects.toThrow("message 1: numbers, expected 3, got 4");
  });
});
