/** What leaves as codes comes back bit for bit, and onnxruntime computes the same from it: ONNX of every form, GGUF blocks. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { type Constant, createModel, decodeWeights, type Graph, type QuantizedConstant, Tensor } from "lowbit";
import { dequantize } from "lowbit/quantize";
import * as ort from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import { GraphBuilder, square } from "../../core/src/testing/builder.ts";
import { RandomData } from "../../core/src/testing/random-data.ts";
import { runReference } from "../../core/src/testing/reference.ts";
import { exportGguf, exportOnnx, importModel, type OnnxExportOptions, openTensorFile } from "../src/index.ts";
import { fromBinary, ModelProtoSchema, TensorProto_DataType } from "../src/onnx/schema.ts";
import "lowbit/ops";

const floatsOf = (constant: Constant): Float32Array =>
  constant.kind === "quantized" ? decodeWeights(constant) : (constant.data as Float32Array);

/** The weights of the graph's only layer. */
function weightsOf(graph: Graph): Constant {
  const layer = graph.nodes.find(({ op }) => op === "dense" || op === "conv2d");
  return graph.constants.get(layer!.inputs[1]!)!;
}

const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);

async function runElsewhere(file: Uint8Array, feed: Readonly<Record<string, Tensor>>) {
  const session = await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  const inputs = Object.entries(feed).map(([name, { dtype, shape, data }]) => {
    const type = dtype === "f32" ? "float32" : dtype;
    return [name, new ort.Tensor(type as "float32", data as Float32Array, [...shape])] as const;
  });
  return session.run(Object.fromEntries(inputs));
}

function difference(wanted: Tensor, got: ArrayLike<number>): number {
  const a = Array.from(wanted.data as Float32Array);
  expect(got.length).toBe(a.length);
  const scale = Math.max(1, ...a.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - got[i]!))) / scale;
}

const typesOf = (file: Uint8Array): string[] =>
  fromBinary(ModelProtoSchema, file).graph!.initializer.map(({ dataType }) => TensorProto_DataType[dataType]!);

/** A dense layer of these weights. */
function dense(seed: number, weight: QuantizedConstant): { graph: Graph; feed: Record<string, Tensor> } {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const [n, k] = weight.shape as readonly [number, number];
  const x = builder.input("x", "f32", ["N", k]);
  const bias = builder.plain("f32", [n], random.floats(n));
  const y = builder.node("dense", [x, builder.quantized(weight), bias], {}, "f32");
  return { graph: builder.build(y), feed: { x: new Tensor("f32", [3, k], random.floats(3 * k)) } };
}

function image(seed: number, weight: QuantizedConstant): { graph: Graph; feed: Record<string, Tensor> } {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const [, kernel = 1, , channels = 1] = weight.shape;
  const x = builder.input("x", "f32", ["N", 6, 6, channels]);
  const window = { ...square(kernel, { pad: 1 }), groups: 1, padding: "zero" } as const;
  const y = builder.node("conv2d", [x, builder.quantized(weight)], window, "f32");
  return { graph: builder.build(y), feed: { x: new Tensor("f32", [1, 6, 6, channels], random.floats(36 * channels)) } };
}

interface Form {
  readonly kind: "sign" | "affine" | "table" | "product" | "offset" | "bases";
  readonly bits: number;
  readonly scales: "tensor" | "channel" | number;
  readonly zeroPoint?: number | "scales";
}

const forms: fc.Arbitrary<Form> = fc.oneof(
  fc.record({
    kind: fc.constant("sign" as const),
    bits: fc.constant(1),
    scales: fc.constantFrom("tensor" as const, "channel" as const),
  }),
  fc.record({
    kind: fc.constant("affine" as const),
    bits: fc.integer({ min: 2, max: 8 }),
    scales: fc.constantFrom("tensor" as const, "channel" as const, 16, 32),
    zeroPoint: fc.constantFrom(undefined, 0, 1, "scales" as const),
  }) as fc.Arbitrary<Form>,
  fc.record({
    kind: fc.constantFrom("table" as const, "offset" as const, "bases" as const),
    bits: fc.constant(3),
    scales: fc.constantFrom("channel" as const, 16),
  }),
);

describe("exportOnnx of codes", () => {
  test("comes back bit for bit, whatever the decoding, scales and zero points", () => {
    fc.assert(
      fc.property(fc.integer(), forms, fc.boolean(), fc.boolean(), (seed, form, isImage, contrib) => {
        const random = new RandomData(seed);
        const shape = isImage ? [5, 3, 3, 7] : [random.between(1, 9), random.pick([16, 48, 70])];
        const weight = random.weight({ shape, ...form });
        const { graph } = (isImage ? image : dense)(seed, weight);
        const back = weightsOf(importModel(exportOnnx(graph, { contrib })));
        expect(back.shape).toEqual(shape);
        expect(bits(floatsOf(back))).toEqual(bits(decodeWeights(weight)));
      }),
      { numRuns: 200, seed: 20261127 },
    );
  });

  const cases: readonly (readonly [string, Form, readonly string[]])[] = [
    ["signs", { kind: "sign", bits: 1, scales: "channel" }, ["INT4", "FLOAT"]],
    ["ternary", { kind: "affine", bits: 2, scales: "tensor", zeroPoint: 1 }, ["INT4", "FLOAT"]],
    ["int8 by row", { kind: "affine", bits: 8, scales: "channel" }, ["INT8", "FLOAT"]],
    [
      "uint8 with zero points",
      { kind: "affine", bits: 8, scales: "channel", zeroPoint: "scales" },
      ["UINT8", "FLOAT", "UINT8"],
    ],
    ["int4 in groups", { kind: "affine", bits: 4, scales: 32 }, ["INT4", "FLOAT"]],
    ["uint4 in groups", { kind: "affine", bits: 4, scales: 16, zeroPoint: "scales" }, ["UINT4", "FLOAT", "UINT4"]],
    ["int8 in groups", { kind: "affine", bits: 8, scales: 32 }, ["INT8", "FLOAT"]],
    ["a codebook", { kind: "table", bits: 4, scales: "channel" }, ["FLOAT"]],
  ];

  describe.each(cases)("of %s", (_name, form, types) => {
    test.each(["dense", "conv2d"] as const)("onnxruntime computes the same: %s", async (op) => {
      const random = new RandomData(5);
      const weight = random.weight({ shape: op === "dense" ? [6, 64] : [6, 3, 3, 32], ...form });
      const { graph, feed } = (op === "dense" ? dense : image)(7, weight);
      const file = exportOnnx(graph);
      expect(typesOf(file)).toEqual(expect.arrayContaining([...types]));
      const wanted = runReference(graph, feed)[graph.outputs[0]!]!;
      const got = await runElsewhere(file, feed);
      expect(difference(wanted, got[graph.outputs[0]!]!.data as Float32Array)).toBeLessThan(1e-5);
    });
  });

  test.each([
    [4, 32, undefined],
    [4, 16, "scales"],
    [8, 32, undefined],
  ] as const)("MatMulNBits of %i bits in groups of %i, zero point %s", async (width, group, zeroPoint) => {
    const own = zeroPoint && { zeroPoint };
    const weight = new RandomData(3).weight({ shape: [5, 70], kind: "affine", bits: width, scales: group, ...own });
    const { graph, feed } = dense(2, weight);
    const file = exportOnnx(graph, { contrib: true });
    expect(fromBinary(ModelProtoSchema, file).graph!.node.map(({ opType }) => opType)).toContain("MatMulNBits");
    const back = weightsOf(importModel(file));
    expect(back).toMatchObject({ kind: "quantized", codes: weight.codes, bits: width });
    const got = await runElsewhere(file, feed);
    expect(
      difference(runReference(graph, feed)[graph.outputs[0]!]!, got[graph.outputs[0]!]!.data as Float32Array),
    ).toBeLessThan(1e-5);
  });

  test("rows that are quantized when they come", async () => {
    const weight = new RandomData(4).weight({ shape: [6, 40], kind: "affine", bits: 8 });
    const random = new RandomData(9);
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", ["N", 40]);
    const y = builder.node("dense", [x, builder.quantized(weight)], { activations: "int8" }, "f32");
    const rows = random.floats(120).map((value, i) => (i < 40 ? 0 : value));
    const graph = builder.build(y);
    const feed = { x: new Tensor("f32", [3, 40], rows) };
    const got = await runElsewhere(exportOnnx(graph), feed);
    expect(difference(runReference(graph, feed)[y]!, got[y]!.data as Float32Array)).toBeLessThan(1e-6);
  });

  test("weights as floats are of operator set 13", () => {
    const weight = new RandomData(4).weight({ shape: [6, 32], kind: "affine", bits: 4, scales: 16 });
    const options: OnnxExportOptions = { weights: "floats" };
    const model = fromBinary(ModelProtoSchema, exportOnnx(dense(1, weight).graph, options));
    expect(model.opsetImport[0]!.version).toBe(13n);
    expect(new Set(model.graph!.initializer.map(({ dataType }) => dataType))).toEqual(
      new Set([TensorProto_DataType.FLOAT]),
    );
  });

  test("operators without a form are named all at once", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "f32", [1, 4, 4, 3]);
    const [a] = builder.ops("localResponse", [x], { size: 3, alpha: 1, beta: 0.5, bias: 1 } as never);
    expect(() => exportOnnx(builder.build(a!))).toThrow(/exportOnnx.*localResponse "localResponse0"/);
  });
});

/** Every operator of transformers once. */
function transformer(
  seed: number,
  { causal = false, masked = true } = {},
): { graph: Graph; feed: Record<string, Tensor> } {
  const random = new RandomData(seed);
  const builder = new GraphBuilder();
  const [batch, length, width, heads] = [2, 5, 16, 4];
  const ids = builder.input("ids", "int32", ["B", "S"]);
  const mask = builder.input("mask", "int32", ["B", "S"]);
  const vector = (scale = 1) =>
    builder.plain(
      "f32",
      [width],
      random.floats(width).map((v) => scale + v),
    );
  const table = random.weight({ shape: [11, width], kind: "affine", bits: 8 });
  let [x] = builder.ops("embedding", [ids, builder.quantized(table)], {}) as [string];
  const positions = builder.plain("f32", [9, width], random.floats(9 * width));
  [x] = builder.ops("addPositions", [x, positions], { offset: 2 }) as [string];
  const [normal] = builder.ops("layerNorm", [x, vector(), vector(0)], { epsilon: 1e-5 }) as [string];
  const project = (value: string, n: number) => {
    const weight = random.weight({ shape: [n, builder.channels(value)], kind: "affine", bits: 4, scales: 16 });
    return builder.node("dense", [value, builder.quantized(weight)], {}, "f32");
  };
  const [q] = builder.ops("rotary", [project(normal, width)], { heads, theta: 100 }) as [string];
  const [k] = builder.ops("rotary", [project(normal, width / 2)], { heads: heads / 2, theta: 100 }) as [string];
  const inputs = [q, k, project(normal, width / 2), ...(masked ? [mask] : [])];
  const [mixed] = builder.ops("attention", inputs, { heads, kvHeads: heads / 2, scale: 0.5, causal }) as [string];
  x = builder.node("add", [x, mixed], {}, "f32");
  const [rms] = builder.ops("rmsNorm", [x, vector()], { epsilon: 1e-5 }) as [string];
  const [gelu] = builder.ops("gelu", [project(rms, 24)], { approximate: seed % 2 ? "tanh" : "none" }) as [string];
  const [silu] = builder.ops("silu", [project(rms, 24)], {}) as [string];
  x = builder.node("add", [x, project(builder.node("mul", [gelu, silu], {}, "f32"), width)], {}, "f32");
  const list = (values: readonly number[]) =>
    builder.plain("int64", [values.length], BigInt64Array.from(values, BigInt));
  const [half] = builder.ops("slice", [x, list([1]), list([12]), list([2]), list([1])], {}) as [string];
  const [pooled] = builder.ops("maskedMean", [half, mask], {}) as [string];
  const seen = Int32Array.from({ length: batch * length }, (_, i) => (i < length ? Number(i < 3) : 1));
  return {
    graph: builder.build(pooled),
    feed: {
      ids: new Tensor("int32", [batch, length], random.integers(batch * length, 0, 10)),
      mask: new Tensor("int32", [batch, length], seen),
    },
  };
}

describe("exportOnnx of transformers", () => {
  test.each([
    ["masked", 0, {}],
    ["causal", 1, { causal: true, masked: false }],
    ["causal and masked", 2, { causal: true }],
  ] as const)("%s: onnxruntime computes the same", async (_name, seed, options) => {
    const { graph, feed } = transformer(seed, options);
    const wanted = runReference(graph, feed)[graph.outputs[0]!]!;
    using model = await createModel(graph);
    const own = await model.run(feed);
    expect(difference(wanted, own[graph.outputs[0]!]!.data as Float32Array)).toBeLessThan(1e-4);
    const got = await runElsewhere(exportOnnx(graph), feed);
    expect(difference(wanted, got[graph.outputs[0]!]!.data as Float32Array)).toBeLessThan(1e-4);
  });
});

const constantsOnly = (constants: readonly (readonly [string, Constant])[]): Graph => ({
  ...{ name: "tensors", inputs: [], outputs: [], nodes: [], values: new Map() },
  constants: new Map(constants),
});

describe("exportGguf", () => {
  const golden = new URL("./golden/types.gguf", import.meta.url);

  test("writes every type that was read, floats bit for bit and blocks to the byte", async () => {
    const file = await openTensorFile(readFileSync(golden));
    const names = [...file.tensors.keys()];
    const constants = await Promise.all(names.map(async (name) => [name, await file.read(name)] as const));
    const { bytes, types } = await exportGguf(constantsOnly(constants));
    const back = await openTensorFile(bytes);
    let blocks = 0;
    for (const [name, constant] of constants) {
      const { type, kind, shape } = file.tensors.get(name)!;
      expect(back.tensors.get(name)!.shape).toEqual(shape);
      if (kind === "codes") {
        blocks++;
        expect([name, types.get(name)]).toEqual([name, type]);
        const again = await back.read(name);
        const [wanted, got] = [constant, again] as [QuantizedConstant, QuantizedConstant];
        // A scale that is 0 times a negative number comes back as 0 times a positive one: -0 is 0 here.
        const [a, b] = [await dequantize(wanted), await dequantize(got)].map((floats) => floats.map((v) => v + 0));
        expect(bits(b!), name).toEqual(bits(a!));
        // Types of two scales for each weight have several spellings of the same floats, and Q8_K has sums that nobody reads.
        if (!/_K|XS|MXFP4/.test(type)) expect(await back.readBytes(name), name).toEqual(await file.readBytes(name));
      } else if (constant.kind === "plain") {
        const again = await back.read(name);
        expect(again).toEqual(constant);
      }
    }
    expect(blocks).toBeGreaterThan(10);
  });

  test("keeps the floats of any codes, in blocks where those hold them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), forms, async (seed, form) => {
        const weight = new RandomData(seed).weight({ shape: [3, 64], ...form });
        const { bytes } = await exportGguf(constantsOnly([["w", weight]]));
        const back = await (await openTensorFile(bytes)).read("w");
        const floats = back.kind === "plain" ? (back.data as Float32Array) : await dequantize(back);
        expect(bits(floats)).toEqual(bits(decodeWeights(weight)));
      }),
      { numRuns: 60, seed: 20261127 },
    );
  });

  const half = (weight: QuantizedConstant): QuantizedConstant => ({ ...weight, scale: weight.scale!.map(() => 0.125) });

  test.each([
    ["int4 in groups of 32", { bits: 4, scales: 32 }, "Q4_0"],
    ["int4 by row", { bits: 4, scales: "channel" }, "Q4_0"],
    ["int8 by row", { bits: 8, scales: "channel" }, "Q8_0"],
    ["int8 of one scale", { bits: 8, scales: "tensor" }, "Q8_0"],
    ["ternary", { bits: 2, scales: "tensor", zeroPoint: 1, levels: 3 }, "TQ1_0"],
    ["two bits", { bits: 2, scales: 256, zeroPoint: 1 }, "TQ2_0"],
    ["groups of 16", { bits: 4, scales: 16 }, "F32"],
  ] as const)("%s with scales of f16 becomes %3$s", async (_name, form, type) => {
    const weight = half(new RandomData(1).weight({ shape: [3, 512], kind: "affine", ...form }));
    const { bytes, types } = await exportGguf(constantsOnly([["w", weight]]));
    expect(types.get("w")).toBe(type);
    const back = await (await openTensorFile(bytes)).read("w");
    const floats = back.kind === "plain" ? (back.data as Float32Array) : await dequantize(back);
    expect(bits(floats)).toEqual(bits(decodeWeights(weight)));
  });

  test("names what GGUF has no type for, and names that are too long", async () => {
    const bool = { kind: "plain", dtype: "bool", shape: [2], data: new Uint8Array(2) } as const;
    await expect(
      exportGguf(
        constantsOnly([
          ["a", bool],
          ["b", bool],
        ]),
      ),
    ).rejects.toThrow(/"a" \(bool \[2\]\); "b" \(bool/);
    const one = { kind: "plain", dtype: "f32", shape: [1], data: new Float32Array(1) } as const;
    await expect(exportGguf(constantsOnly([["n".repeat(64), one]]))).rejects.toThrow(/at most 63, got 64/);
  });
});
