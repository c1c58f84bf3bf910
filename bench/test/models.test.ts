/** Files written for other runtimes: what they hold, and that our own importer reads the float ones to the same sums. */
import { importModel, runPasses } from "@lowbit/convert";
import { createModel, Tensor } from "lowbit";
import { expect, test } from "vitest";
import { type Case, checksum } from "../src/case.ts";
import { allCases, families, familyOf } from "../src/cases/index.ts";
import { judge } from "../src/judge.ts";
import { isSame, stepOf } from "../src/models/layer.ts";
import { hasOnnx, hasTflite, onnxOf, tfliteOf } from "../src/models/model.ts";
import { packNibbles } from "../src/models/tflite.ts";
import { tiny } from "./tiny.ts";

const small = families
  .filter(({ cases }) => ["gemm", "conv"].includes(cases[0]!.task.op))
  .map(({ cases }) => tiny(cases[0] as Case));

test.each(small)(
  "$id as a float ONNX model: the importer reads it, and our runtime computes the task's sums",
  async (of) => {
    const tensors = familyOf(of).tensors(of);
    const { bytes, input, answer } = onnxOf(of, tensors, "fp32");
    using model = await createModel(runPasses(importModel(bytes)));
    const [{ name, shape }] = model.inputs as [(typeof model.inputs)[0]];
    const feed = new Tensor("f32", shape as number[], input as Float32Array<ArrayBuffer>);
    const { [model.outputs[0]!.name]: y } = await model.run({ [name]: feed });
    expect(judge(of, tensors, answer(y!.data as Float32Array))).toMatchObject({ right: true });
  },
);

test("the same tensors make the same bytes", () => {
  for (const of of small)
    for (const format of ["fp32", "int8"] as const) {
      const make = () => {
        const tensors = familyOf(of).tensors(of);
        return [hasOnnx(of, format), hasTflite(of, format)].map((has, i) =>
          has === true ? checksum([onnxOf, tfliteOf][i]!(of, tensors, format).bytes) : has,
        );
      };
      expect(make()).toEqual(make());
    }
});

test("TFLite files carry the identifier, and constants on multiples of 16", () => {
  const of = small.find(({ family }) => family === "int8_conv")!;
  const tensors = familyOf(of).tensors(of);
  const { bytes } = tfliteOf(of, tensors, "int8");
  expect(new TextDecoder().decode(bytes.subarray(4, 8))).toBe("TFL3");
  const w = tensors.w as Int8Array;
  const first = bytes.findIndex((_, i) => i % 16 === 0 && w.every((value, j) => (bytes[i + j]! << 24) >> 24 === value));
  expect(first).toBeGreaterThan(0);
});

test("what a format cannot say is refused in words", () => {
  const f32 = allCases().find(({ family }) => family === "gemm_f32")!;
  expect(hasTflite(f32, "int8")).toBe("no int8 form of f32 by f32");
  expect(hasOnnx(f32, "nbits4")).toBe("4-bit weights only of a matrix product");
  const conv = allCases().find(({ task }) => task.op === "conv")!;
  if (conv.task.op !== "conv") throw new Error("no convolution");
  expect(isSame(conv.task)).toBe(true);
  const shifted = { ...conv, task: { ...conv.task, pads: [0, 0, 2, 2] as const } };
  expect(hasTflite(shifted, "fp32")).toBe("padding that TensorFlow does not know");
});

test("steps of int8 outputs are powers of two, so that no runtime's scale is rounded", () => {
  for (const { task } of allCases())
    if (task.op === "gemm" || task.op === "conv") expect(Math.log2(stepOf(task))).toSatisfy(Number.isInteger);
});

test("nibbles: the first value in the low half", () => {
  expect([...packNibbles([1, -1, -8])]).toEqual([0xf1, 0x08]);
});
