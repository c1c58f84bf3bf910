/** Larq Compute Engine's operators on our binary kernels, against its own interpreter. */
import { availableTiers, createModel, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, ModelFileError, readModel, runPasses, writeModel } from "../src/index.ts";
import golden from "./golden/larq.json" with { type: "json" };
import { flex, larqCases } from "./support/larq-cases.ts";
import { TfliteBuilder } from "./support/tflite.ts";

const answers = golden as Readonly<Record<string, { shape: number[]; y: string }>>;
const cases = larqCases();

describe("Larq operators against the engine's interpreter", () => {
  test("every case has an answer", () => {
    expect(cases.map(({ name }) => name)).toEqual(Object.keys(answers));
  });

  test.each(cases.map((each) => [each.name, each] as const))("%s", async (name, { file, inputs }) => {
    const imported = importModel(file);
    const packed = readModel(writeModel(runPasses(imported))).graph;
    const bytes = new Uint8Array(Buffer.from(answers[name]!.y, "base64"));
    for (const graph of [imported, packed])
      for (const tier of await availableTiers()) {
        using model = await createModel(graph, { tier });
        const [x] = inputs;
        const { y } = await model.run({ x: new Tensor(x!.dtype, x!.shape, x!.data as never) });
        expect(y!.shape).toEqual(answers[name]!.shape);
        const want = y!.dtype === "int8" ? new Int8Array(bytes.buffer) : new Float32Array(bytes.buffer);
        // The engine folds K * multiplier into its bias, we do not: the last bits of floats differ.
        const allowed = y!.dtype === "int8" ? 1 : 2e-6 * Math.max(...Array.from(want, Math.abs));
        for (let i = 0; i < want.length; i++)
          expect(Math.abs(Number(y!.data[i]) - want[i]!), `element ${i}`).toBeLessThanOrEqual(allowed);
      }
  });

  test.each(cases.map((each) => [each.name, each.file] as const))("%s: bits by bits on xnor_gemm", async (_, file) => {
    const graph = runPasses(importModel(file));
    const conv = graph.nodes.find(({ op }) => op === "conv2d")!;
    expect(graph.values.get(conv.inputs[0]!)!.dtype).toBe("bit");
    expect(graph.constants.get(conv.inputs[1]!)).toMatchObject({ kind: "quantized", scheme: "binary", bits: 1 });
    using model = await createModel(graph);
    const { nodes } = await model.profile();
    expect(nodes.filter(({ op }) => op === "conv2d").map(({ kernel }) => kernel)).toEqual(["xnor_gemm"]);
  });
});

describe("Larq files that lie", () => {
  const convolution = (attributes: Uint8Array) => {
    const b = new TfliteBuilder();
    const x = b.tensor({ name: "x", shape: [1, 4, 4, 32] });
    const bits = b.operator("LceQuantize", [x], { type: "INT32", shape: [1, 4, 4, 1] }, {}, new Uint8Array(0));
    const w = b.tensor({ type: "INT32", shape: [2, 1, 1, 1], data: new Int32Array(2) });
    const ends = [
      b.tensor({ shape: [2], data: new Float32Array(2) }),
      b.tensor({ shape: [2], data: new Float32Array(2) }),
    ];
    return b.build([x], [b.operator("LceBconv2d", [bits, w, ...ends, -1], { shape: [1, 4, 4, 2] }, {}, attributes)]);
  };

  test("attributes that are no map, damaged, missing, or of another image", () => {
    for (const attributes of [
      new Uint8Array(0),
      new Uint8Array(3),
      new Uint8Array(40).fill(0xff),
      flex({ padding: 0 }),
    ])
      expect(() => importModel(convolution(attributes))).toThrow(ModelFileError);
    const wrong = flex({
      ...{ stride_height: 1, stride_width: 1, dilation_height_factor: 1, dilation_width_factor: 1 },
      ...{ padding: 1, pad_values: 0, channels_in: 33, fused_activation_function: 0 },
    });
    expect(() => importModel(convolution(wrong))).toThrow(/channels_in, expected 32, got 33/);
  });
});
