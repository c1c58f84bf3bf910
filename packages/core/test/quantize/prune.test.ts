import { describe, expect, it } from "vitest";
import {
  binary,
  checkLaws,
  defineQuantizer,
  kmeans,
  magnitudeMasks,
  parseScheme,
  prune,
  quantize,
  uniform,
} from "../../src/quantize.ts";

const tensor = (...data: number[]) => ({ shape: [2, data.length / 2], data: Float32Array.from(data) });

describe("prune", () => {
  const w = tensor(0.5, -0.1, 2, -3, 0.2, 1, 0, -0.25);

  it("alone: the smallest magnitudes become 0, the others stay", async () => {
    expect([...(await quantize(w, prune({ fraction: 0.5 }))).dequantize()]).toEqual([0.5, 0, 2, -3, 0, 1, 0, 0]);
    expect([...(await quantize(w, prune({ fraction: 0 }))).dequantize()]).toEqual([...w.data]);
    // floor(0.49 * 8) = 3.
    const { error } = await quantize(w, prune({ fraction: 0.49 }));
    expect(error.maxAbs).toBeCloseTo(0.2, 6);
  });

  it("takes the first of equal magnitudes, and zeros always", async () => {
    const equal = tensor(1, -1, 0, 1, -1, 1, -1, 0);
    expect([...(await quantize(equal, prune({ fraction: 0.5 }))).dequantize()]).toEqual([0, 0, 0, 1, -1, 1, -1, 0]);
    expect([...(await quantize(equal, prune({ fraction: 0.1 }))).dequantize()]).toEqual([...equal.data]);
  });

  it("in front of a codebook: levels from the kept weights alone, 0 behind them, one bit more", async () => {
    const quantized = await quantize(w, prune({ fraction: 0.5, kept: kmeans({ k: 2 }) }));
    expect(quantized).toMatchObject({ scheme: "prune:0.5+kmeans:2", bits: 2 });
    expect([...quantized.codebook!]).toEqual([-3, Math.fround(3.5 / 3), 0]);
    expect([...quantized.unpackCodes()]).toEqual([1, 2, 1, 0, 2, 1, 2, 2]);
  });

  it("in front of a grid: the grid of the same largest magnitude, with its own 0", async () => {
    const quantized = await quantize(w, prune({ fraction: 0.5, kept: uniform({ bits: 3 }) }));
    expect(quantized.bits).toBe(3);
    const values = [...quantized.dequantize()];
    expect(values.filter((value) => value === 0).length).toBeGreaterThanOrEqual(4);
    expect(values[3]).toBeCloseTo(-3, 5);
  });

  it("of nothing but zeros has the level 0 alone", async () => {
    const quantized = await quantize(tensor(0, 0, 0, 0), prune({ fraction: 0.5, kept: kmeans({ k: 4 }) }));
    expect([...quantized.codebook!]).toEqual([0]);
    expect([...quantized.dequantize()]).toEqual([0, 0, 0, 0]);
  });

  it("gives the curvature of the kept weights to a formula that asks for it", async () => {
    let seen: number[] = [];
    const asks = defineQuantizer({
      ...kmeans({ k: 2 }),
      scheme: "asks",
      stochastic: false,
      seeded: false,
      needs: "curvature",
      encode(kept, { curvature }) {
        seen = [...curvature];
        return { codes: new Uint8Array(kept.length), decoding: { kind: "table", codebook: Float32Array.of(1) } };
      },
    });
    await quantize(w, prune({ fraction: 0.5, kept: asks }), { curvature: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    expect(seen).toEqual([1, 3, 4, 6]);
  });

  it("keeps the laws of what is behind it", async () => {
    for (const kept of [kmeans({ k: 5 }), uniform({ bits: 4, per: "channel" })])
      await checkLaws(prune({ fraction: 0.6, kept }));
  });

  it("has spellings, and refuses by name what has no exact 0", () => {
    expect(parseScheme("prune:.5+kmeans:15").scheme).toBe("prune:0.5+kmeans:15");
    expect(parseScheme("prune:0.9+int4:g32").scheme).toBe("prune:0.9+int4:g32");
    expect(parseScheme("prune:0.9+float").scheme).toBe("prune:0.9");
    for (const bad of ["prune", "prune:1", "prune:0.5:g32", "prune:-0.5", "prune:0.5+", "prune:1e-1", "prune:0.5+none"])
      expect(() => parseScheme(bad), bad).toThrow(/parseScheme/);
    expect(() => prune({ fraction: 0.5, kept: binary() })).toThrow(
      "quantizer prune:0.5+binary: scheme behind prune, expected one that keeps zeros, or learns a codebook per tensor, got binary",
    );
    expect(() => prune({ fraction: 0.5, kept: kmeans({ k: 200 }) })).toThrow(/128 levels or fewer/);
    expect(() => prune({ fraction: 1 })).toThrow(/fraction, expected 0 or more, below 1, got 1/);
    expect(() => prune({ fraction: Number.NaN })).toThrow(/fraction/);
  });
});

describe("magnitudeMasks", () => {
  const [a, b] = [Float32Array.of(1, -2, 3, 0.1), Float32Array.of(0.2, 5)];

  it("prunes the smallest of all tensors together, or of one by itself", async () => {
    const masks = await magnitudeMasks([a, b], 0.5);
    expect(masks.map((mask) => [...mask])).toEqual([
      [0, 1, 1, 0],
      [0, 1],
    ]);
    expect((await magnitudeMasks([a], 0.5)).map((mask) => [...mask])).toEqual([[0, 1, 1, 0]]);
    expect((await magnitudeMasks([b], 0.49)).map((mask) => [...mask])).toEqual([[1, 1]]);
  });

  it("refuses fractions out of range and weights that are no numbers", async () => {
    await expect(magnitudeMasks([a], 1)).rejects.toThrow(
      "magnitudeMasks: fraction, expected 0 or more, below 1, got 1",
    );
    await expect(magnitudeMasks([Float32Array.of(1, Number.NaN)], 0.5)).rejects.toThrow(/weights/);
  });
});
