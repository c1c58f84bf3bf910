/** Safetensors files without a network: read, quantized tensor by tensor, packed, and read again. */
import {
  createModel,
  GraphError,
  NotFiniteError,
  type RawTensor,
  ShapeError,
  toHalf,
  validateGraph,
  writeSafetensors,
} from "lowbit";
import { dequantize } from "lowbit/quantize";
import { describe, expect, test } from "vitest";
import { RandomData } from "../../core/src/testing/random-data.ts";
import {
  importModel,
  isPacked,
  ModelFileError,
  OptionError,
  quantizeTensors,
  readModel,
  writeModel,
} from "../src/index.ts";
import { importTensors } from "../src/tensor-file.ts";

const raw = (dtype: RawTensor["dtype"], shape: readonly number[], data: ArrayBufferView): RawTensor => ({
  dtype,
  shape,
  bytes: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
});

const file = (tensors: Readonly<Record<string, RawTensor>>) =>
  writeSafetensors(new Map(Object.entries(tensors)), new Map([["format", "pt"]]));

const random = new RandomData(7);
const weights = (count: number) => Float32Array.from({ length: count }, () => 2 * random.uniform() - 1);
const conv = weights(8 * 2 * 3 * 3);
const half = Uint16Array.from(weights(6 * 10), toHalf);

/** A convolution, a dense layer in half precision, their biases, and integers of two axes. */
const model = () =>
  file({
    "conv.weight": raw("F32", [8, 2, 3, 3], conv),
    "conv.bias": raw("F32", [8], weights(8)),
    "dense.weight": raw("F16", [6, 10], half),
    ids: raw("I64", [2, 3], BigInt64Array.of(1n, 2n, 3n, 4n, 5n, -(2n ** 62n))),
  });

describe("importTensors", () => {
  test("keeps names, shapes, types and elements; a file says by itself that it has no network", () => {
    expect(isPacked(model())).toBe(false);
    const graph = importModel(model(), { name: "net" });
    expect(graph).toMatchObject({ name: "net", inputs: [], outputs: [], nodes: [] });
    expect(graph.constants.get("conv.weight")).toEqual({
      kind: "plain",
      dtype: "f32",
      shape: [8, 2, 3, 3],
      data: conv,
    });
    expect(graph.constants.get("dense.weight")).toEqual({ kind: "plain", dtype: "f16", shape: [6, 10], data: half });
    expect(graph.constants.get("ids")).toMatchObject({ dtype: "int64", shape: [2, 3] });
    validateGraph(graph);
  });

  test("a packed file that lost its network is damaged, not plain", () => {
    const bytes = writeSafetensors(new Map([["w", raw("F32", [8], weights(8))]]), new Map([["lowbit_digest", "00"]]));
    expect(() => importModel(bytes)).toThrow(/__metadata__\.lowbit, expected a packed model/);
  });

  test("small types, at any address of the file", () => {
    const bytes = file({
      flags: raw("BOOL", [2], Uint8Array.of(0, 1)),
      signed: raw("I8", [1], Int8Array.of(-3)),
      codes: raw("U8", [1], Uint8Array.of(200)),
      counts: raw("I32", [1], Int32Array.of(-70_000)),
    });
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    for (const at of [bytes, shifted.subarray(1)]) {
      const { constants } = importTensors(at);
      expect([...constants].map(([name, c]) => (c.kind === "plain" ? [name, c.dtype, ...c.data] : name))).toEqual([
        ["counts", "int32", -70_000],
        ["codes", "uint8", 200],
        ["flags", "bool", 0, 1],
        ["signed", "int8", -3],
      ]);
    }
  });

  test("BF16 widens to the f32 with the same upper bits, subnormals and infinities included", () => {
    const patterns = Uint16Array.of(0x3f80, 0xbfc0, 0x0001, 0x8000, 0x7f80, 0xff7f, 0x4049);
    const constant = importTensors(file({ w: raw("BF16", [7], patterns) })).constants.get("w")!;
    if (constant.kind !== "plain" || !(constant.data instanceof Float32Array)) throw new Error("expected floats");
    const bits = new Uint32Array(constant.data.buffer, constant.data.byteOffset, 7);
    expect([...bits]).toEqual([...patterns].map((pattern) => pattern * 65536));
  });

  test.each([
    ["an element type without a place in a Graph", { w: raw("F64", [1], new Float64Array(1)) }, /"w".*BF16.*got F64/],
    ["a boolean of 2", { w: raw("BOOL", [1], Uint8Array.of(2)) }, /"w".*0 or 1/],
    ["no tensors", {}, /tensors, expected at least one, got 0/],
  ] as const)("refuses %s", (_, tensors, words) => {
    expect(() => importModel(file(tensors))).toThrow(ModelFileError);
    expect(() => importModel(file(tensors))).toThrow(words);
  });
});

describe("a collection of tensors", () => {
  test("is packed and read again, and cannot run", async () => {
    const graph = importTensors(model());
    const bytes = writeModel(graph);
    expect(isPacked(bytes)).toBe(true);
    expect(readModel(bytes).graph.constants).toEqual(graph.constants);
    await expect(createModel(graph)).rejects.toThrow(GraphError);
    await expect(createModel(graph)).rejects.toThrow(/outputs, expected at least one, got 0/);
  });

  test("needs constants, and neither inputs nor nodes", () => {
    const graph = importTensors(model());
    const x = new Map([["x", { dtype: "f32", shape: [1] } as const]]);
    for (const broken of [
      { ...graph, constants: new Map() },
      { ...graph, values: x, inputs: ["x"] },
    ])
      expect(() => validateGraph(broken)).toThrow(/outputs, expected at least one/);
  });
});

describe("quantizeTensors", () => {
  test("quantizes float tensors of two or more axes, and leaves the rest", async () => {
    const graph = importTensors(model());
    const steps: number[] = [];
    const result = await quantizeTensors(graph, { weights: "int8", onProgress: (_, done) => steps.push(done) });
    expect(steps).toEqual([1, 2]);
    expect(result.refused).toBeUndefined();
    expect(result.layers).toMatchObject([
      { name: "conv.weight", op: "tensor", scheme: "int8", weights: 144, measured: "weights" },
      { name: "dense.weight", op: "tensor", scheme: "int8", weights: 60, measured: "weights" },
    ]);
    for (const { sqnr } of result.layers) expect(sqnr).toBeGreaterThan(40);
    const { constants } = readModel(writeModel(result.graph)).graph;
    expect([...constants.keys()]).toEqual([...graph.constants.keys()]);
    for (const name of ["conv.bias", "ids"]) expect(constants.get(name)).toEqual(graph.constants.get(name));
    const coded = constants.get("conv.weight")!;
    if (coded.kind !== "quantized") throw new Error("expected codes");
    expect(coded.shape).toEqual([8, 2, 3, 3]);
    const { maxError } = result.layers[0]!;
    const off = (await dequantize(coded)).reduce((most, w, i) => Math.max(most, Math.abs(w - conv[i]!)), 0);
    expect(off).toBeCloseTo(maxError, 6);
  });

  test("rules go by the tensors' names, later ones win", async () => {
    const { layers, graph } = await quantizeTensors(importTensors(model()), {
      weights: "int8",
      layers: [
        ["*.weight", "binary"],
        ["dense*", "float"],
      ],
    });
    expect(layers.map(({ scheme }) => scheme)).toEqual(["binary", "float"]);
    expect(graph.constants.get("dense.weight")).toMatchObject({ kind: "plain", dtype: "f16" });
  });

  test("rows that do not divide stay as they are, and are an error where a rule names them", async () => {
    const graph = importTensors(model());
    const { layers, bitsPerWeight } = await quantizeTensors(graph, { weights: "pq:9x2" });
    // A row of the convolution has 18 weights, one of the dense layer 10, in half precision.
    expect(layers).toMatchObject([
      { scheme: "pq:9x2", bitsPerWeight: (8 * (8 + 72)) / 144 },
      { scheme: "float", bitsPerWeight: 16, sqnr: Number.POSITIVE_INFINITY },
    ]);
    expect(bitsPerWeight).toBeCloseTo((8 * (8 + 72 + 120)) / 204, 12);
    await expect(quantizeTensors(graph, { layers: [["dense*", "pq:9x2"]] })).rejects.toThrow(ShapeError);
  });

  test("only a floor that was given refuses, by the noisiest tensor", async () => {
    const graph = importTensors(model());
    expect((await quantizeTensors(graph, { weights: "binary" })).refused).toBeUndefined();
    const { refused, layers } = await quantizeTensors(graph, { weights: "binary", minSqnr: 20 });
    const noisiest = layers.reduce((a, b) => (b.sqnr < a.sqnr ? b : a));
    expect(refused).toMatchObject({ figure: "sqnr", floor: 20, layer: noisiest.name, value: noisiest.sqnr });
    expect((await quantizeTensors(graph, { weights: "int8", minSqnr: 20 })).refused).toBeUndefined();
  });

  test("what is quantized already stays, and gives the same bytes", async () => {
    const once = await quantizeTensors(importTensors(model()), { weights: "kmeans:4" });
    const packed = writeModel(once.graph);
    const twice = await quantizeTensors(importModel(packed), { weights: "int8" });
    expect(twice.layers.map(({ scheme }) => scheme)).toEqual(once.layers.map(({ scheme }) => scheme));
    expect(writeModel(twice.graph)).toEqual(packed);
    expect(once.layers.map(({ scheme }) => scheme)).toEqual(["kmeans:4", "kmeans:4"]);
  });

  test("refuses what it cannot do, by name", async () => {
    const graph = importTensors(model());
    await expect(quantizeTensors(graph, { layers: [["ids", "int8"]] })).rejects.toThrow(OptionError);
    await expect(quantizeTensors(graph, { layers: [["ids", "int8"]] })).rejects.toThrow(
      /tensors that match "ids", expected some of conv\.weight, dense\.weight/,
    );
    const broken = importTensors(file({ w: raw("F16", [1, 2], Uint16Array.of(0x3c00, 0x7e00)) }));
    await expect(quantizeTensors(broken, { weights: "int8" })).rejects.toThrow(NotFiniteError);
    await expect(quantizeTensors(broken, { weights: "int8" })).rejects.toThrow(/of w: .*1/);
    const stopped = AbortSignal.abort(new Error("enough"));
    await expect(quantizeTensors(graph, { weights: "int8", signal: stopped })).rejects.toThrow("enough");
  });
});
