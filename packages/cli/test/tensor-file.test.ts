/** A plain safetensors file, without a network: quantized, shown, and written back under the names it came with. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeNpy } from "@lowbit/convert";
import { type RawTensor, readSafetensors, Tensor, writeSafetensors } from "lowbit";
import { describe, expect, it } from "vitest";
import { DIGITS, newFolder, written } from "./files.ts";
import { lowbit, lowbitJson } from "./lowbit.ts";

const folder = newFolder();
const path = (name: string) => join(folder, name);

const raw = (dtype: RawTensor["dtype"], shape: readonly number[], data: ArrayBufferView): RawTensor => ({
  dtype,
  shape,
  bytes: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
});

/** Numbers of -1 to 1 that follow no line. */
const wave = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 201) / 100 - 1);
const weight = wave(16 * 2 * 3 * 3);
const SOURCE = new Map([
  ["conv.weight", raw("F32", [16, 2, 3, 3], weight)],
  ["conv.bias", raw("F32", [16], wave(16))],
  ["half.weight", raw("F16", [4, 8], new Uint16Array(32).fill(0x3c00, 7))],
  ["steps", raw("I64", [1, 2], BigInt64Array.of(5n, 7n))],
]);
const source = written(folder, "plain.safetensors", writeSafetensors(SOURCE, new Map([["format", "pt"]])));
const input = written(folder, "x.npy", writeNpy(new Tensor("f32", [1, 2])));

interface Shapes {
  readonly tensors: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
}

describe("a file of plain tensors", () => {
  it("quantize, inspect and dequantize agree on names and shapes", async () => {
    const [out, back] = [path("q.safetensors"), path("back.safetensors")];
    const args = [source, "-o", out, "--weights", "int8", "--layer", "half*=float", "--report", path("r.html")];
    const json = await lowbitJson<object>("quantize", ...args);
    expect(json).toMatchObject({
      bytes: readFileSync(out).length,
      layers: [
        { name: "conv.weight", op: "tensor", scheme: "int8", measured: "weights" },
        { name: "half.weight", op: "tensor", scheme: "float", sqnr: 999 },
      ],
    });
    expect(readFileSync(path("r.html"), "utf8")).toContain("conv.weight");

    const found = await lowbitJson<Shapes>("inspect", out);
    expect(found).toMatchObject({ format: "lowbit", provenance: { source: "plain.safetensors" } });
    expect(found).not.toHaveProperty("operators");
    expect(new Map(found.tensors.map(({ name, dtype }) => [name, dtype]))).toEqual(
      new Map([
        ["conv.weight", "int8"],
        ["conv.bias", "f32"],
        ["half.weight", "f16"],
        ["steps", "int64"],
      ]),
    );
    expect((await lowbit("inspect", out)).stdout).not.toContain("MACs");

    expect((await lowbit("dequantize", out, "-o", back)).code).toBe(0);
    const { tensors } = readSafetensors(new Uint8Array(readFileSync(back)));
    const shapes = (of: ReadonlyMap<string, RawTensor>) => new Map([...of].map(([name, { shape }]) => [name, shape]));
    expect(shapes(tensors)).toEqual(shapes(SOURCE));
    for (const name of ["conv.bias", "half.weight", "steps"]) expect(tensors.get(name)).toEqual(SOURCE.get(name));
    const { bytes } = tensors.get("conv.weight") as RawTensor;
    const floats = new Float32Array(bytes.slice().buffer);
    // Half a step of 8 bits over -1 to 1.
    for (const [i, w] of weight.entries()) expect(Math.abs((floats[i] ?? Number.NaN) - w)).toBeLessThan(0.0045);
  });

  it("--min-sqnr refuses with exit 1 and writes nothing", async () => {
    const out = path("refused.safetensors");
    const { code, stderr } = await lowbit("quantize", source, "-o", out, "--weights", "binary", "--min-sqnr", "30");
    expect(code).toBe(1);
    expect(stderr).toMatch(/refused: layer "conv\.weight" has \d+\.\d dB in its weights, the floor is 30\.0 dB/);
    expect(existsSync(out)).toBe(false);
    expect((await lowbit("quantize", source, "-o", out, "--weights", "binary")).code).toBe(0);
  });

  it.each([
    ["run", ["run", source, "--input", input], /plain\.safetensors: holds tensors and no network/],
    ["eval", ["eval", source, "--data", DIGITS], /plain\.safetensors: holds tensors and no network/],
    ["types", ["types", source, "-o", path("m.d.ts")], /plain\.safetensors: holds tensors and no network/],
    [
      "integer activations",
      ["quantize", source, "-o", path("a.safetensors"), "--activations", "int8", "--calibrate", input],
      /--activations, --calibrate, --rescale, --auto and --resume need one/,
    ],
    [
      "a rule for a tensor that stays as it is",
      ["quantize", source, "-o", path("b.safetensors"), "--layer", "steps=int8"],
      /tensors that match "steps"/,
    ],
  ])("%s is refused with exit 2 in one line", async (_, args, words) => {
    const { code, stderr } = await lowbit(...args);
    expect(stderr).toMatch(words);
    expect(stderr).toMatch(/^lowbit: [^\n]+\n$/);
    expect(code).toBe(2);
  });
});
