/** Normalizations of the ONNX importer that the node tests do not have, against their definitions in f64. */
import { createModel, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, runPasses } from "../src/index.ts";
import { OnnxBuilder } from "./support/onnx.ts";

const wave = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => Math.round(4 * Math.sin(seed + i * 1.7) * 64) / 64);

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

interface Input {
  readonly shape: readonly number[];
  readonly constant: boolean;
}

/** The output of one node of inputs x, scale, bias ..., and the operators that it ran on. */
async function run(
  opType: string,
  opset: number,
  inputs: readonly Input[],
  attributes: Parameters<OnnxBuilder["node"]>[3],
  dynamic = false,
) {
  const builder = new OnnxBuilder(opset);
  const feed: Record<string, Tensor> = {};
  const data = inputs.map(({ shape }, i) => wave(product(shape), i));
  const names = inputs.map(({ shape, constant }, i) => {
    const name = `input${i}`;
    if (constant) return builder.floats(name, shape, data[i]!);
    feed[name] = new Tensor("f32", shape, Float32Array.from(data[i]!));
    return builder.input(
      name,
      shape.map((size, axis) => (dynamic && axis === 0 && i === 0 ? "N" : size)),
    );
  });
  builder.node(opType, "y", names, attributes);
  const graph = runPasses(importModel(builder.build(["y"])));
  using model = await createModel(graph, { tier: "simd128" });
  const { y } = await model.run(feed);
  return { y: Array.from(y!.data as Float32Array), data, ops: graph.nodes.map(({ op }) => op) };
}

/** Each run of `length` elements by its own statistics. */
const normalized = (x: readonly number[], length: number, epsilon: number, centered = true): number[] =>
  Array.from({ length: x.length / length }, (_, r) => x.slice(r * length, (r + 1) * length)).flatMap((row) => {
    const mean = centered ? row.reduce((a, b) => a + b, 0) / length : 0;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / length;
    return row.map((v) => (v - mean) / Math.sqrt(variance + epsilon));
  });

function close(got: readonly number[], expected: readonly number[]) {
  expect(got.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(got[i]!).toBeCloseTo(value, 4);
}

describe.each([
  ["LayerNormalization", 17, "layerNorm"],
  ["RMSNormalization", 23, "rmsNorm"],
] as const)("%s", (opType, opset, kernel) => {
  const centered = kernel === "layerNorm";
  const expected = ([x, scale, bias]: readonly number[][], length: number) =>
    normalized(x!, length, 0.25, centered).map((v, i) => v * scale![i % length]! + (bias?.[i % length] ?? 0));
  const vectors = (shape: readonly number[], constant: boolean) =>
    Array.from({ length: centered ? 2 : 1 }, () => ({ shape, constant }));

  test.each([2, -1, 1, -3])(
    "axis %i: one kernel where scale and bias are constants, and before a scale that is none over the last axis; else in steps",
    async (axis) => {
      const shape = [2, 3, 4];
      const sizes = shape.slice(axis < 0 ? axis + 3 : axis);
      for (const constant of [true, false]) {
        const inputs = [{ shape, constant: false }, ...vectors(sizes, constant)];
        const { y, data, ops } = await run(opType, opset, inputs, { axis, epsilon: { float: 0.25 } });
        expect(ops.includes(kernel)).toBe(constant || sizes.length === 1);
        close(y, expected(data, product(sizes)));
      }
    },
  );

  test("a dynamic batch", async () => {
    const inputs = [{ shape: [3, 2, 4], constant: false }, ...vectors([2, 4], true)];
    const { y, data, ops } = await run(opType, opset, inputs, { axis: 1, epsilon: { float: 0.25 } }, true);
    expect(ops).toContain(kernel);
    close(y, expected(data, 8));
  });
});

test.each([true, false])("GroupNormalization-18: scale and bias per group; constants: %s", async (constant) => {
  const inputs = [
    { shape: [2, 6, 5], constant: false },
    { shape: [3], constant },
    { shape: [3], constant },
  ];
  const { y, data } = await run("GroupNormalization", 18, inputs, { num_groups: 3, epsilon: { float: 0.25 } });
  const [x, scale, bias] = data as [number[], number[], number[]];
  const group = (i: number) => Math.floor(i / 10) % 3;
  close(
    y,
    normalized(x, 10, 0.25).map((v, i) => v * scale[group(i)]! + bias[group(i)]!),
  );
});

test("MeanVarianceNormalization: axes 0, 2 and 3 where none are given", async () => {
  const { y, data } = await run("MeanVarianceNormalization", 13, [{ shape: [2, 3, 2, 2], constant: false }], {});
  const channel = (i: number) => Math.floor(i / 4) % 3;
  const x = data[0]!;
  const order = [...x.keys()].sort((a, b) => channel(a) - channel(b) || a - b);
  const flat = normalized(
    order.map((i) => x[i]!),
    8,
    0,
  );
  const expected = x.map((_, i) => flat[order.indexOf(i)]!);
  close(y, expected);
});
