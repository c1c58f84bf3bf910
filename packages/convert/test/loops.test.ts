/** What the importers of recurrent cells, Einsum and loops refuse, and what is open when they import. The numbers are those of node-tests.test.ts. */
import { createModel, Tensor, UnsupportedError } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, ModelFileError, quantizeModel, runPasses } from "../src/index.ts";
import {
  AttributeProto_AttributeType as AttributeType,
  create,
  GraphProtoSchema,
  NodeProtoSchema,
  ValueInfoProtoSchema,
} from "../src/onnx/schema.ts";
import { DataType, OnnxBuilder, valueInfo } from "./support/onnx.ts";

type Attributes = Parameters<OnnxBuilder["node"]>[3];

function lstm(attributes: Attributes = {}, weights: readonly number[] = [1, 12, 2]): Uint8Array {
  const net = new OnnxBuilder(17);
  net.input("x", ["steps", "batch", 2]);
  const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.fround(((i * 7) % 11) / 11 - 0.5));
  const w = net.floats("w", weights, values(weights.reduce((a, b) => a * b)));
  const r = net.floats("r", [1, 12, 3], values(36));
  net.node("LSTM", "y", ["x", w, r], { hidden_size: 3, ...attributes });
  return net.build(["y"]);
}

describe("recurrent cells", () => {
  test("steps and batch stay open, a batch of sequences is the sequences one by one", async () => {
    using model = await createModel(runPasses(importModel(lstm())));
    const x = Float32Array.from({ length: 4 * 2 * 2 }, (_, i) => i / 8 - 1);
    const { y } = await model.run({ x: new Tensor("f32", [4, 2, 2], x) });
    expect(y!.shape).toEqual([4, 1, 2, 3]);
    const alone = Float32Array.from({ length: 8 }, (_, i) => x[Math.floor(i / 2) * 4 + (i % 2)]!);
    const first = (await model.run({ x: new Tensor("f32", [4, 1, 2], alone) })).y!.data as Float32Array;
    const both = y!.data as Float32Array;
    for (let t = 0; t < 4; t++) expect(first.subarray(3 * t, 3 * t + 3)).toEqual(both.subarray(6 * t, 6 * t + 3));
  });

  test("what the input adds to the gates is quantized like other layers", async () => {
    const { layers } = await quantizeModel(runPasses(importModel(lstm())), { weights: "int8" });
    expect(layers.map(({ scheme }) => scheme)).toEqual(["int8", "int8", "int8", "int8"]);
  });

  test("other shapes, functions and directions are refused by name", () => {
    expect(() => importModel(lstm({}, [1, 12, 3]))).toThrow(/W\.0\.i|dense|shape/);
    expect(() => importModel(lstm({}, [1, 9, 2]))).toThrow(/shape of W/);
    expect(() => importModel(lstm({ hidden_size: 4 }))).toThrow(/hidden_size, expected 3, got 4/);
    expect(() => importModel(lstm({ direction: "sideways" }))).toThrow(ModelFileError);
    expect(() => importModel(lstm({ direction: "bidirectional" }))).toThrow(/shape of W/);
  });
});

describe("einsum", () => {
  const einsum = (equation: string, ...shapes: (readonly (number | string)[])[]) => {
    const net = new OnnxBuilder(17);
    const inputs = shapes.map((shape, i) => net.input(`x${i}`, shape));
    net.node("Einsum", "y", inputs, { equation });
    return importModel(net.build(["y"]));
  };

  test("equations that make no sense are refused by name", () => {
    const square = [3, 3];
    for (const equation of ["ij->k", "ij->ii", "i->i", "ij,jk->ik", "ij->j->i", "i1->i", ""])
      expect(() => einsum(equation, square), equation).toThrow(ModelFileError);
    expect(() => einsum("ij,jk->ik", square, [4, 3])).toThrow(/sizes 3 and 4 of label "j"/);
    expect(() => einsum("ii->i", ["n", "n"])).toThrow(UnsupportedError);
  });
});

describe("control flow", () => {
  /** y = x + 1 for as many turns as an input says, or a constant. */
  function loop(turns: number | undefined): Uint8Array {
    const net = new OnnxBuilder(17);
    net.input("x", [2]);
    const count = turns === undefined ? net.input("count", [], DataType.INT64) : net.ints("count", [turns], []);
    net.floats("one", [1], [1]);
    const node = (opType: string, input: string[], output: string[]) =>
      create(NodeProtoSchema, { opType, input, output });
    const body = create(GraphProtoSchema, {
      node: [node("Identity", ["holds"], ["same"]), node("Add", ["state", "one"], ["next"])],
      input: [
        valueInfo("i", [], DataType.INT64),
        valueInfo("holds", [], DataType.BOOL),
        valueInfo("state", [2], DataType.FLOAT),
      ],
      output: ["same", "next"].map((name) => create(ValueInfoProtoSchema, { name })),
    });
    return net.build(["y"], (graph) => {
      const attribute = [{ name: "body", type: AttributeType.GRAPH, g: body } as never];
      graph.node.push(create(NodeProtoSchema, { opType: "Loop", input: [count, "", "x"], output: ["y"], attribute }));
    });
  }

  test("turns are written out, as many as are known", async () => {
    using model = await createModel(runPasses(importModel(loop(5))));
    expect((await model.run({ x: Float32Array.of(1, 2) })).y!.data).toEqual(Float32Array.of(6, 7));
  });

  test("turns that a run decides, and too many of them, are refused by name", () => {
    expect(() => importModel(loop(undefined))).toThrow(/a trip count computed at run time/);
    expect(() => importModel(loop(2 ** 40))).toThrow(/loops of many nodes/);
  });

  test("NonZero of what a run computes is refused by name", () => {
    const net = new OnnxBuilder(17);
    net.input("x", [4]);
    net.node("NonZero", "y", ["x"]);
    expect(() => importModel(net.build(["y"]))).toThrow(/the size of the output is known to a run only/);
  });
});
