/** Networks as PyTorch's and Keras' own exporters wrote them (golden/make-torch.py, make-keras.py): imported, packed, and run to what PyTorch, Keras and LiteRT answer. */
import { createModel, type Graph, Tensor } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, readModel, runPasses, writeModel } from "../src/index.ts";
import keras from "./golden/keras.json" with { type: "json" };
import torch from "./golden/torch.json" with { type: "json" };
import { readFile } from "./support/data.ts";

const imported = (file: string): Graph =>
  runPasses(importModel(readFile(`packages/convert/test/golden/exported/${file}`)));

/** The first output for the first input, through a packed file. */
async function answer(graph: Graph, x: Tensor): Promise<Float32Array> {
  using model = await createModel(readModel(writeModel(graph)).graph);
  const outputs = await model.run({ [graph.inputs[0]!]: x });
  return outputs[graph.outputs[0]!]!.data as Float32Array;
}

const furthest = (a: ArrayLike<number>, b: readonly number[]): number => {
  expect(a.length).toBe(b.length);
  return b.reduce((most, value, i) => Math.max(most, Math.abs(a[i]! - value)), 0);
};

const count = (graph: Graph, op: string): number => graph.nodes.filter((node) => node.op === op).length;

describe("PyTorch 2.15", () => {
  for (const { files, x, y } of Object.values(torch))
    for (const file of files)
      test(file, async () => {
        const data = x.dtype === "f32" ? Float32Array.from(x.data) : BigInt64Array.from(x.data, BigInt);
        expect(
          furthest(await answer(imported(file), new Tensor(x.dtype as "f32", x.shape, data as Float32Array)), y.data),
        ).toBeLessThan(1e-5);
      });

  test("torch.nn's transformer takes texts of other lengths; a trace has the length of its example in it, and says so", async () => {
    const short = new Tensor("int64", [1, 4], BigInt64Array.from(torch.text.x.data.slice(0, 4), BigInt));
    const [exported, script] = torch.text.files.map(imported);
    const y = await answer(exported!, short);
    expect(y.every(Number.isFinite) && y.length).toBe(5);
    await expect(answer(script!, short)).rejects.toThrow(
      /reshapeTo .*: elements of the new shape, expected \[4,.*got \[7,/,
    );
  });

  test("signs with a straight-through estimator become bits", () => {
    const graph = imported("signs-script.onnx");
    const bits = [...graph.constants.values()].filter((c) => c.kind === "quantized" && c.bits === 1);
    expect(bits).toHaveLength(2);
    expect(count(graph, "clip") + count(graph, "sub")).toBe(0);
  });
});

describe("Keras, by TensorFlow 2.21", () => {
  const x = new Tensor("f32", keras.x.shape, Float32Array.from(keras.x.data));
  type Answers = keyof typeof keras.y;
  /** Of floats; dynamic range rounds activations in LiteRT, which run as floats here. */
  const tolerances = { float: 1e-6, float16: 1e-6, dynamic: 1e-3, int16x8: 1e-3 } as const;

  for (const [form, tolerance] of Object.entries(tolerances))
    test(form, async () => {
      const y = await answer(imported(`keras-${form}.tflite`), x);
      expect(furthest(y, keras.y[`${form} reference` as Answers])).toBeLessThan(tolerance);
    });

  test("int8: no further from LiteRT's reference kernels than its optimized ones are", async () => {
    const wanted = keras.y["int8 reference"];
    const y = await answer(imported("keras-int8.tflite"), x);
    expect(furthest(y, wanted)).toBeLessThanOrEqual(furthest(keras.y["int8 optimized"], wanted));
  });

  test("a batch that Keras leaves open stays open", () => {
    const graph = imported("keras-float.tflite");
    expect(typeof graph.values.get(graph.inputs[0]!)!.shape[0]).toBe("string");
  });
});
