import { createModel, Tensor } from "lowbit";
import { absmean, dynamicActivations } from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { autograd, np, startEngine } from "../src/autograd.ts";
import { int8Rows } from "../src/estimators/int8-rows.ts";
import { attention } from "../src/layers/attention.ts";
import { dense } from "../src/layers/dense.ts";
import type { Layer } from "../src/layers/layer.ts";
import { Model } from "../src/model.ts";
import { Random } from "../src/random.ts";
import { quantizeSlot } from "../src/strategies/quantized.ts";
import { weightsIn } from "../src/strategies/view.ts";
import { type HostTensor, toArray, toArrays, toHostTensor } from "../src/values.ts";

beforeAll(startEngine);

const random = new Random(5);
const values = (...shape: number[]): HostTensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 4 * random.uniform() - 2),
});

it("rows of int8 are what the core's quantizer makes of tokens, zeros and ties among them", async () => {
  const x = values(6, 9);
  x.data.fill(0, 0, 9);
  // Of scale 1: 0.5 and 2.5 are ties, whose even neighbours are 0 and 2.
  x.data.set([127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3, 0], 9);
  const expected = await dynamicActivations().quantize(x);
  expect([...toHostTensor(int8Rows(toArray(x))).data]).toEqual([...expected.dequantize()]);
});

it("their gradient passes as if nothing had been quantized", () => {
  const upstream = np.array([0.25, -3, 0.5]);
  const loss = ({ x }: Record<string, np.Array>) => [int8Rows(x!).mul(upstream).sum(), {}] as const;
  const { gradients, value } = autograd.gradient(loss, { x: np.array([0.1, -2, 0.7]) });
  value.dispose();
  expect([...toHostTensor(gradients.x!).data]).toEqual([0.25, -3, 0.5]);
});

const cases: readonly { readonly layer: Layer; readonly x: number[] }[] = [
  { layer: dense("dense", { from: [24], outputs: 7, bias: true, activations: "int8" }), x: [5, 24] },
  { layer: dense("rows", { from: [24], outputs: 7, activations: "int8" }), x: [2, 3, 24] },
  { layer: attention("attention", { size: 16, heads: 2, activations: "int8" }), x: [2, 4, 16] },
];

describe.each(cases)("$layer.name on rows of int8, x $x", ({ layer, x: shape }) => {
  it("computes with ternary weights what the packed products of integers give", async () => {
    const x = values(...shape);
    const model = new Model([layer]);
    const parameters = layer.initialize!(new Random(2));
    const weights = Object.fromEntries(
      await Promise.all(
        model.slots.map(async (slot) => {
          const rows = toHostTensor(slot.rows(toArray(parameters[slot.name]!)));
          return [slot.name, (await quantizeSlot(slot, rows, absmean())).toConstant()] as const;
        }),
      ),
    );
    const low = await weightsIn(model.slots, weights);
    const y = toHostTensor(
      layer.apply(
        toArray(x),
        { ...toArrays(parameters), ...low },
        { training: false, statistics: {}, batchStatistics: {} },
      ),
    );
    const graph = model.toGraph(parameters, {
      ...{ name: "test", input: { name: "x", dtype: "f32", shape: shape.slice(1) }, output: "y" },
      weights,
    });
    using packed = await createModel(graph);
    const { y: theirs } = await packed.run({ x: new Tensor("f32", shape, x.data) });
    const worst = y.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (theirs!.data[i] as number))), 0);
    expect(worst).toBeLessThan(1e-5);
  });
});
