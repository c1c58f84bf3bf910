/** Strings that are not UTF-8: a named error, or a name with replacement characters, never a crash. */
import { LowbitError } from "lowbit";
import { expect, test } from "vitest";
import { importModel, openTensorFile, writeModel } from "../src/index.ts";
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
