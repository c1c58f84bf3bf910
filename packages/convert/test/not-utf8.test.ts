/** Strings that are not UTF-8: a named error, or a name with replacement characters, never a crash. */
import { LowbitError, Tensor } from "lowbit";
import { expect, test } from "vitest";
import {
  FileError,
  importFrom,
  importHuggingFace,
  importModel,
  ModelFileError,
  openTensorFile,
  readNpz,
  writeModel,
  writeNpz,
} from "../src/index.ts";
import { readFile } from "./support/data.ts";
import { type Files, llamaFiles } from "./support/hf-folders.ts";
import { OnnxBuilder } from "./support/onnx.ts";
import { TfliteBuilder } from "./support/tflite.ts";

/** The file with every `marker` in it made of bytes that begin no character. */
function spoiled(file: Uint8Array, marker: string): Uint8Array<ArrayBuffer> {
  const wanted = new TextEncoder().encode(marker);
  const bytes = new Uint8Array(file);
  let found = 0;
  for (let at = 0; at + wanted.length <= bytes.length; at++)
    if (wanted.every((byte, i) => bytes[at + i] === byte)) {
      bytes.fill(0xff, at, at + wanted.length);
      found++;
    }
  expect(found).toBeGreaterThan(0);
  return bytes;
}

function onnx(): Uint8Array {
  const net = new OnnxBuilder();
  net.input("x", [4]);
  net.floats("marker", [4], [1, 2, 3, 4]);
  net.node("Add", "y", ["x", "marker"]);
  return net.build(["y"]);
}

/** What reading gives: names, or the error's message. */
function read(file: Uint8Array): string {
  try {
    return [...importModel(file).constants.keys()].join();
  } catch (error) {
    expect(error).toBeInstanceOf(LowbitError);
    return (error as Error).message;
  }
}

test("in ONNX", () => {
  expect(read(spoiled(onnx(), "marker"))).toBe("\uFFFD".repeat(6));
});

test("in TFLite", () => {
  const b = new TfliteBuilder();
  const x = b.tensor({ name: "x", shape: [4] });
  const w = b.tensor({ name: "marker", shape: [4], data: Float32Array.of(1, 2, 3, 4) });
  const file = b.build([x], [b.operator("ADD", [x, w], { shape: [4] })]);
  expect(read(spoiled(file, "marker"))).toBe("\uFFFD".repeat(6));
});

test("in a packed file, and in safetensors without a network", async () => {
  const file = writeModel(importModel(onnx()));
  expect(read(spoiled(file, "marker"))).toBe("safetensors: header, expected UTF-8, got other bytes");
  await expect(openTensorFile(spoiled(file, "marker"))).rejects.toBeInstanceOf(LowbitError);
});

const gguf = (marker: string) => openTensorFile(spoiled(readFile("packages/convert/test/golden/types.gguf"), marker));

test("in GGUF: keys and names of tensors are refused, a value's bytes become U+FFFD", async () => {
  await expect(gguf("general.architecture")).rejects.toThrow(
    new ModelFileError("gguf", "key 0", "UTF-8", "other bytes").message,
  );
  await expect(gguf("row.Q8_0")).rejects.toThrow(/^gguf: name of tensor \d+, expected UTF-8, got other bytes$/);
  // Tokens of a vocabulary may be pieces of characters.
  expect((await gguf("日本")).metadata.get("strings")).toEqual(["a", "", "\uFFFD".repeat(6)]);
});

test("in folders as Hugging Face has them", async () => {
  const importing = (name: string, marker: string) => {
    const files: Files = { ...llamaFiles() };
    files[name] = spoiled(files[name]!, marker);
    return importHuggingFace((file) => files[file]);
  };
  const index = "model.safetensors.index.json";
  await expect(importing("config.json", "llama")).rejects.toThrow(/^config.json: content, expected JSON, got /);
  await expect(importing(index, "model.norm.weight")).rejects.toThrow(/^model.safetensors.index.json: content/);
  await expect(importing("b.safetensors", "model.norm.weight")).rejects.toThrow(/header, expected UTF-8/);
});

test("in an index of shards", async () => {
  const text = JSON.stringify({ weight_map: { marker: "a.safetensors" } });
  const file = spoiled(new TextEncoder().encode(text), "marker");
  await expect(importFrom(file, { files: {} })).rejects.toBeInstanceOf(ModelFileError);
});

test("in arrays of NumPy: a name, and a header", () => {
  const file = writeNpz(new Map([["marker", new Tensor("f32", [2], Float32Array.of(1, 2))]]));
  // A zip's names are UTF-8 only where it says so: else every byte is a character.
  expect([...readNpz(spoiled(file, "marker")).keys()]).toHaveLength(1);
  expect(() => readNpz(spoiled(file, "fortran_order"))).toThrow(FileError);
});
