/** Models whose weights are in files beside them: found in the model's folder, refused by name elsewhere. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, type ModelProto, StringStringEntryProtoSchema, TensorProto_DataLocation } from "@lowbit/convert/onnx";
import { beforeAll, expect, it } from "vitest";
import { changedModel, DIGITS, FLOAT, newFolder } from "./files.ts";
import { lowbit, lowbitJson } from "./lowbit.ts";

const folder = newFolder();
const weights = Buffer.alloc(1 << 20);
let used = 0;

/** Moves the tensors of some bytes into `weights`, which the model then looks for at `location`. */
const moved = (location: string) => (model: ModelProto) => {
  used = 0;
  for (const tensor of model.graph?.initializer ?? []) {
    if (tensor.rawData.length < 64) continue;
    weights.set(tensor.rawData, used);
    const entries = { location, offset: String(used), length: String(tensor.rawData.length) };
    used += tensor.rawData.length;
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    tensor.rawData = new Uint8Array();
  }
};

const inside = changedModel(folder, "inside.onnx", moved("weights/w.bin"));
const missing = changedModel(folder, "missing.onnx", moved("nowhere.bin"));
const outside = changedModel(folder, "outside.onnx", moved("../outside.bin"));

beforeAll(() => {
  mkdirSync(join(folder, "weights"));
  writeFileSync(join(folder, "weights", "w.bin"), weights.subarray(0, used));
});

it("gives what the model with its weights inside gives", async () => {
  const top1 = async (path: string) => (await lowbitJson<{ top1: number }>("eval", path, "--data", DIGITS)).top1;
  expect(await top1(inside)).toBe(await top1(FLOAT));
  const tensors = async (path: string) => (await lowbitJson<{ tensors: unknown }>("inspect", path)).tensors;
  expect(await tensors(inside)).toEqual(await tensors(FLOAT));
});

it("packs to the same file", async () => {
  const [a, b] = [join(folder, "a.safetensors"), join(folder, "b.safetensors")];
  await lowbitJson("dequantize", FLOAT, "-o", a);
  await lowbitJson("dequantize", inside, "-o", b);
  expect(readFileSync(b).equals(readFileSync(a))).toBe(true);
});

it.each([
  ["that is not there", missing, /file "nowhere\.bin", which it needs/],
  ["outside of the folder", outside, /one inside its own folder, got "\.\.\/outside\.bin"/],
])("names a file %s", async (_, path, words) => {
  const { code, stderr } = await lowbit("inspect", path);
  expect(stderr).toMatch(/^lowbit: [^\n]+\n$/);
  expect(stderr).toMatch(words);
  expect(code).toBe(2);
});
