/** Tensors of a GGUF file that the Python package gguf 0.19.0 wrote from trained weights, with the floats that it reads: outside data, skipped by name where they are absent. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dequantize, fromBlocks, q4_0, q8_0, quantize, toBlocks, tq1_0, tq2_0 } from "../../src/quantize.ts";

const checkout = join(import.meta.dirname, "../../../..");
const folder = join(process.env.LOWBIT_DATA ?? join(checkout, "../shared/data"), "gguf-vectors");
const file = join(folder, "minilm_l0_out_64x1536.gguf");
const shape = [64, 1536] as const;

/** The bytes of a tensor: its info follows its name; data start at the next multiple of 32 behind the last info. */
function ggufTensor(bytes: Buffer, name: string, length: number): Uint8Array {
  const infoOf = (tensor: string) => {
    const at = bytes.indexOf(tensor) + tensor.length;
    const axes = bytes.readUInt32LE(at);
    return { offset: Number(bytes.readBigUInt64LE(at + 8 + 8 * axes)), end: at + 16 + 8 * axes };
  };
  const start = Math.ceil(infoOf("w.MXFP4").end / 32) * 32 + infoOf(name).offset;
  return Uint8Array.from(bytes.subarray(start, start + length));
}

function safetensor(path: string, name: string): Float32Array {
  const bytes = readFileSync(path);
  const header = Number(bytes.readBigUInt64LE(0));
  const entries = JSON.parse(bytes.toString("utf8", 8, 8 + header));
  const [from, to] = entries[name].data_offsets;
  return new Float32Array(Uint8Array.from(bytes.subarray(8 + header + from, 8 + header + to)).buffer);
}

/** `expect` takes seconds for arrays of this size. */
const same = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  Buffer.compare(
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
    new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
  ) === 0;

describe("GGUF vectors", () => {
  const quantizers = { q4_0: q4_0(), q8_0: q8_0(), tq1_0: tq1_0(), tq2_0: tq2_0() };
  const types: readonly [keyof typeof quantizers, string, number][] = [
    ["q4_0", "w.Q4_0", 55296],
    ["q8_0", "w.Q8_0", 104448],
    ["tq1_0", "w.TQ1_0", 20736],
    ["tq2_0", "w.TQ2_0", 25344],
  ];
  if (!existsSync(file)) {
    it.skip(`of trained weights (${file} is absent)`);
    return;
  }
  it.each(types)("%s: its floats, its bytes again, and the same bytes from the weights", async (type, name, length) => {
    const blocks = ggufTensor(readFileSync(file), name, length);
    const expected = join(folder, "expected_dequant_f32.safetensors");
    const constant = await fromBlocks(blocks, type, shape);
    expect(same(await dequantize(constant), safetensor(expected, name))).toBe(true);
    expect(same(await toBlocks(constant, type), blocks)).toBe(true);
    const made = (await quantize({ shape, data: safetensor(expected, "w.F32") }, quantizers[type])).toConstant();
    expect(same(await toBlocks(made, type), blocks)).toBe(true);
  });
});
