/** Files that models name: external data of ONNX and shards of safetensors, inside the model's folder and nowhere else. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { type RawTensor, writeSafetensors } from "lowbit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { importFrom, openSource, openTensorFile } from "../src/index.ts";
import { ModelProtoSchema, TensorProto_DataLocation, TensorProto_DataType } from "../src/onnx/schema.ts";

const folder = mkdtempSync(join(tmpdir(), "lowbit-external-"));
const at = (name: string) => join(folder, name);
const weight = Float32Array.from({ length: 6 }, (_, i) => i - 2.5);
const data = new Uint8Array([...new Uint8Array(16), ...new Uint8Array(weight.buffer)]);

/** y = x W with W [2, 3] in another file. */
function model(entries: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const value = (name: string, sizes: readonly number[]) => ({
    name,
    type: {
      value: {
        case: "tensorType" as const,
        value: {
          elemType: TensorProto_DataType.FLOAT,
          shape: { dim: sizes.map((size) => ({ value: { case: "dimValue" as const, value: BigInt(size) } })) },
        },
      },
    },
  });
  const message = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: 17n }],
    graph: {
      name: "external",
      node: [{ opType: "MatMul", name: "product", input: ["x", "w"], output: ["y"] }],
      initializer: [
        {
          name: "w",
          dataType: TensorProto_DataType.FLOAT,
          dims: [2n, 3n],
          dataLocation: TensorProto_DataLocation.EXTERNAL,
          externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
        },
      ],
      input: [value("x", [1, 2])],
      output: [value("y", [1, 3])],
    },
  });
  return new Uint8Array(toBinary(ModelProtoSchema, message));
}

function written(name: string, bytes: Uint8Array): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

mkdirSync(at("in/weights"), { recursive: true });
written("in/weights/w.bin", data);
written("outside.bin", data);
symlinkSync(at("outside.bin"), at("in/link.bin"));
const range = { offset: "16", length: "24" };
const inside = written("in/model.onnx", model({ location: "weights/w.bin", ...range }));

const weights = (graph: Awaited<ReturnType<typeof importFrom>>) =>
  [...graph.constants.values()].find(({ shape }) => shape.length === 2);

describe("external data of ONNX", () => {
  test("are read by range from the model's folder", async () => {
    expect(weights(await importFrom(inside))).toMatchObject({ dtype: "f32", shape: [3, 2] });
  });

  test("are given by name with bytes that have no folder", async () => {
    const bytes = model({ location: "w.bin", ...range });
    const graph = await importFrom(bytes, { files: { "w.bin": new Blob([data]) } });
    expect(weights(graph)).toEqual(weights(await importFrom(inside)));
    await expect(importFrom(bytes)).rejects.toThrow('expected "w.bin", which it needs, got none');
  });

  test.each([
    ["..", "../outside.bin"],
    ["an absolute path", at("outside.bin")],
    ["a drive", "c:\\outside.bin"],
    ["a URL", "file:///etc/passwd"],
    ["no name", "x\0y"],
  ])("%s is refused by name", async (_, location) => {
    const path = written("in/evil.onnx", model({ location, ...range }));
    await expect(importFrom(path)).rejects.toThrow("expected one inside its own folder");
  });

  test("a link that leaves the folder is refused by name", async () => {
    const path = written("in/link.onnx", model({ location: "link.bin", ...range }));
    await expect(importFrom(path)).rejects.toThrow(
      /file "link\.bin", which it needs, expected one inside its own folder/,
    );
  });

  test("a link to a model may have links to the same place, as a store of files has them", async () => {
    mkdirSync(at("snapshot"), { recursive: true });
    symlinkSync(inside, at("snapshot/model.onnx"));
    mkdirSync(at("snapshot/weights"), { recursive: true });
    symlinkSync(at("in/weights/w.bin"), at("snapshot/weights/w.bin"));
    expect(weights(await importFrom(at("snapshot/model.onnx")))).toMatchObject({ shape: [3, 2] });
  });

  test.each([
    ["missing", { location: "none.bin", ...range }, 'file "none.bin", which it needs'],
    ["unnamed", range, "location of its external data, expected a file's name, got none"],
    [
      "beyond the file",
      { location: "weights/w.bin", offset: "32", length: "24" },
      "expected at most 40 bytes, got 24 from 32 on",
    ],
    ["of another length", { location: "weights/w.bin", offset: "16", length: "20" }, "expected 24 bytes, got 20 bytes"],
    [
      "at no number",
      { location: "weights/w.bin", offset: "-1" },
      "offset of its external data, expected a number of bytes, got -1",
    ],
  ])("data that are %s", async (_, entries, message) => {
    await expect(importFrom(written("in/bad.onnx", model(entries)))).rejects.toThrow(message);
  });
});

describe("shards of safetensors", () => {
  const raw = (values: readonly number[]): RawTensor => {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    return { dtype: "F32", shape: [1, values.length], bytes };
  };
  written("in/a.safetensors", writeSafetensors(new Map([["a", raw([1, 2])]])));
  written("in/b.safetensors", writeSafetensors(new Map([["b", raw([3, 4, 5])]])));
  const index = (map: unknown) =>
    new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 20 }, weight_map: map }));

  test("are one file", async () => {
    const file = await openTensorFile(written("in/index.json", index({ b: "b.safetensors", a: "a.safetensors" })));
    expect([...file.tensors.keys()]).toEqual(["b", "a"]);
    expect(await file.read("a")).toMatchObject({ shape: [1, 2], data: Float32Array.of(1, 2) });
    expect(await file.read("b")).toMatchObject({ shape: [1, 3], data: Float32Array.of(3, 4, 5) });
    await expect(file.read("c")).rejects.toThrow('tensor, expected one of the file, got "c"');
    await file.close();
  });

  test.each([
    ["in another folder", { a: "../outside.bin" }, "one inside its own folder"],
    ["missing", { a: "c.safetensors" }, 'file "c.safetensors", which it needs'],
    ["without the tensor", { b: "a.safetensors" }, 'in "a.safetensors", as the index says, got not there'],
    ["of no name", { a: 5 }, "expected a name, got number"],
    ["of no map", [], "a weight_map of tensors and files"],
  ])("%s", async (_, map, message) => {
    await expect(openTensorFile(written("in/bad.json", index(map)))).rejects.toThrow(message);
  });
});

describe("a file behind HTTP", () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
  const asked: (string | undefined)[] = [];
  let server: Server;
  let ranges = true;
  beforeAll(async () => {
    server = createServer(({ headers }, response) => {
      const range = ranges ? /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") : null;
      asked.push(headers.range);
      const [from, to] = range ? [Number(range[1]), Math.min(Number(range[2]) + 1, bytes.length)] : [0, bytes.length];
      response.writeHead(
        range ? 206 : 200,
        range ? { "content-range": `bytes ${from}-${to - 1}/${bytes.length}` } : {},
      );
      response.end(bytes.subarray(from, to));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => void server.close());
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;

  test("is read by ranges, the first of them once", async () => {
    const source = await openSource(url());
    expect(source.size).toBe(bytes.length);
    expect(await source.read(10, 100)).toEqual(bytes.subarray(10, 110));
    expect(await source.read(150_000, 50_000)).toEqual(bytes.subarray(150_000));
    expect(asked).toEqual(["bytes=0-65535", "bytes=150000-199999"]);
    await expect(source.read(199_999, 2)).rejects.toThrow("bytes to read (at most)");
  });

  test("is read whole where the server has no ranges", async () => {
    ranges = false;
    const source = await openSource(url());
    expect(await source.read(150_000, 50_000)).toEqual(bytes.subarray(150_000));
    expect(asked).toHaveLength(3);
  });
});
