import {
  DigestError,
  type FormatError,
  GraphError,
  LowbitError,
  loadModel,
  readPacked,
  readSafetensors,
  writePacked,
  writeSafetensors,
} from "lowbit";
import { describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../src/file/digest.ts";
import { GraphBuilder } from "../src/testing/builder.ts";
import { golden, goldenGraph } from "../src/testing/golden.ts";
import { RandomData } from "../src/testing/random-data.ts";

/** The file with another `lowbit` text, digest and tensors in order. */
function rewrite(
  bytes: Uint8Array<ArrayBuffer>,
  edit: (json: Record<string, never>) => unknown,
): Uint8Array<ArrayBuffer> {
  const { metadata, tensors } = readSafetensors(bytes);
  const text = JSON.stringify(edit(JSON.parse(metadata.get("lowbit")!)));
  return writeSafetensors(
    tensors,
    new Map([
      ["lowbit", text],
      ["lowbit_digest", sha256Hex(text)],
    ]),
  );
}

describe("writePacked", () => {
  it("keeps names apart: a constant that is called like another's scales", () => {
    const random = new RandomData(3);
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", ["N", 4]);
    const weight = builder.quantized(random.weight({ shape: [2, 4], kind: "sign" }));
    const graph = builder.build(builder.node("dense", [x, weight], {}, "f32"));
    const constants = new Map(graph.constants);
    constants.set(`${weight}.scale`, { kind: "plain", dtype: "f32", shape: [1], data: Float32Array.of(7) });
    const named = { ...graph, constants };
    expect(readPacked(writePacked({ graph: named })).graph).toEqual(named);
  });

  it("refuses a graph that is not valid", () => {
    expect(() => writePacked({ graph: { ...goldenGraph(), outputs: ["none"] } })).toThrow(GraphError);
  });
});

describe("readPacked", () => {
  const bytes = writePacked(golden());

  it("notices every flipped bit, by a named error", () => {
    // All of the header's bytes, and one byte in seven of the data.
    const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const unchanged: number[] = [];
    for (let at = 0; at < bytes.length; at += at < start ? 5 : 7) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1 << (at % 8);
      try {
        readPacked(flipped);
        unchanged.push(at);
      } catch (error) {
        expect(error).toBeInstanceOf(LowbitError);
      }
    }
    expect(unchanged).toEqual([]);
  });

  it("names the tensor whose bytes changed", () => {
    const damaged = bytes.slice();
    damaged[damaged.length - 1]! ^= 1;
    expect(() => readPacked(damaged)).toThrow(DigestError);
    expect(() => readPacked(damaged)).toThrow(/SHA-256 of tensor constant/);
  });

  it("refuses every truncation, by a named error", () => {
    for (let length = 0; length < bytes.length; length += 97)
      expect(() => readPacked(bytes.slice(0, length))).toThrow(LowbitError);
  });

  it("refuses a newer version, and a file that is no model", () => {
    const newer = rewrite(bytes, (json) => ({ ...json, version: 4 }));
    expect(() => readPacked(newer)).toThrow(
      /version of the format \(at most\), expected 3, got 4: written by a newer lowbit/,
    );
    const foreign = writeSafetensors(readSafetensors(bytes).tensors);
    expect(() => readPacked(foreign)).toThrow(/__metadata__.lowbit, expected a packed model, got none/);
  });

  it("reads a file whose data is not aligned", () => {
    const { metadata, tensors } = readSafetensors(bytes);
    const odd = [...tensors].map(([name, { dtype, shape, bytes: data }]) => {
      const buffer = new Uint8Array(data.length + 1);
      buffer.set(data, 1);
      return [name, { dtype, shape, bytes: buffer.subarray(1) }] as const;
    });
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(writeSafetensors(new Map(odd), metadata), 1);
    expect(readPacked(shifted.subarray(1)).graph).toEqual(golden().graph);
  });

  type Json = Record<string, unknown> & { graph: object; tensors: unknown[] };
  const edits: Record<string, readonly [edit: (json: Json) => unknown, code: string]> = {
    "JSON that is no object": [() => 3, "metadata-field"],
    "a missing version": [({ version: _, ...json }) => json, "metadata-field"],
    "a version that is text": [(json) => ({ ...json, version: "1" }), "metadata-field"],
    "a missing graph": [({ graph: _, ...json }) => json, "metadata-field"],
    "missing digests": [({ tensors: _, ...json }) => json, "metadata-field"],
    "a digest too few": [(json) => ({ ...json, tensors: json.tensors.slice(1) }), "tensor-missing"],
    "a digest of no tensor": [
      (json) => ({ ...json, tensors: [...json.tensors, { name: "none", sha256: "" }] }),
      "tensor-missing",
    ],
    "inputs that are no names": [(json) => ({ ...json, graph: { ...json.graph, inputs: [3] } }), "metadata-field"],
    "a graph that breaks a rule": [(json) => ({ ...json, graph: { ...json.graph, nodes: [] } }), "graph"],
  };
  it.each(Object.entries(edits))("refuses %s by name, digest or not", (_, [edit, code]) => {
    try {
      readPacked(rewrite(bytes, edit as never));
    } catch (error) {
      expect((error as FormatError).code).toBe(code);
      return;
    }
    expect.fail("was read");
  });
});

describe("loadModel", () => {
  const bytes = writePacked(golden());
  const damaged = bytes.slice();
  damaged[damaged.length - 1]! ^= 1;

  it.each([
    ["the engine's digests", globalThis.crypto],
    ["its own, where a page came by plain http", { subtle: undefined }],
  ])("checks a file by %s", async (_, crypto) => {
    vi.stubGlobal("crypto", crypto);
    try {
      using model = await loadModel(bytes);
      expect(model.inputs.map(({ name }) => name)).toEqual(golden().graph.inputs);
      await expect(loadModel(damaged)).rejects.toThrow(DigestError);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
