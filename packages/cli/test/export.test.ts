/** Models leave for other systems and come back as they were; any two of them are compared output by output. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { changedModel, DIGITS, FLOAT, newFolder } from "./files.ts";
import { lowbit, lowbitJson } from "./lowbit.ts";

const folder = newFolder();
const at = (name: string) => join(folder, name);
const packed = at("packed.safetensors");

interface Exported {
  readonly format: string;
  readonly bytes: number;
  readonly tensors: readonly { readonly name: string; readonly type: string; readonly shape: readonly number[] }[];
}
interface Compared {
  readonly count: number;
  readonly top1?: number;
  readonly agreement: number;
  readonly outputs: readonly { readonly name: string; readonly sqnr: number; readonly maxError: number }[];
}

beforeAll(async () => {
  const schemes = ["--weights", "int4:g32", "--layer", "conv*=int8"];
  await lowbitJson("quantize", FLOAT, "-o", packed, ...schemes, "--calibrate", DIGITS);
});

describe("export", () => {
  it("to ONNX: codes stay codes, and the network answers the same", async () => {
    const { bytes, tensors } = await lowbitJson<Exported>("export", packed, "-o", at("net.onnx"));
    expect(new Set(tensors.map(({ type }) => type))).toEqual(new Set(["INT4", "INT8", "FLOAT", "INT64"]));
    expect(bytes).toBeLessThan(readFileSync(FLOAT).length / 3);
    const { agreement, outputs } = await lowbitJson<Compared>(
      "eval",
      at("net.onnx"),
      "--data",
      DIGITS,
      "--against",
      packed,
    );
    expect(agreement).toBe(1);
    expect(outputs[0]!.sqnr).toBeGreaterThan(100);
  });

  it("to floats, and back to the same file", async () => {
    await lowbitJson("export", packed, "-o", at("floats.safetensors"));
    await lowbitJson("dequantize", packed, "-o", at("wanted.safetensors"));
    expect(readFileSync(at("floats.safetensors")).equals(readFileSync(at("wanted.safetensors")))).toBe(true);
  });

  it("to GGUF: the floats that the codes stand for", async () => {
    const { tensors } = await lowbitJson<Exported>("export", packed, "-o", at("net.gguf"));
    expect(tensors.length).toBeGreaterThan(7);
    const inspected = await lowbitJson<{ format: string; tensors: unknown[] }>("inspect", at("net.gguf"));
    expect(inspected).toMatchObject({ format: "gguf" });
    expect(inspected.tensors).toHaveLength(tensors.length);
  });

  it.each([
    ["another format", ["-o", "net.pb"], /expected one of onnx, safetensors, gguf, got "pb"/],
    ["options of ONNX elsewhere", ["-o", "net.gguf", "--contrib"], /are for ONNX/],
  ])("refuses %s", async (_, args, words) => {
    const { code, stderr } = await lowbit("export", packed, ...args);
    expect(stderr).toMatch(words);
    expect(code).toBe(2);
  });
});

it("inspect shows the tensors of a network that cannot run, and why", async () => {
  const path = changedModel(folder, "odd.onnx", ({ graph }) => {
    for (const node of graph?.node ?? []) if (node.opType === "Relu") node.opType = "Fancy";
  });
  const { tensors, unsupported } = await lowbitJson<{ tensors: unknown[]; unsupported: string }>("inspect", path);
  expect(tensors.length).toBeGreaterThan(7);
  expect(unsupported).toMatch(/3 nodes.*Fancy/);
});

describe("eval --against", () => {
  it("needs no data: inputs are seeded", async () => {
    const run = (...more: string[]) => lowbitJson<Compared>("eval", packed, "--against", FLOAT, ...more);
    const [first, again, other] = [await run(), await run(), await run("--seed", "2", "--samples", "5")];
    expect(first).toMatchObject({ count: 16, outputs: [{ name: "logits" }] });
    expect(again.outputs).toEqual(first.outputs);
    expect(other.count).toBe(5);
    expect(other.outputs).not.toEqual(first.outputs);
    expect(first.outputs[0]!.sqnr).toBeGreaterThan(15);
    const itself = await lowbitJson<Compared>("eval", FLOAT, "--against", FLOAT);
    expect(itself).toMatchObject({ agreement: 1, outputs: [{ sqnr: 999, maxError: 0 }] });
  });

  it("with neither data nor another model there is nothing to measure", async () => {
    const { code, stderr } = await lowbit("eval", FLOAT);
    expect(stderr).toMatch(/--data is missing/);
    expect(code).toBe(2);
  });
});
