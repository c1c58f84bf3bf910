/** Impossible combinations do not compile: `tsc` checks the expected errors of this file, vitest the run-time half. */
import { describe, expect, expectTypeOf, it } from "vitest";
import { InputError, OutOfRangeError, ShapeError } from "../../src/errors.ts";
import type { PlainConstant, QuantizedConstant } from "../../src/graph/types.ts";
import {
  binary,
  type Context,
  defineQuantizer,
  float,
  kmeans,
  parseScheme,
  pow2,
  pq,
  type Quantizer,
  QuantizerError,
  quantize,
  type Random,
  ternary,
  uniform,
} from "../../src/quantize.ts";

const tensor = { shape: [2, 4], data: Float32Array.of(1, -2, 3, -4, 5, -6, 7, -8) };
const paper = { title: "none", authors: "none", year: 2026, url: "https://example.org" };
const traits = { codebook: "fixed", per: "channel", laws: [], paper } as const;

describe("types", () => {
  it("carry the decoding from the quantizer to the result", async () => {
    const signs = await quantize(tensor, binary());
    expectTypeOf(signs.decoding).toEqualTypeOf<{ readonly kind: "sign" }>();
    expectTypeOf(signs.toConstant()).toEqualTypeOf<QuantizedConstant>();
    const floats = await quantize(tensor, float());
    expectTypeOf(floats.toConstant()).toEqualTypeOf<PlainConstant>();
    const vectors = await quantize(tensor, pq({ dimension: 2, centroids: 2 }), { seed: 3 });
    expectTypeOf(vectors.decoding.dimension).toEqualTypeOf<number>();
    expectTypeOf(parseScheme("int4")).toEqualTypeOf<Quantizer>();
    expect([signs.decoding.kind, floats.decoding.kind, vectors.decoding.kind]).toEqual(["sign", "identity", "product"]);
  });

  it("refuse a granularity where the quantizer has one codebook per tensor", () => {
    // @ts-expect-error k-means has one codebook per tensor, so nothing to group
    kmeans({ k: 4, per: { group: 32 } });
    // @ts-expect-error neither has product quantization
    pq({ dimension: 4, centroids: 16, per: "channel" });
    // @ts-expect-error float has nothing to set
    float({ per: "tensor" });
    // @ts-expect-error a group is a number of weights
    binary({ per: "group" });
    expectTypeOf(binary({ per: { group: 32 } })).toEqualTypeOf<Quantizer<"sign", false, "weights">>();
  });

  it("refuse bits that a grid does not have", () => {
    // @ts-expect-error nine bits do not fit a code
    expect(() => uniform({ bits: 9 })).toThrow(OutOfRangeError);
    // @ts-expect-error one bit leaves a symmetric grid no level but 0
    expect(() => uniform({ bits: 1 })).toThrow(OutOfRangeError);
    // @ts-expect-error nor a power-of-two grid
    expect(() => pow2({ bits: 1 })).toThrow(OutOfRangeError);
    // @ts-expect-error no such rule
    ternary({ threshold: "best" });
  });

  it("refuse a seed where nothing is random", async () => {
    // @ts-expect-error binary draws no random numbers
    await quantize(tensor, binary(), { seed: 1 });
    await quantize(tensor, kmeans({ k: 2 }), { seed: 1 });
  });

  it("ask for calibration data where the formula needs it", async () => {
    const weighted = defineQuantizer({
      ...traits,
      scheme: "weighted",
      decoding: "sign",
      bits: 1,
      needs: "inputs",
      encode(w, context) {
        expectTypeOf(context).toEqualTypeOf<Context<false, "inputs">>();
        const scale = w.meanAbs().map((mean) => mean * context.calibration.inputs[0]!);
        return { codes: w.signCodes(), decoding: { kind: "sign" }, scale };
      },
    });
    const calibration = { samples: 2, inputs: Float32Array.of(2, 0, 0, 0, 0, 0, 0, 0) };
    expect((await quantize(tensor, weighted, { calibration })).scales).toEqual(Float32Array.of(5, 13));
    // @ts-expect-error options are missing
    await expect(quantize(tensor, weighted)).rejects.toThrow(InputError);
    // @ts-expect-error calibration is missing
    await expect(quantize(tensor, weighted, {})).rejects.toThrow(InputError);
    // @ts-expect-error binary looks at weights only
    await quantize(tensor, binary(), { calibration });
    const short = { samples: 2, inputs: new Float32Array(7) };
    await expect(quantize(tensor, weighted, { calibration: short })).rejects.toThrow(ShapeError);
    await expect(
      quantize(tensor, weighted, { calibration: { samples: 0, inputs: new Float32Array() } }),
    ).rejects.toThrow(ShapeError);
  });

  it("give the random generator to seeded quantizers only", () => {
    expectTypeOf<Context<true, "weights">["random"]>().toEqualTypeOf<Random>();
    expectTypeOf<Context<false, "weights">["random"]>().toEqualTypeOf<undefined>();
  });

  it("tie bits and codes to the decoding of a user's quantizer", () => {
    const encode = () => ({ codes: new Uint8Array(), decoding: { kind: "sign" } as const });
    expect(() =>
      defineQuantizer({
        ...traits,
        scheme: "wide-sign",
        decoding: "sign",
        // @ts-expect-error a sign has one bit
        bits: 2,
        encode,
      }),
    ).toThrow(QuantizerError);
    defineQuantizer({
      ...traits,
      scheme: "other-decoding",
      decoding: "table",
      bits: 2,
      // @ts-expect-error a table quantizer returns a table
      encode,
    });
    expect(() =>
      // @ts-expect-error what draws random numbers takes a seed
      defineQuantizer({ ...traits, scheme: "unseeded", decoding: "sign", bits: 1, stochastic: true, encode }),
    ).toThrow(QuantizerError);
    expect(() =>
      defineQuantizer({ ...traits, scheme: "none", decoding: "sign", bits: 1, per: { group: 0 }, encode }),
    ).toThrow(OutOfRangeError);
  });
});
