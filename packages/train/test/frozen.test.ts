import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../src/autograd.ts";
import { logitsOf } from "../src/evaluate.ts";
import { alignToIntegers } from "../src/frozen/align.ts";
import type { FrozenLayer } from "../src/frozen/layers.ts";
import { transpose } from "../src/frozen/layout.ts";
import { compileFrozen } from "../src/frozen/run.ts";
import { Model } from "../src/model.ts";
import { Random } from "../src/random.ts";
import { figuresOf } from "../src/record.ts";
import { fit } from "../src/train.ts";
import { type HostTensors, toArrays } from "../src/values.ts";
import { syntheticDigits, tinyRecipe } from "./fixtures.ts";

beforeAll(startEngine);

const training = syntheticDigits(100, 1);
const validation = syntheticDigits(40, 2);

/** A model's evaluation as training sees it. */
function trainedLogits(model: Model, tensors: HostTensors): Float32Array {
  const pick = (statistics: boolean) =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => /\.(mean|variance)$/.test(name) === statistics));
  const logits = model.compileLogits();
  return logitsOf(validation, (x) => logits(toArrays(pick(false)), toArrays(pick(true)), x));
}

describe.each(["binary", "ternary"] as const)("a frozen %s network", (scheme) => {
  it("computes what the trained one did, and keeps doing so on integers", async () => {
    const recipe = tinyRecipe(scheme, 2);
    const { tensors } = await fit(recipe, { training, validation, seed: 3 });
    const model = new Model(recipe.layers());
    const layers = model.freeze(tensors);
    const trained = trainedLogits(model, tensors);
    const frozen = logitsOf(validation, compileFrozen(layers));
    const aligned = logitsOf(validation, compileFrozen(alignToIntegers(layers)));
    const largest = trained.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const worst = (other: Float32Array) => trained.reduce((most, x, i) => Math.max(most, Math.abs(x - other[i]!)), 0);
    expect(worst(frozen)).toBeLessThan(1e-4 * largest);
    // Thresholds move between the same integers; biases on a grid by half a code of a layer's input.
    expect(worst(aligned)).toBeLessThan((scheme === "binary" ? 1e-4 : 0.15) * largest);
    for (const { values } of figuresOf(layers).layers) expect(values).toBeLessThanOrEqual(scheme === "binary" ? 2 : 3);
  });
});

describe("alignToIntegers", () => {
  const channel = (value: number) => ({ shape: [1], data: Float32Array.of(value) });
  const input: FrozenLayer = { kind: "quantize", name: "input", scale: 1, zeroPoint: -128 };
  const conv = (weight: number): FrozenLayer => ({
    kind: "conv",
    name: "conv",
    weight: { shape: [1, 1, 3, 3], data: new Float32Array(9).fill(weight) },
    border: 0,
  });
  const norm = (scale: number, bias: number, mean: number, variance: number): FrozenLayer => ({
    kind: "batchNorm",
    name: "norm",
    scale: channel(scale),
    bias: channel(bias),
    mean: channel(mean),
    variance: channel(variance),
    epsilon: 1e-5,
  });
  const value = (layer: FrozenLayer, x: number): number => {
    if (layer.kind !== "batchNorm") throw new Error("not a normalization");
    const deviation = Math.sqrt(layer.variance.data[0]! + layer.epsilon);
    return ((x - layer.mean.data[0]!) / deviation) * layer.scale.data[0]! + layer.bias.data[0]!;
  };

  it("keeps sign(0) = +1 at every integer and never meets 0, for either direction of the threshold", () => {
    const random = new Random(11);
    for (let trial = 0; trial < 60; trial++) {
      const scale = (trial % 2 === 0 ? 1 : -1) * (0.1 + random.uniform());
      // Every third time the threshold falls on an integer.
      const mean = trial % 3 === 0 ? random.integer(40) - 20 : 40 * random.uniform() - 20;
      const bias = trial % 3 === 0 ? 0 : 2 * random.uniform() - 1;
      const original = norm(scale, bias, mean, 4 * random.uniform());
      const aligned = alignToIntegers([input, conv(1), original, { kind: "sign", name: "sign" }])[2]!;
      for (let k = -60; k <= 60; k++) {
        expect(value(aligned, k)).not.toBe(0);
        expect(value(aligned, k) > 0).toBe(value(original, k) >= 0);
      }
    }
  });

  it("puts the offset in front of a grid on whole steps of the input", () => {
    const step = 0.25;
    const tail: FrozenLayer[] = [
      { kind: "relu", name: "relu" },
      { kind: "quantize", name: "codes", scale: 1 / 32, zeroPoint: 0 },
    ];
    const original = norm(0.5, 0.3, 7.9, 2);
    const aligned = alignToIntegers([input, conv(step), original, ...tail])[2]!;
    if (aligned.kind !== "batchNorm") throw new Error("not a normalization");
    expect(aligned.bias.data[0]).toBe(0);
    expect(aligned.mean.data[0]! / step).toBe(Math.round(aligned.mean.data[0]! / step));
    expect(Math.abs(value(aligned, 3) - value(original, 3))).toBeLessThanOrEqual((0.5 * step * 0.5) / Math.sqrt(2));
  });

  it("leaves alone what is not on integers: float inputs, weights of several magnitudes", () => {
    const several = conv(1);
    if (several.kind === "conv") several.weight.data[4] = 0.5;
    const layers: FrozenLayer[] = [input, several, norm(1, 0.3, 0.1, 1), { kind: "sign", name: "sign" }];
    expect(alignToIntegers(layers)).toEqual(layers);
    const float: FrozenLayer[] = [conv(1), norm(1, 0.3, 0.1, 1), { kind: "sign", name: "sign" }];
    expect(alignToIntegers(float)).toEqual(float);
  });
});

describe("transpose", () => {
  it("permutes axes", () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    const { shape, data: out } = transpose({ shape: [2, 3, 4], data }, [2, 0, 1]);
    expect(shape).toEqual([4, 2, 3]);
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 2; j++)
        for (let k = 0; k < 3; k++) expect(out[(i * 2 + j) * 3 + k]).toBe(data[(j * 3 + k) * 4 + i]);
  });
});
