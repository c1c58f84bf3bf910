import { createModel, Tensor } from "lowbit";
import {
  type ActivationQuantizer,
  dorefa,
  dorefaActivations,
  lsqGradients,
  lsqStep,
  pact,
  pactGradients,
  quantize,
  ttq,
  wageActivations,
} from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { autograd, np, startEngine } from "../src/autograd.ts";
import {
  abcActivation,
  dorefaActivation,
  lsqActivation,
  pactActivation,
  shiftedPrelu,
  shiftedSign,
  wageActivation,
  xnorScale,
} from "../src/estimators/activations.ts";
import { clipped, identity, polynomial, xnorGradient } from "../src/estimators/gradients.ts";
import { dorefaWeights, lsqWeights, ttqWeights } from "../src/estimators/learned-weights.ts";
import type { Layer } from "../src/layers/layer.ts";
import { Model } from "../src/model.ts";
import { Random } from "../src/random.ts";
import { type Arrays, type HostTensor, toArray, toArrays, toHostTensor } from "../src/values.ts";

beforeAll(startEngine);

const random = new Random(8);
const x: HostTensor = { shape: [40, 5], data: Float32Array.from({ length: 200 }, () => 5 * random.uniform() - 2.5) };
const upstream: HostTensor = { shape: [40, 5], data: Float32Array.from({ length: 200 }, () => random.uniform() - 0.5) };
const context = { training: true, statistics: {}, batchStatistics: {} };

const forward = (layer: Layer): Float32Array =>
  toHostTensor(layer.apply(toArray(x), toArrays(layer.initialize?.(random) ?? {}), context)).data;

/** Gradients of Σ upstream · f by x and parameters, compiled. */
function gradients(f: (arrays: Arrays) => np.Array, of: Record<string, HostTensor>): Record<string, Float32Array> {
  const run = autograd.compile(
    (arrays: Arrays) =>
      autograd.gradient((p: Arrays) => [f(p).mul(toArray(upstream)).sum(), {}] as const, arrays).gradients,
  );
  return Object.fromEntries(Object.entries(run(toArrays(of))).map(([name, g]) => [name, toHostTensor(g).data]));
}

const ofLayer = (layer: Layer) =>
  gradients((arrays) => layer.apply(arrays.x!, arrays, context), { x, ...layer.initialize?.(random) });

const equalCore: readonly (readonly [string, Layer, ActivationQuantizer])[] = [
  ["DoReFa, 2 bits", dorefaActivation("a", 2), dorefaActivations({ bits: 2 })],
  ["DoReFa, 4 bits", dorefaActivation("a", 4), dorefaActivations({ bits: 4 })],
  ["PACT", pactActivation("a", 4, 1.7), pact({ bits: 4, alpha: 1.7 })],
  ["LSQ", lsqActivation("a", 3, 0.3), lsqStep({ bits: 3, step: 0.3 })],
  ["WAGE", wageActivation("a", 4, 1), wageActivations({ bits: 4, shift: 1 })],
];

describe.each(equalCore)("%s activations", (_, layer, quantizer) => {
  it("equal the core's, and the Graph's", async () => {
    const ours = forward(layer);
    const theirs = (await quantizer.quantize(x)).dequantize();
    for (const [i, value] of ours.entries()) expect(Math.abs(value - theirs[i]!)).toBeLessThan(1e-6);
    const tensors = layer.initialize?.(random) ?? {};
    const graph = new Model([layer]).toGraph(tensors, {
      name: "t",
      input: { name: "x", dtype: "f32", shape: [5] },
      output: "y",
    });
    using model = await createModel(graph);
    const { y } = await model.run({ x: new Tensor("f32", [...x.shape], x.data) });
    for (const [i, value] of ours.entries()) expect(Math.abs(value - (y!.data[i] as number))).toBeLessThan(1e-6);
  });
});

describe.each([
  ["shifted sign", shiftedSign("a", 5)],
  ["shifted PReLU", shiftedPrelu("a", 5)],
  ["ABC-Net", abcActivation("a", 3)],
] as const)("%s", (_, layer) => {
  it("equals its Graph", async () => {
    const tensors = layer.initialize!(random);
    for (const { data } of Object.values(tensors)) for (const i of data.keys()) data[i]! += 0.1 * (i + 1);
    const ours = toHostTensor(layer.apply(toArray(x), toArrays(tensors), context)).data;
    const graph = new Model([layer]).toGraph(tensors, {
      name: "t",
      input: { name: "x", dtype: "f32", shape: [5] },
      output: "y",
    });
    using model = await createModel(graph);
    const { y } = await model.run({ x: new Tensor("f32", [...x.shape], x.data) });
    for (const [i, value] of ours.entries()) expect(Math.abs(value - (y!.data[i] as number))).toBeLessThan(1e-5);
  });
});

describe("gradients of activations", () => {
  it("PACT's are the core's", async () => {
    const ours = ofLayer(pactActivation("a", 4, 1.7));
    const theirs = await pactGradients(x.data, upstream.data, 1.7);
    expect([...ours.x!]).toEqual([...theirs.x]);
    expect(ours["a.alpha"]![0]).toBeCloseTo(theirs.alpha, 4);
  });

  it("LSQ's are the core's", async () => {
    const ours = ofLayer(lsqActivation("a", 3, 0.3));
    const theirs = await lsqGradients(x.data, upstream.data, { bits: 3, step: 0.3 });
    for (const [i, g] of ours.x!.entries()) expect(g).toBeCloseTo(theirs.v[i]!, 5);
    expect(ours["a.step"]![0]).toBeCloseTo(theirs.step, 4);
  });

  /** Gradients of Σ y at these x, [points, channels], and by parameters. */
  const at = (
    layer: Layer,
    points: readonly (readonly number[])[],
    parameters: Record<string, readonly number[]> = {},
  ) => {
    const vector = (values: readonly number[]) => ({ shape: [values.length], data: Float32Array.from(values) });
    const of = {
      x: { shape: [points.length, points[0]!.length], data: Float32Array.from(points.flat()) },
      ...Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, vector(values)])),
    };
    const sum = (arrays: Arrays) => [layer.apply(arrays.x!, arrays, context).sum(), {}] as const;
    const { gradients: found } = autograd.gradient(sum, toArrays(of));
    return Object.fromEntries(Object.entries(found).map(([name, g]) => [name, [...toHostTensor(g).data]]));
  };
  const close = (values: readonly number[]) => values.map((v) => expect.closeTo(v, 5));

  it("DoReFa-Net's are 1 on [0, 1], else 0", () => {
    expect(at(dorefaActivation("a", 2), [[-0.5, 0.1, 0.5, 0.9, 1.5]]).x).toEqual([0, 1, 1, 1, 0]);
  });

  it("ABC-Net's are β on 0 < x + v < 1, else 0, by x and v, and h(x + v) by β", () => {
    const x = [-0.9, -0.2, 0.3, 0.8, 1.4].map((v) => [v]);
    const found = at(abcActivation("a", 2), x, { "a.shift": [0, 0.5], "a.scale": [0.6, -0.25] });
    // x + 0 lies within at 0.3 and 0.8, x + 1/2 at -0.2 and 0.3.
    expect(found.x).toEqual(close([0, -0.25, 0.6 - 0.25, 0.6, 0]));
    expect(found["a.shift"]).toEqual(close([2 * 0.6, 2 * -0.25]));
    // Signs of x - 1/2 are - - - + +, of x - - + + +.
    expect(found["a.scale"]).toEqual(close([-1, 1]));
  });

  it.each([
    { gradient: "polynomial", slope: [0, 0.4, 2, 1, 0] },
    { gradient: "clipped", slope: [0, 1, 1, 1, 0] },
  ] as const)("a shifted sign's are the $gradient estimator's at x - a, and minus that by a", ({ gradient, slope }) => {
    // x - a is -1.5, -0.8, 0, 0.5, 2.
    const points = [
      [-1, 1.2],
      [-0.3, 2],
      [0.5, 2.5],
      [1, 1],
      [2.5, 4],
    ];
    const found = at(shiftedSign("a", 2, { gradient }), points, { "a.shift": [0.5, 2] });
    const second = gradient === "clipped" ? [1, 1, 1, 1, 0] : [0.4, 2, 1, 0, 0];
    expect(found.x!.filter((_, i) => i % 2 === 0)).toEqual(close(slope));
    expect(found.x!.filter((_, i) => i % 2 === 1)).toEqual(close(second));
    const total = (values: readonly number[]) => values.reduce((sum, v) => sum - v, 0);
    expect(found["a.shift"]).toEqual(close([total(slope), total(second)]));
  });

  it("a shifted PReLU's are 1 above γ and β below by x, x - γ below by β, minus that of x by γ, 1 by ζ", () => {
    const points = [
      [-1, 0],
      [0.25, 1],
      [2, 3],
    ];
    const parameters = { "a.gamma": [0.5, 2], "a.beta": [0.25, -0.5], "a.zeta": [0.1, 0.2] };
    const found = at(shiftedPrelu("a", 2), points, parameters);
    expect(found.x).toEqual(close([0.25, -0.5, 0.25, -0.5, 1, 1]));
    expect(found["a.beta"]).toEqual(close([-1.5 - 0.25, -2 - 1]));
    expect(found["a.gamma"]).toEqual(close([-1.5, 0]));
    expect(found["a.zeta"]).toEqual(close([3, 3]));
  });

  it("those of a sign are 1 (identity), 1 on [-1, 1] (clipped), 2 - 2|x| there (polynomial)", () => {
    const values = { shape: [6], data: Float32Array.of(-1.5, -0.75, -0.25, 0.25, 0.5, 2) };
    const of = (estimator: typeof identity) => {
      const f = (p: Arrays) => [estimator(np.where(p.x!.ref.greaterEqual(0), 1, -1), p.x!).sum(), {}] as const;
      return [...toHostTensor(autograd.gradient(f, toArrays({ x: values })).gradients.x!).data];
    };
    expect(of(identity)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(of(clipped)).toEqual([0, 1, 1, 1, 1, 0]);
    expect(of(polynomial)).toEqual([0, 0.5, 1.5, 1.5, 1, 0]);
  });

  it("XNOR-Net's weights have 1/n + α 1{|w| <= 1}", () => {
    const w = { shape: [2, 2], data: Float32Array.of(0.5, -2, -0.25, 1) };
    const f = (p: Arrays) => [xnorGradient(np.sign(p.w!.ref), p.w!).sum(), {}] as const;
    const got = toHostTensor(autograd.gradient(f, toArrays({ w })).gradients.w!).data;
    // n = 2; α = 0.375 and 1.5.
    expect([...got]).toEqual([0.5 + 0.375, 0.5, 0.5 + 0.375, 0.5 + 1.5].map((g) => expect.closeTo(g, 6)));
  });
});

describe("XNOR-Net's K", () => {
  it("is the mean over a window of the mean |x| over channels, 0 outside", () => {
    const image = np.array(
      [1, -2, 3, 4, -5, 6, 7, 8, -9].flatMap((v) => [v, 3 * v]),
      { shape: [1, 3, 3, 2] },
    );
    const k = xnorScale(image, 3).js() as number[][][][];
    expect(k[0]![1]![1]![0]).toBeCloseTo((2 * 45) / 9, 5);
    expect(k[0]![0]![0]![0]).toBeCloseTo((2 * (1 + 2 + 4 + 5)) / 9, 5);
  });
});

describe("weights with levels of their own", () => {
  const w: HostTensor = { shape: [30, 4], data: Float32Array.from({ length: 120 }, () => 2 * random.uniform() - 1) };

  it.each([2, 3, 4] as const)("DoReFa of %d bits are the core's", async (bits) => {
    const ours = toHostTensor(dorefaWeights(toArray(w), bits)).data;
    const theirs = (await quantize(w, dorefa({ bits, scale: "paper" }))).dequantize();
    for (const [i, value] of ours.entries()) expect(value).toBeCloseTo(theirs[i]!, 5);
  });

  it("TTQ are the core's codes, with gradients of the paper", async () => {
    const [p, n] = [0.7, 0.4];
    const theirs = (await quantize(w, ttq())).unpackCodes();
    const f = (arrays: Arrays) => ttqWeights(arrays.w!, arrays.p!, arrays.n!);
    const all = { w, p: { shape: [1], data: Float32Array.of(p) }, n: { shape: [1], data: Float32Array.of(n) } };
    const value = toHostTensor(f(toArrays(all))).data;
    for (const [i, code] of theirs.entries()) expect(value[i]).toBe(Math.fround([-n, 0, p][code]!));
    const g = toHostTensor(
      autograd.gradient((arrays: Arrays) => [f(arrays).sum(), {}] as const, toArrays(all)).gradients.w!,
    ).data;
    for (const [i, code] of theirs.entries()) expect(g[i]).toBe(Math.fround([n, 1, p][code]!));
    const { gradients: found } = autograd.gradient((arrays: Arrays) => [f(arrays).sum(), {}] as const, toArrays(all));
    const count = (which: number) => theirs.reduce((sum, code) => sum + (code === which ? 1 : 0), 0);
    expect(found.p!.item()).toBe(count(2));
    expect(found.n!.item()).toBe(-count(0));
  });

  it("LSQ round to their step, whose gradient is the core's", async () => {
    const s = { shape: [1], data: Float32Array.of(0.3) };
    const f = (arrays: Arrays) => [lsqWeights(arrays.w!, arrays.s!, 3).mul(toArray(ones)).sum(), {}] as const;
    const ones = { shape: w.shape, data: upstream.data.slice(0, 120) };
    const { gradients: found } = autograd.gradient(f, toArrays({ w, s }));
    const theirs = await lsqGradients(w.data, ones.data, { bits: 3, signed: true, step: 0.3 });
    expect(found.s!.item()).toBeCloseTo(theirs.step, 4);
    expect((await lsqStep({ bits: 3, signed: true, step: 0.3 }).quantize(w)).dequantize()).toEqual(
      toHostTensor(lsqWeights(toArray(w), toArray(s), 3)).data,
    );
  });
});
