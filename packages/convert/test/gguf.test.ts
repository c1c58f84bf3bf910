/** GGUF files against the reference's reading of them (golden/make_gguf.py), and against data from outside. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Constant } from "lowbit";
import { dequantize, widenFloats } from "lowbit/quantize";
import { describe, expect, test } from "vitest";
import { openTensorFile, type TensorFile } from "../src/index.ts";
import digests from "./golden/types.json" with { type: "json" };
import { dataPath, hasData, readFile } from "./support/data.ts";

const golden = () => readFile("packages/convert/test/golden/types.gguf");

async function floatsOf(constant: Constant): Promise<Float32Array> {
  if (constant.kind === "quantized") return dequantize(constant);
  if (constant.dtype !== "f16") return Float32Array.from(constant.data as ArrayLike<number | bigint>, Number);
  const { buffer, byteOffset, byteLength } = constant.data;
  return widenFloats(new Uint8Array(buffer, byteOffset, byteLength), "f16");
}

const sha256 = (data: Float32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");

describe("a file of every type", () => {
  test.each(Object.entries(digests))("%s is what the reference reads", async (name, digest) => {
    const file = await openTensorFile(golden());
    const constant = await file.read(name);
    expect(constant.shape).toEqual(file.tensors.get(name)!.shape);
    expect(sha256(await floatsOf(constant))).toBe(digest);
  });

  test("blocks stay codes and scales, which kernels multiply; those of a vector are floats", async () => {
    const file = await openTensorFile(golden());
    const expected = {
      "w.Q4_0": [4, 32],
      "w.Q8_0": [8, 32],
      "w.TQ1_0": [2, 256],
      "w.TQ2_0": [2, 256],
      "w.Q6_K": [6, 16],
    };
    for (const [name, [bits, groupSize]] of Object.entries(expected))
      expect(await file.read(name)).toMatchObject({ kind: "quantized", bits, groupSize, decoding: { kind: "affine" } });
    expect(await file.read("row.Q8_0")).toMatchObject({ kind: "plain", dtype: "f32", shape: [512] });
  });

  test("metadata of every kind", async () => {
    const { metadata, format, size } = await openTensorFile(golden());
    expect({ format, size }).toEqual({ format: "gguf", size: golden().length });
    expect(Object.fromEntries(metadata)).toMatchObject({
      "general.architecture": "test",
      u8: 200,
      i8: -100,
      u16: 60000,
      i16: -30000,
      u32: 4000000000,
      i32: -2000000000,
      u64: 2n ** 63n,
      i64: -5,
      f32: 0.5,
      f64: 0.1,
      bool: true,
      string: "1.58 bits — ∛2",
      strings: ["a", "", "日本"],
      ints: Int32Array.of(1, -2, 3),
      floats: Float32Array.of(0.5, -1.5),
      bools: Uint8Array.of(1, 0),
    });
  });
});

describe("trained weights", () => {
  const [folder, types] = ["gguf-vectors", "F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 TQ1_0 TQ2_0 MXFP4".split(" ")];
  const path = `${folder}/minilm_l0_out_64x1536.gguf`;
  if (!hasData(path)) {
    test.skip(`${path} is absent`);
    return;
  }
  const both = async <T>(use: (vectors: TensorFile, expected: TensorFile) => Promise<T>): Promise<T> => {
    const vectors = await openTensorFile(dataPath(path));
    const expected = await openTensorFile(dataPath(join(folder!, "expected_dequant_f32.safetensors")));
    try {
      return await use(vectors, expected);
    } finally {
      await Promise.all([vectors.close(), expected.close()]);
    }
  };

  test.each(types)("%s: the reference's floats, each bit", (type) =>
    both(async (vectors, expected) => {
      expect([...vectors.tensors.keys()].sort()).toEqual(types.map((name) => `w.${name}`).sort());
      const [got, wanted] = [await vectors.read(`w.${type}`), await expected.read(`w.${type}`)];
      expect(got.shape).toEqual(wanted.shape);
      expect(sha256(await floatsOf(got))).toBe(sha256(await floatsOf(wanted)));
    }),
  );
});
