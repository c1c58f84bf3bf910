import { runPasses } from "@lowbit/convert";
import { createModel, Tensor } from "lowbit";
import { binary } from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { autograd, np, startEngine } from "../src/autograd.ts";
import { abcActivation, shiftedSign } from "../src/estimators/activations.ts";
import { gelu, quantizedRelu, relu, sign } from "../src/layers/activations.ts";
import { attention } from "../src/layers/attention.ts";
import { batchNorm } from "../src/layers/batch-norm.ts";
import { conv } from "../src/layers/conv.ts";
import { dense } from "../src/layers/dense.ts";
import { depthwise } from "../src/layers/depthwise.ts";
import { embedding, positions } from "../src/layers/embedding.ts";
import { normalizedPixels } from "../src/layers/input.ts";
import type { Context, Layer } from "../src/layers/layer.ts";
import { layerNorm } from "../src/layers/layer-norm.ts";
import { lstm } from "../src/layers/lstm.ts";
import { maxPool } from "../src/layers/pool.ts";
import { residual } from "../src/layers/residual.ts";
import { xnorProduct } from "../src/layers/xnor-product.ts";
import { Model } from "../src/model.ts";
import { Random } from "../src/random.ts";
import { bitwiseSign } from "../src/strategies/bitwise.ts";
import { expectedSign } from "../src/strategies/expectation.ts";
import { exportEach, quantizeSlot } from "../src/strategies/quantized.ts";
import { type Arrays, type HostTensor, type HostTensors, toArray, toArrays, toHostTensor } from "../src/values.ts";

beforeAll(startEngine);

interface Case {
  readonly layer: Layer;
  /** Shape of x, batch first. */
  readonly x: readonly number[];
  readonly tokens?: number;
  /** Not differentiable in places that a finite difference meets, or flat. */
  readonly stepped?: true;
}

const cases: readonly Case[] = [
  { layer: dense("dense", { from: [5], outputs: 3, bias: true }), x: [4, 5] },
  { layer: dense("rows", { from: [5], outputs: 3 }), x: [2, 3, 5] },
  { layer: dense("image", { from: [2, 3, 2], outputs: 4, bias: true }), x: [3, 2, 3, 2] },
  { layer: conv("conv", { inputs: 2, outputs: 3, bias: true }), x: [2, 5, 4, 2] },
  { layer: conv("conv5", { inputs: 1, outputs: 2, size: 5, border: "none" }), x: [2, 7, 6, 1] },
  { layer: conv("ones", { inputs: 2, outputs: 3, border: 1 }), x: [1, 4, 4, 2] },
  { layer: depthwise("depthwise", { channels: 3, bias: true }), x: [2, 5, 4, 3] },
  { layer: depthwise("inside", { channels: 2, border: "none" }), x: [2, 5, 4, 2] },
  { layer: batchNorm("norm", { channels: 3 }), x: [4, 2, 2, 3] },
  { layer: layerNorm("layer-norm", 6), x: [2, 3, 6] },
  { layer: embedding("embedding", { tokens: 7, size: 4 }), x: [2, 5], tokens: 7 },
  { layer: positions("positions", 6, 4), x: [2, 5, 4] },
  { layer: lstm("lstm", { inputs: 3, size: 4, length: 5 }), x: [2, 5, 3] },
  { layer: lstm("once", { inputs: 3, size: 4, length: 1 }), x: [2, 1, 3] },
  { layer: lstm("signs", { inputs: 3, size: 4, length: 3, signs: true }), x: [2, 3, 3], stepped: true },
  { layer: xnorProduct("xnor", dense("signed", { from: [6], outputs: 3 })), x: [4, 6], stepped: true },
  {
    layer: xnorProduct("xnor-conv", conv("signed-conv", { inputs: 3, outputs: 2 }), { window: 3 }),
    x: [2, 5, 4, 3],
    stepped: true,
  },
  { layer: attention("causal", { size: 6, heads: 2 }), x: [2, 4, 6] },
  { layer: attention("whole", { size: 4, heads: 1, causal: false }), x: [2, 3, 4] },
  { layer: residual("shortcut", [layerNorm("inner", 4), dense("mix", { from: [4], outputs: 4 })]), x: [2, 3, 4] },
  { layer: gelu("gelu"), x: [3, 5] },
  { layer: relu("relu"), x: [3, 5], stepped: true },
  { layer: sign("sign"), x: [3, 5], stepped: true },
  { layer: quantizedRelu("codes", 1 / 32), x: [3, 5], stepped: true },
  { layer: maxPool("pool"), x: [2, 4, 6, 3], stepped: true },
  { layer: normalizedPixels("pixels", 0.3, 0.7), x: [2, 4, 4, 1] },
];

function values(random: Random, shape: readonly number[], tokens?: number): HostTensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return {
    shape,
    data: Float32Array.from({ length }, () => (tokens ? random.integer(tokens) : 2 * random.uniform() - 1)),
  };
}

/** Parameters as drawn but without zeros, and statistics that are not those of the batch. */
function tensorsOf(layer: Layer): { parameters: Record<string, HostTensor>; statistics: Record<string, HostTensor> } {
  const random = new Random(3);
  const parameters = layer.initialize?.(random) ?? {};
  for (const { data } of Object.values(parameters)) for (const i of data.keys()) data[i]! += 0.2 * random.uniform();
  const statistics = layer.initializeStatistics?.() ?? {};
  for (const { data } of Object.values(statistics)) for (const i of data.keys()) data[i]! += random.uniform();
  return { parameters, statistics };
}

const run = (layer: Layer, x: HostTensor, parameters: HostTensors, statistics: HostTensors): HostTensor => {
  const context: Context = { training: false, statistics: toArrays(statistics), batchStatistics: {} };
  return toHostTensor(layer.apply(toArray(x), toArrays(parameters), context));
};

describe.each(cases)("layer $layer.name of x $x", ({ layer, x: shape, tokens, stepped }) => {
  const x = values(new Random(1), shape, tokens);

  it("computes what the Graph that it exports to computes", async () => {
    const { parameters, statistics } = tensorsOf(layer);
    const y = run(layer, x, parameters, statistics);
    const input = { name: "x", dtype: tokens ? "int32" : "f32", shape: shape.slice(1) } as const;
    const graph = new Model([layer]).toGraph({ ...parameters, ...statistics }, { name: "test", input, output: "y" });
    using model = await createModel(graph);
    const data = tokens ? Int32Array.from(x.data) : x.data;
    const { y: theirs } = await model.run({ x: new Tensor(input.dtype, [...shape], data) });
    expect(theirs!.shape).toEqual(y.shape);
    const worst = y.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (theirs!.data[i] as number))), 0);
    expect(worst).toBeLessThan(1e-5);
  });

  it("turns a slot into the core's layout and back", () => {
    const { parameters } = tensorsOf(layer);
    for (const slot of layer.slots ?? []) {
      const rows = slot.rows(toArray(parameters[slot.name]!));
      expect(rows.shape).toEqual(slot.shape);
      expect(toHostTensor(slot.columns(rows)).data).toEqual(parameters[slot.name]!.data);
    }
  });

  it.skipIf(stepped)("has the gradient of finite differences", () => {
    const { parameters } = tensorsOf(layer);
    const statistics = toArrays(layer.initializeStatistics?.() ?? {});
    // In training, so that batch statistics are part of what is differentiated.
    const forward = (p: Arrays, input: np.Array): np.Array =>
      layer.apply(input, p, { training: true, statistics, batchStatistics: {} });
    const upstream = values(new Random(2), forward(toArrays(parameters), toArray(x)).shape);
    const all = tokens ? parameters : { ...parameters, x };
    const loss = (tensors: HostTensors): number => {
      const y = toHostTensor(forward(toArrays(tensors), toArray(tensors.x ?? x)));
      return y.data.reduce((sum, value, i) => sum + value * upstream.data[i]!, 0);
    };
    const { gradients } = autograd.gradient(
      (arrays: Arrays) =>
        [
          forward(arrays, arrays.x ?? toArray(x))
            .mul(toArray(upstream))
            .sum(),
          {},
        ] as const,
      toArrays(all),
    );
    const random = new Random(4);
    for (const [name, { shape: size, data }] of Object.entries(all)) {
      const analytic = toHostTensor(gradients[name]!).data;
      for (let trial = 0; trial < 4; trial++) {
        const at = random.integer(data.length);
        const moved = (by: number) => {
          const copy = data.slice();
          copy[at]! += by;
          return loss({ ...all, [name]: { shape: size, data: copy } });
        };
        const numeric = (moved(0.01) - moved(-0.01)) / 0.02;
        expect(Math.abs(analytic[at]! - numeric)).toBeLessThan(2e-3 * Math.max(1, Math.abs(numeric)));
      }
    }
  });
});

describe("gates that sums of ±1 saturate", () => {
  it.each([
    { x: 1000, signs: false },
    { x: -1000, signs: false },
    { x: -1, signs: true },
  ])("have a finite gradient: $x, signs $signs", ({ x, signs }) => {
    const layer = lstm("wide", { inputs: 120, size: 2, length: 3, signs });
    const parameters = layer.initialize!(new Random(1));
    for (const { data } of Object.values(parameters)) data.fill(1);
    const { gradients } = autograd.gradient((arrays: Arrays) => {
      const given = np.full([1, 3, 120], x);
      return [layer.apply(given, arrays, { training: true, statistics: {}, batchStatistics: {} }).sum(), {}] as const;
    }, toArrays(parameters));
    for (const gradient of Object.values(gradients))
      expect(toHostTensor(gradient).data.every(Number.isFinite)).toBe(true);
  });
});

const counting = dense("w", { from: [3], outputs: 2 });

/** Whose second input is taken from its first: of two zeros its cell stays 0, and a step later it sees the sign of that. */
const cancelling = lstm("x", { inputs: 2, size: 2, length: 2, signs: true });

/** One base, moved by 1/2 below: of 0 it is the sign of 0. */
const based = abcActivation("x", 1);

describe.each<readonly [string, readonly Layer[]]>([
  ["sign", [sign("x"), counting]],
  ["shiftedSign", [shiftedSign("x", 3), counting]],
  ["abcActivation", [based, counting]],
  ["bitwiseSign", [bitwiseSign("x"), counting]],
  ["expectedSign", [expectedSign("x"), counting]],
  ["xnorProduct", [xnorProduct("x", counting)]],
  ["lstm", [cancelling]],
])("the sign of 0 in %s", (_, layers) => {
  it("is +1 in the Graph, and in bits behind the passes, as in training", async () => {
    const model = new Model(layers);
    const tensors: Record<string, HostTensor> = Object.assign({}, ...layers.map((l) => l.initialize?.(new Random(1))));
    for (const [name, { data }] of Object.entries(tensors)) data.fill(/weight|scale/.test(name) ? 1 : 0);
    if (layers[0] === based) tensors["x.shift"]!.data.fill(0.5);
    if (layers[0] === cancelling) tensors["x.x.weight"]!.data.fill(-1, 8);
    const shape = layers[0] === cancelling ? [2, 2, 2] : [2, 3];
    const data = new Float32Array(shape.reduce((product, size) => product * size));
    data.set([0, -0.5, 0.5]);
    const context: Context = { training: false, statistics: {}, batchStatistics: {} };
    const y = toHostTensor(model.forward(toArray({ shape, data }), toArrays(tensors), context));

    const weights = await exportEach(model.slots, (slot) =>
      quantizeSlot(slot, toHostTensor(slot.rows(toArray(tensors[slot.name]!))), binary()),
    );
    const input = { name: "x", dtype: "f32", shape: shape.slice(1) } as const;
    const graph = model.toGraph(tensors, { name: "test", input, output: "y", weights });
    const fused = runPasses(graph);
    const signs = fused.nodes.filter(({ op }) => op === "sign");
    expect(new Set(signs.map(({ outputs }) => fused.values.get(outputs[0]!)!.dtype))).toEqual(new Set(["bit"]));
    for (const each of [graph, fused]) {
      using running = await createModel(each);
      const { y: theirs } = await running.run({ x: new Tensor("f32", shape, data) });
      for (const [i, value] of y.data.entries()) expect(theirs!.data[i]).toBeCloseTo(value, 5);
    }
  });
});

describe("jax-js", () => {
  it("is imported by the file of the seam alone", async () => {
    const { readdir, readFile } = await import("node:fs/promises");
    const root = new URL("../src/", import.meta.url);
    const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".ts"));
    const sources = await Promise.all(files.map((name) => readFile(new URL(name, root), "utf8")));
    expect(files.filter((_, i) => /(from|import\()\s*"@jax-js\/jax"/.test(sources[i]!))).toEqual(["autograd.ts"]);
  });
});
