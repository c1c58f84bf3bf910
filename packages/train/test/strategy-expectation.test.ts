import { binary } from "lowbit/quantize";
import { beforeAll, describe, expect, it } from "vitest";
import { np, startEngine } from "../src/autograd.ts";
import { RecipeError } from "../src/errors.ts";
import { batchNorm } from "../src/layers/batch-norm.ts";
import { dense } from "../src/layers/dense.ts";
import type { Layer } from "../src/layers/layer.ts";
import { Model } from "../src/model.ts";
import { Random } from "../src/random.ts";
import { expectationBackpropagation, expectedSign } from "../src/strategies/expectation.ts";
import { compileForward } from "../src/strategies/pass.ts";
import type { Strategy } from "../src/strategies/strategy.ts";
import { type HostTensor, toArrays } from "../src/values.ts";
import { holdsAtLast, near, sigmoid, ste, train, transposed } from "./strategy-fixtures.ts";

/** The moments that expectation backpropagation is about, and that what it trains is what it exports; neither holds of plain straight-through training. */
beforeAll(startEngine);

describe("expectation backpropagation", () => {
  it("propagates the moments of networks whose weights are drawn", async () => {
    const random = new Random(31);
    // Inputs enough for the central limit theorem.
    const K = 30;
    const holds = async (strategy: Strategy) => {
      const model = new Model([
        dense("a", { from: [K], outputs: 40 }),
        expectedSign("sign"),
        dense("b", { from: [40], outputs: 2 }),
      ]);
      const h = (name: string, k: number, n: number): HostTensor => ({
        shape: [k, n],
        data: Float32Array.from({ length: k * n }, (_, i) => Math.sin(3 * i + name.length)),
      });
      const parameters = { "a.weight": h("a", K, 40), "b.weight": h("bb", 40, 2) };
      const x = Float32Array.from({ length: K }, (_, i) => Math.cos(i));
      const view = {
        slots: model.slots,
        seed: 1,
        latent: (slot: { name: string }) => transposed(parameters[slot.name as "a.weight"]),
      } as never;
      const pass = compileForward(model, strategy, {
        training: true,
        statistics: {},
        parameters: toArrays(parameters),
        given: {
          weights: toArrays((await strategy.weightsFor?.(0, view))?.weights ?? {}),
          constants: {},
          seed: np.array([7], { dtype: np.uint32 }).reshape([]),
        },
      });
      const got = pass.run(np.array(x, { shape: [1, K] })).js() as number[][];
      // The same network with its weights drawn: mean over deviation of each output.
      const draw = ({ data }: HostTensor) => data.map((odds) => (random.uniform() < sigmoid(2 * odds) ? 1 : -1));
      const sums = [0, 0];
      const squares = [0, 0];
      for (let t = 0; t < 4000; t++) {
        const [a, b] = [draw(parameters["a.weight"]), draw(parameters["b.weight"])];
        const hidden = Array.from({ length: 40 }, (_, j) =>
          x.reduce((s, v, i) => s + v * a[i * 40 + j]!, 0) >= 0 ? 1 : -1,
        );
        for (const k of [0, 1]) {
          const y = hidden.reduce((s, v, j) => s + v * b[j * 2 + k]!, 0);
          sums[k]! += y;
          squares[k]! += y * y;
        }
      }
      return [0, 1].every((k) => {
        const mean = sums[k]! / 4000;
        const ratio = mean / Math.sqrt(squares[k]! / 4000 - mean * mean);
        return Math.abs(got[0]![k]! - ratio) < 0.1;
      });
    };
    expect(await holds(expectationBackpropagation())).toBe(true);
    expect(await holds(ste(binary()))).toBe(false);
  });

  it("learns without drawing a number", async () => {
    const layers = () => [
      dense("first", { from: [12], outputs: 30 }),
      expectedSign("sign"),
      dense("last", { from: [30], outputs: 3 }),
    ];
    const { log } = await train(() => expectationBackpropagation(), { layers, epochs: 10, peakRate: 0.03 });
    expect(log.at(-1)!.validation).toBeGreaterThan(0.85);
  });
});

describe("expectation backpropagation, at its end", () => {
  const layers = (more: readonly Layer[] = [], bias = false) => [
    dense("first", { from: [12], outputs: 30, bias }),
    ...more,
    expectedSign("sign"),
    dense("last", { from: [30], outputs: 3 }),
  ];
  /** Log odds so far from 0 that tanh is ±1 to the bit. */
  const certain = (k: number, n: number): HostTensor => ({
    shape: [k, n],
    data: Float32Array.from({ length: k * n }, (_, i) => (Math.sin(5 * i) >= 0 ? 20 : -20)),
  });

  it("exports the weights that its last step computed with, ±1 without a scale", async () => {
    const sure = { initial: { "first.weight": certain(12, 30), "last.weight": certain(30, 3) } };
    const same = (strategy: () => Strategy) =>
      holdsAtLast(strategy, ({ computed, exported, latent }) => near(computed, exported, 0) && latent.length === 360, {
        layers: () => layers(),
        peakRate: 1e-3,
        epochs: 2,
        ...sure,
      });
    expect(await same(() => expectationBackpropagation())).toBe(true);
    // Where weights are in doubt, their signs.
    const likely = (strategy: () => Strategy) =>
      holdsAtLast(
        strategy,
        ({ computed, exported, latent }) =>
          near(
            exported,
            Array.from(computed, (w) => (w >= 0 ? 1 : -1)),
            0,
          ) && near(computed, Array.from(latent, Math.tanh), 1e-5),
        { layers: () => layers() },
      );
    expect(await likely(() => expectationBackpropagation())).toBe(true);
    expect(await likely(() => ste(binary()))).toBe(false);
  });

  it.each([
    ["bias", () => layers([], true), "first.bias"],
    ["normalization", () => layers([batchNorm("norm", { channels: 30 })]), "norm.bias"],
  ] as const)("takes no %s behind its sums", async (_, network, named) => {
    const refused = train(() => expectationBackpropagation(), { layers: network, epochs: 1 });
    await expect(refused).rejects.toThrow(RecipeError);
    await expect(refused).rejects.toThrow(named);
  });

  it("takes the bias of a layer that it leaves float", async () => {
    const but = () => expectationBackpropagation({ layers: ({ name }) => name !== "first.weight" });
    const { weights } = await train(but, { layers: () => layers([], true), epochs: 1 });
    expect(Object.keys(weights)).toEqual(["last.weight"]);
  });
});
