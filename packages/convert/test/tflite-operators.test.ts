/** Each TFLite operator in each type that it has, against LiteRT's reference kernels. */
import { createModel, type Graph, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, runPasses } from "../src/index.ts";
import { OPERATORS } from "../src/tflite/operators/registry.ts";
import { readTflite } from "../src/tflite/reader.ts";
import golden from "./golden/tflite-operators.json" with { type: "json" };
import { tfliteCases } from "./support/tflite-cases.ts";

const cases = tfliteCases();
const answers = golden as Readonly<Record<string, { shape: number[]; y: string }>>;

function answer(name: string, dtype: string): { shape: number[]; data: ArrayLike<number> } {
  const { shape, y } = answers[name]!;
  const bytes = new Uint8Array(Buffer.from(y, "base64"));
  const data =
    dtype === "int16"
      ? new Int16Array(bytes.buffer)
      : dtype === "f32"
        ? new Float32Array(bytes.buffer)
        : dtype === "int8"
          ? new Int8Array(bytes.buffer)
          : bytes;
  return { shape, data };
}

async function run(graph: Graph, { inputs }: (typeof cases)[number]): Promise<Tensor> {
  using model = await createModel(graph);
  const feeds = inputs.map(({ dtype, shape, data }, i) => [`x${i}`, new Tensor(dtype, shape, data as never)] as const);
  return (await model.run(Object.fromEntries(feeds)))[graph.outputs[0]!]!;
}

describe("TFLite operators against LiteRT's reference kernels", () => {
  test("every case has an answer", () => {
    expect(cases.map(({ name }) => name)).toEqual(Object.keys(answers));
  });

  test.each(cases.map((each) => [each.name, each] as const))("%s", async (name, each) => {
    const imported = importModel(each.file);
    for (const graph of [imported, runPasses(imported)]) {
      const y = await run(graph, each);
      const { shape, data } = answer(name, y.dtype);
      expect(y.shape).toEqual(shape);
      const largest = Math.max(...Array.from(data, Math.abs));
      // Of tanh and softmax the reference has tables of int16, between whose entries it interpolates.
      const isTable = y.dtype === "int16" && /^(tanh|softmax)/.test(name);
      const allowed = y.dtype === "f32" ? 1e-6 * Math.max(1, largest) : isTable ? 2 : 1;
      for (let i = 0; i < data.length; i++)
        expect(Math.abs(Number(y.data[i]) - data[i]!), `element ${i}`).toBeLessThanOrEqual(allowed);
    }
  });

  const fixed = cases.filter(({ file }) =>
    importModel(file, { rounding: "reference" }).nodes.some(({ op }) => op.startsWith("fixed")),
  );

  test.each(fixed.map((each) => [each.name, each] as const))("%s, every code of the reference", async (name, each) => {
    const imported = importModel(each.file, { rounding: "reference" });
    for (const graph of [imported, runPasses(imported)]) {
      const y = await run(graph, each);
      expect(Array.from(y.data as Int8Array)).toEqual(Array.from(answer(name, y.dtype).data));
    }
  });

  test("what the reference computes by integers alone is tried in every type", () => {
    for (const operator of ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "AVERAGE_POOL_2D"])
      for (const type of ["int8", "uint8"])
        expect(
          fixed.some(({ name, file }) => {
            const { operators } = readTflite(file);
            return name.endsWith(type) && operators.some((each) => each.type === operator);
          }),
          `${operator} of ${type}`,
        ).toBe(true);
  });

  test("every importer has a case here, but for those that the tests of the reader and of Larq try", () => {
    const tried = new Set(cases.flatMap(({ file }) => readTflite(file).operators.map(({ type }) => type)));
    const elsewhere = [
      "ADD_N",
      "CAST",
      "LceBMaxPool2d",
      "LceBconv2d",
      "LceDequantize",
      "LceQuantize",
      "PADV2",
      "RELU_0_TO_1",
      "RELU_N1_TO_1",
      "SHAPE",
    ];
    expect([...OPERATORS.keys()].filter((type) => !tried.has(type)).sort()).toEqual(elsewhere);
  });
});
