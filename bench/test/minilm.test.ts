/** all-MiniLM-L6-v2 as a TFLite file, with weights of its shapes: LiteRT.js and our importer take the float and the dynamic int8 form, to nearly the same embedding. */
import { importModel, runPasses } from "@lowbit/convert";
import { createModel, Tensor } from "lowbit";
import { expect, test } from "vitest";
import { LiteRt } from "../src/engines/litert-module.ts";
import { runtimeHost } from "../src/host/runtime.ts";
import { minilmTflite } from "../src/models/minilm-tflite.ts";
import { draw } from "../src/values.ts";

const noise = (length: number, scale: number): Float32Array =>
  (draw("f32", length, length, 0) as Float32Array).map((value) => value * scale);

const WORDS = 50;
const LENGTH = 5;

function weights(name: string): Float32Array {
  const isInner = name.includes("intermediate");
  if (name.endsWith("word_embeddings.weight")) return noise(WORDS * 384, 0.1);
  if (name.endsWith("token_type_embeddings.weight")) return noise(2 * 384, 0.1);
  if (name.endsWith("position_embeddings.weight")) return noise(512 * 384, 0.1);
  if (name.endsWith("LayerNorm.weight")) return noise(384, 0.2).map((value) => 1 + value);
  if (name.endsWith("bias")) return noise(isInner ? 1536 : 384, 0.1);
  const isWide = isInner || /layer\.\d+\.output\.dense/.test(name);
  return noise(384 * (isWide ? 1536 : 384), 0.1);
}

test("MiniLM as TFLite: the int8 layers give the float network's embedding", async () => {
  const runtime = await LiteRt.load(runtimeHost("node", []), "compat");
  const ids = Int32Array.of(3, 1, 4, 1, 49);
  const embedding = async (isInt8: boolean): Promise<Float32Array> => {
    const model = await runtime.compile(minilmTflite(weights, LENGTH, isInt8), ids);
    await model.run();
    const y = model.output(Float32Array) as Float32Array;
    model.dispose();
    return y;
  };
  const [float, int8] = [await embedding(false), await embedding(true)];
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  expect(float).toHaveLength(384);
  expect(dot(float, float)).toBeCloseTo(1, 5);
  expect(dot(int8, int8)).toBeCloseTo(1, 5);
  expect(dot(float, int8)).toBeGreaterThan(0.99);
  expect(int8).not.toEqual(float);
  for (const isInt8 of [false, true]) {
    using ours = await createModel(runPasses(importModel(minilmTflite(weights, LENGTH, isInt8))));
    const { name } = ours.inputs[0]!;
    const { [ours.outputs[0]!.name]: y } = await ours.run({ [name]: new Tensor("int32", [LENGTH], ids) });
    expect(dot(y!.data as Float32Array, float)).toBeGreaterThan(isInt8 ? 0.99 : 0.999999);
  }
});
