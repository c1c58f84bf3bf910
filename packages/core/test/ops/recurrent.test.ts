/** Recurrent cells: random nodes against their references, and what they refuse. */
import { createModel, GraphError, OutOfRangeError, Tensor } from "lowbit";
import { describe, expect, it } from "vitest";
import type { RecurrentActivation, RecurrentAttributes } from "../../src/ops/recurrent.ts";
import { sizeOf } from "../../src/tensor.ts";
import { GraphBuilder } from "../../src/testing/builder.ts";
import { RandomData } from "../../src/testing/random-data.ts";
import { checkNode, type Given } from "./check.ts";

/** Functions of libm, and sums in another order than the kernels'. */
const tolerance = 1e-5;

const functions: readonly RecurrentActivation[] = [
  { function: "sigmoid" },
  { function: "tanh" },
  { function: "relu" },
  { function: "leakyRelu", alpha: 0.25 },
  { function: "thresholdedRelu", alpha: 0.5 },
  { function: "elu", alpha: 1.5 },
  { function: "hardSigmoid", alpha: 0.25, beta: 0.5 },
  { function: "softsign" },
  { function: "softplus" },
];

describe.each(Array.from({ length: 16 }, (_, seed) => seed))("seed %i", (seed) => {
  const random = new RandomData(seed);
  const [steps, batch, hidden] = [random.between(1, 5), random.between(1, 3), random.between(1, 9)];
  const floats = (...shape: readonly number[]): Tensor => new Tensor("f32", shape, random.floats(sizeOf(shape)));
  const some = <T>(value: T): T | undefined => (random.below(2) ? value : undefined);
  const gates = (count: number): Given[] =>
    Array.from({ length: count }, () => ({ tensor: floats(steps, batch, hidden) }));
  const weights = (count: number): Given => ({ tensor: floats(count * hidden, hidden), as: "constant" });
  const lengths = (): Given => ({
    tensor:
      seed % 4 === 1
        ? new Tensor(
            "int64",
            [batch],
            BigInt64Array.from({ length: batch }, () => BigInt(random.between(0, steps))),
          )
        : new Tensor("int32", [batch], random.integers(batch, 0, steps)),
  });
  const states = (): (Given | undefined)[] => [some<Given>({ tensor: floats(batch, hidden) }), some(lengths())];
  const attributes = (count: number): RecurrentAttributes => ({
    activations: Array.from({ length: count }, () => random.pick(functions)),
    reverse: random.below(2) === 1,
    ...(random.below(3) === 0 && { clip: 0.75 }),
  });

  it("rnn", async () => {
    await checkNode("rnn", [...gates(1), weights(1), ...states()], attributes(1), { outputs: 2, tolerance });
  });

  it("gru", async () => {
    const resetAfter = random.below(2) === 1;
    const bias: Given | undefined = resetAfter ? some({ tensor: floats(hidden), as: "constant" as const }) : undefined;
    const given = [...gates(3), weights(3), ...states(), bias];
    await checkNode("gru", given, { ...attributes(2), resetAfter }, { outputs: 2, tolerance });
  });

  it("lstm", async () => {
    const own = [
      some<Given>({ tensor: floats(batch, hidden) }),
      some<Given>({ tensor: floats(3, hidden), as: "constant" }),
    ];
    const given = [...gates(4), weights(4), ...states(), ...own];
    await checkNode("lstm", given, { ...attributes(3), coupled: random.below(3) === 0 }, { outputs: 3, tolerance });
  });
});

const plain = { activations: [{ function: "tanh" }], reverse: false } as const;

function graphOf(attributes: object, h: readonly number[] = [2, 3]) {
  const builder = new GraphBuilder();
  const x = builder.input("x", "f32", [4, 2, 3]);
  const weights = builder.plain("f32", [3, 3], new Float32Array(9));
  const inputs = [x, weights, builder.input("h", "f32", h), builder.input("lengths", "int32", [2])];
  return builder.build(...builder.ops("rnn", inputs, attributes as typeof plain, 2));
}

it("refuses what the rules exclude, by name", async () => {
  const refused = async (attributes: object, h?: readonly number[]) =>
    expect((async () => createModel(graphOf(attributes, h)))()).rejects.toBeInstanceOf(GraphError);
  await refused({ ...plain, clip: 0 });
  await refused({ ...plain, activations: [] });
  await refused({ ...plain, activations: [{ function: "gelu" }] });
  await refused({ ...plain, activations: [{ function: "elu" }] });
  await refused(plain, [2, 4]);
});

it("a length beyond the steps ends the run by name", async () => {
  using model = await createModel(graphOf(plain));
  const feed = { x: new Float32Array(24), h: new Float32Array(6), lengths: Int32Array.of(4, 5) };
  await expect(model.run(feed)).rejects.toThrow(OutOfRangeError);
  expect(await model.run({ ...feed, lengths: Int32Array.of(4, 0) })).toBeDefined();
});
