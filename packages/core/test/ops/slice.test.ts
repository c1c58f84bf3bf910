import { createModel, GraphError, Tensor, UnsupportedError, validateGraph } from "lowbit";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/testing/builder.ts";
import { RandomData } from "../../src/testing/random-data.ts";
import { checkNode, type Given } from "./check.ts";

const list = (values: readonly number[]) => new Tensor("int64", [values.length], BigInt64Array.from(values, BigInt));

describe("slice", () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))("random ones, seed %i", async (seed) => {
    const random = new RandomData(seed);
    const rank = random.between(1, 4);
    const shape = Array.from({ length: rank }, () => random.between(1, 6));
    const size = shape.reduce((product, d) => product * d, 1);
    const x =
      seed % 2 === 0
        ? new Tensor("f32", shape, random.floats(size))
        : new Tensor("uint16", shape, Uint16Array.from(random.bytes(size)));
    const axes = shape.map((_, axis) => axis).filter(() => random.below(3) > 0);
    const some = (of: () => number): Given => ({
      tensor: list(axes.map(of)),
      as: random.pick(["input", "constant"] as const),
    });
    const bound = () => random.pick([random.between(-8, 8), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);
    await checkNode(
      "slice",
      [
        { tensor: x, as: random.pick(["input", "symbolic", "constant"] as const) },
        some(bound),
        some(bound),
        {
          tensor: list(axes.map((axis) => (random.below(2) ? axis : axis - rank))),
          as: random.pick(["input", "constant"]),
        },
        random.below(2) ? some(() => random.pick([1, 2, 3, -1, -2])) : undefined,
      ],
      {},
    );
  });

  it("binds anew where other values decide", async () => {
    const builder = new GraphBuilder();
    const inputs = [
      builder.input("x", "f32", ["N", 4]),
      builder.input("from", "int64", [1]),
      builder.input("to", "int64", [1]),
    ];
    const graph = builder.build(...builder.ops("slice", inputs, {}));
    const model = await createModel(graph);
    const run = async (rows: number, from: number, to: number) => {
      const x = new Tensor(
        "f32",
        [rows, 4],
        Float32Array.from({ length: rows * 4 }, (_, i) => i),
      );
      const { "slice0.y": y } = await model.run({ x, from: list([from]), to: list([to]) });
      return [y!.shape, y!.data[0]];
    };
    expect(await run(5, 1, 3)).toEqual([[2, 4], 4]);
    expect(await run(5, 2, 5)).toEqual([[3, 4], 8]);
    expect(await run(7, 2, 5)).toEqual([[3, 4], 8]);
    expect(await run(5, 1, 3)).toEqual([[2, 4], 4]);
    expect(await run(5, 4, 4)).toEqual([[0, 4], undefined]);
    await expect(
      model.run({ x: new Tensor("f32", [1, 4]), from: list([0]), to: new Tensor("int64", [2]) } as never),
    ).rejects.toThrow(/shape of "to"/);
    model.dispose();
  });

  it("refuses what cannot be one, by name", async () => {
    const of = (lists: readonly (readonly number[])[], dtype: "int64" | "f32" = "int64") => {
      const builder = new GraphBuilder();
      const x = builder.input("x", "f32", [3, 4]);
      const names = lists.map((values) =>
        dtype === "int64"
          ? builder.plain("int64", [values.length], BigInt64Array.from(values, BigInt))
          : builder.plain("f32", [values.length], Float32Array.from(values)),
      );
      return builder.build(...builder.ops("slice", [x, ...names], {}));
    };
    expect(() => of([[0], [1], [0], [0]])).toThrow(/steps, expected none of them 0, got 0/);
    expect(() => of([[0], [1], [2]])).toThrow(/axis, expected -2 to 1, got 2/);
    expect(() => of([[0], [1, 2]])).toThrow(GraphError);
    expect(() => validateGraph(of([[0], [1]], "f32"))).toThrow(/dtype of input 1, expected \[int64, int32\], got f32/);
    const builder = new GraphBuilder();
    const x = builder.input("x", "int64", [4]);
    const ends = builder.node("transpose", [x], { permutation: [0] }, "int64");
    const graph = builder.build(...builder.ops("slice", [x, x, ends], {}));
    await expect(createModel(graph)).rejects.toThrow(UnsupportedError);
    await expect(createModel(graph)).rejects.toThrow(/transpose "transpose0": decides sizes/);
  });
});
