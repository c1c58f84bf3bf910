/** Files that lie: every one is a named error in one line, before anything is allocated for it. */
import { LowbitError, UnsupportedError } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, ModelFileError, runPasses, UnsupportedOperatorsError } from "../src/index.ts";
import {
  AttributeProtoSchema,
  create,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  toBinary,
} from "../src/onnx/schema.ts";
import { readTensor } from "../src/onnx/tensor.ts";
import { AttributeType, DataType, floatTensor, OnnxBuilder, valueInfo } from "./support/onnx.ts";

function dense(): OnnxBuilder {
  const net = new OnnxBuilder(13);
  net.input("x", ["N", 3]);
  net.floats("w", [3, 2], [1, 2, 3, 4, 5, 6]);
  net.node("MatMul", "y", ["x", "w"]);
  return net;
}

/** Imports and runs the passes; what a caller sees of a file. */
const load = (bytes: Uint8Array) => runPasses(importModel(bytes));

function refusal(bytes: Uint8Array): LowbitError {
  try {
    load(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(LowbitError);
    expect((error as Error).message).not.toMatch(/\n/);
    return error as LowbitError;
  }
  throw new Error("the file was accepted");
}

describe("whole files", () => {
  const good = dense().build(["y"]);

  test("a good one imports", () => {
    const graph = load(good);
    expect(graph.nodes.map(({ op }) => op)).toEqual(["dense"]);
    expect(graph.values.get("y")).toEqual({ dtype: "f32", shape: ["N", 2] });
  });

  test("empty", () => expect(refusal(new Uint8Array(0)).message).toMatch(/empty file/));

  test("truncated at every byte", () => {
    for (let length = 1; length < good.length; length++)
      expect(refusal(good.slice(0, length))).toBeInstanceOf(ModelFileError);
  });

  test("followed by something else", () => {
    const longer = new Uint8Array(good.length + 100).fill(0xff);
    longer.set(good);
    expect(refusal(longer)).toBeInstanceOf(ModelFileError);
  });

  test("a text file", () => {
    expect(refusal(new TextEncoder().encode("<html>not found</html>"))).toBeInstanceOf(ModelFileError);
  });

  test("no graph, no outputs, no operator set, an old and a future one", () => {
    expect(refusal(toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n }))).message).toMatch(/graph/);
    expect(refusal(dense().build([])).message).toMatch(/output/);
    for (const opset of [6, 26, 1000]) {
      const net = new OnnxBuilder(opset);
      net.node("Add", "y", [net.input("x", [1]), "x"]);
      expect(refusal(net.build(["y"])).message).toMatch(/version 7 to 25/);
    }
  });

  test("an older operator set is read where its operators are those of set 7", () => {
    const file = (opset: number, op: string) => {
      const net = new OnnxBuilder(opset);
      net.node(op, "y", [net.input("x", [1])]);
      return net.build(["y"]);
    };
    expect(importModel(file(6, "Relu")).nodes).toHaveLength(1);
    expect(refusal(file(5, "Relu")).message).toMatch(/version 7 to 25, got 5, whose Relu is not that of 7/);
  });
});

describe("graphs", () => {
  test("a cycle names its nodes", () => {
    const net = new OnnxBuilder();
    net.input("x", [1]);
    net.node("Add", "a", ["x", "b"]);
    net.node("Relu", "b", ["a"]);
    expect(refusal(net.build(["b"])).message).toMatch(/cycle through a, b/);
  });

  test("a node that reads itself", () => {
    const net = new OnnxBuilder();
    net.node("Relu", "a", ["a"]);
    expect(refusal(net.build(["a"])).message).toMatch(/cycle/);
  });

  test("nodes in any order import", () => {
    const net = new OnnxBuilder();
    net.input("x", [4]);
    net.node("Relu", "b", ["a"]);
    net.node("Tanh", "a", ["x"]);
    expect(load(net.build(["b"])).nodes.map(({ op }) => op)).toEqual(["tanh", "clip"]);
  });

  test("a missing value, a value written twice, a missing output", () => {
    const missing = new OnnxBuilder();
    missing.node("Relu", "y", ["nothing"]);
    expect(refusal(missing.build(["y"])).message).toMatch(/"nothing"/);
    const twice = new OnnxBuilder();
    twice.input("x", [1]);
    twice.node("Relu", "y", ["x"]);
    twice.node("Tanh", "y", ["x"]);
    expect(refusal(twice.build(["y"])).message).toMatch(/"y" twice/);
    expect(refusal(dense().build(["z"])).message).toMatch(/"z"/);
  });

  test("initializers of the same name", () => {
    const net = dense();
    net.floats("w", [1], [1]);
    expect(refusal(net.build(["y"])).message).toMatch(/"w" twice/);
  });

  test("initializers that are listed as inputs (IR version 3) are no inputs", () => {
    const bytes = dense().build(["y"], (graph) => graph.input.push(valueInfo("w", [3, 2], DataType.FLOAT)));
    expect(load(bytes).inputs).toEqual(["x"]);
  });

  test("unsupported operators: all of them at once, with node names", () => {
    const net = new OnnxBuilder();
    net.input("x", [1]);
    net.node("GridSample", "first", ["x"]);
    net.node("GridSample", "second", ["first"]);
    net.node("Unique", "third", ["second"]);
    const error = refusal(net.build(["third"]));
    expect(error).toBeInstanceOf(UnsupportedOperatorsError);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as UnsupportedOperatorsError).operators).toEqual(
      new Map([
        ["GridSample", ["first", "second"]],
        ["Unique", ["third"]],
      ]),
    );
    expect(error.message).toMatch(/2 GridSample \(first, second\); 1 Unique \(third\)/);
  });

  test("an operator of another domain is not the one of the same name", () => {
    const bytes = dense().build(["y"], (graph) => {
      graph.node[0]!.domain = "com.example";
    });
    expect(refusal(bytes).message).toMatch(/com\.example\.MatMul/);
  });

  test("control characters in names do not reach the message", () => {
    const net = new OnnxBuilder();
    net.node("Evil\u001b[2J\n", "y", []);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(refusal(net.build(["y"])).message).not.toMatch(/[\u0000-\u001f]/);
  });

  test("sizes that contradict each other, ranks and types that do not fit", () => {
    const build = (op: string, a: readonly number[], b: readonly number[], attributes = {}) => {
      const net = new OnnxBuilder();
      net.input("x", [...a]);
      net.floats("w", b, new Float32Array(b.reduce((p, n) => p * n, 1)));
      net.node(op, "y", ["x", "w"], attributes);
      return net.build(["y"]);
    };
    refusal(build("MatMul", [2, 3], [4, 2]));
    refusal(build("Add", [2, 3], [4]));
    refusal(build("Conv", [1, 3, 8, 8], [4, 2, 3, 3]));
    refusal(build("Conv", [1, 3, 8], [4, 3, 3, 3]));
    refusal(build("Conv", [1, 3, 2, 2], [4, 3, 3, 3]));
    refusal(build("Conv", [1, 3, 8, 8], [4, 3, 3, 3], { strides: [0, 1] }));
    refusal(build("Conv", [1, 3, 8, 8], [4, 3, 3, 3], { pads: [-1, 0, 0, 0] }));
    refusal(build("Conv", [1, 3, 8, 8], [4, 3, 3, 3], { group: 0 }));
    refusal(build("Conv", [1, 3, 8, 8], [4, 3, 3, 3], { auto_pad: "SOMEHOW" }));
    refusal(build("Conv", [1, 3, 8, 8], [4, 3, 3, 3], { group: { float: 1 } }));
    refusal(build("Concat", [2, 3], [2, 3], { axis: 7 }));
  });
});

describe("tensors", () => {
  const tensor = (fields: object) => create(TensorProtoSchema, { name: "w", dataType: DataType.FLOAT, ...fields });

  test.each([
    ["fewer bytes than dims", { dims: [3n, 2n], rawData: new Uint8Array(20) }],
    ["more bytes than dims", { dims: [3n, 2n], rawData: new Uint8Array(28) }],
    ["dims without data", { dims: [1n << 40n] }],
    ["a product that wraps around 2^64", { dims: [1n << 32n, 1n << 32n], rawData: new Uint8Array(0) }],
    ["a product that wraps around 2^53 to its data", { dims: [(1n << 62n) + 1n, 4n], rawData: new Uint8Array(16) }],
    ["a negative dim", { dims: [-1n], rawData: new Uint8Array(4) }],
    ["two negative dims", { dims: [-2n, -3n], rawData: new Uint8Array(24) }],
    ["a rank of 100", { dims: new Array(100).fill(1n), rawData: new Uint8Array(4) }],
    ["the wrong number of typed elements", { dims: [3n], floatData: [1, 2] }],
    ["no type", { dataType: 0, dims: [1n], rawData: new Uint8Array(4) }],
    ["an unknown type", { dataType: 99, dims: [1n], rawData: new Uint8Array(4) }],
    ["strings", { dataType: DataType.STRING, dims: [1n], stringData: [new Uint8Array(1)] }],
    ["complex numbers", { dataType: DataType.COMPLEX64, dims: [1n], rawData: new Uint8Array(8) }],
    [
      "external data",
      {
        dims: [1n],
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [{ key: "location", value: "../../etc/passwd" }],
      },
    ],
  ])("%s", (_, fields) => {
    expect(() => readTensor(tensor(fields), "onnx: w")).toThrow(ModelFileError);
  });

  const read = (dataType: DataType, fields: object) => {
    const { dtype, data } = readTensor(tensor({ dataType, ...fields }), "onnx: w");
    return [dtype, Array.from(data as ArrayLike<number | bigint>, Number)];
  };
  const raw = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

  test.each([
    [DataType.FLOAT, Float32Array.of(1.5, -2), "f32", [1.5, -2]],
    [DataType.DOUBLE, Float64Array.of(1.5, -2), "f64", [1.5, -2]],
    [DataType.FLOAT16, Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff), "f32", [1, -2, 2 ** -24, 65504]],
    [DataType.BFLOAT16, Uint16Array.of(0x3f80, 0xc000), "f32", [1, -2]],
    [DataType.FLOAT8E4M3FN, Uint8Array.of(0x38, 0xc0, 0x7e, 0x01), "f32", [1, -2, 448, 2 ** -9]],
    [DataType.FLOAT8E4M3FNUZ, Uint8Array.of(0x40, 0xc8, 0x7f), "f32", [1, -2, 240]],
    [DataType.FLOAT8E5M2, Uint8Array.of(0x3c, 0xc0, 0x7b), "f32", [1, -2, 57344]],
    [DataType.FLOAT8E5M2FNUZ, Uint8Array.of(0x40, 0xc4, 0x7f), "f32", [1, -2, 57344]],
    [DataType.INT8, Int8Array.of(-128, 127), "int8", [-128, 127]],
    [DataType.UINT8, Uint8Array.of(0, 255), "uint8", [0, 255]],
    [DataType.INT16, Int16Array.of(-32768, 32767), "int16", [-32768, 32767]],
    [DataType.UINT16, Uint16Array.of(0, 65535), "uint16", [0, 65535]],
    [DataType.INT32, Int32Array.of(-(2 ** 31), 5), "int32", [-(2 ** 31), 5]],
    [DataType.INT64, BigInt64Array.of(-5n, 1n << 40n), "int64", [-5, 2 ** 40]],
    [DataType.UINT32, Uint32Array.of(2 ** 32 - 1), "uint32", [2 ** 32 - 1]],
    [DataType.UINT64, BigUint64Array.of(7n, 2n ** 64n - 1n), "uint64", [7, 2 ** 64]],
    [DataType.BOOL, Uint8Array.of(0, 1, 2), "bool", [0, 1, 1]],
  ])("raw data of type %i", (type, array, dtype, values) => {
    expect(read(type, { dims: [BigInt(array.length)], rawData: raw(array) })).toEqual([dtype, values]);
  });

  test("four-bit elements: two a byte, the first low, sign extended", () => {
    expect(read(DataType.INT4, { dims: [3n], rawData: Uint8Array.of(0x7f, 0x08) })).toEqual(["int8", [-1, 7, -8]]);
    expect(read(DataType.UINT4, { dims: [3n], rawData: Uint8Array.of(0x7f, 0x08) })).toEqual(["uint8", [15, 7, 8]]);
    expect(read(DataType.FLOAT4E2M1, { dims: [4n], rawData: Uint8Array.of(0x21, 0xf7) })).toEqual([
      "f32",
      [0.5, 1, 6, -6],
    ]);
  });

  test("NaN and infinity of the narrow floats", () => {
    const bits = (type: DataType, ...patterns: number[]) =>
      read(type, { dims: [BigInt(patterns.length)], rawData: Uint8Array.from(patterns) })[1];
    expect(bits(DataType.FLOAT8E4M3FN, 0x7f, 0xff)).toEqual([Number.NaN, Number.NaN]);
    expect(bits(DataType.FLOAT8E5M2, 0x7c, 0xfc, 0x7d)).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ]);
    expect(bits(DataType.FLOAT8E4M3FNUZ, 0x80)).toEqual([Number.NaN]);
  });

  test.each([
    [DataType.FLOAT, { floatData: [1.5] }, "f32", [1.5]],
    [DataType.DOUBLE, { doubleData: [1.5] }, "f64", [1.5]],
    [DataType.FLOAT16, { int32Data: [0x3c00] }, "f32", [1]],
    [DataType.INT8, { int32Data: [-3] }, "int8", [-3]],
    [DataType.INT32, { int32Data: [-3] }, "int32", [-3]],
    [DataType.BOOL, { int32Data: [1] }, "bool", [1]],
    [DataType.INT64, { int64Data: [-3n] }, "int64", [-3]],
    [DataType.UINT64, { uint64Data: [3n] }, "uint64", [3]],
  ])("typed data of type %i", (type, fields, dtype, values) => {
    expect(read(type, { dims: [1n], ...fields })).toEqual([dtype, values]);
  });

  test("an empty tensor and a scalar", () => {
    expect(read(DataType.INT64, { dims: [0n] })).toEqual(["int64", []]);
    expect(read(DataType.FLOAT, { dims: [], floatData: [2] })).toEqual(["f32", [2]]);
  });

  test("in attributes too", () => {
    const net = new OnnxBuilder();
    const broken = floatTensor("v", [1000], [1]);
    net.node("Constant", "c", [], { value: { tensor: broken } });
    net.node("Relu", "y", ["c"]);
    expect(refusal(net.build(["y"]))).toBeInstanceOf(ModelFileError);
  });

  test("an attribute of the wrong type names node and attribute", () => {
    const bytes = dense().build(["y"], (graph) => {
      graph.node[0]!.opType = "Softmax";
      graph.node[0]!.input.pop();
      graph.node[0]!.attribute.push(create(AttributeProtoSchema, { name: "axis", type: AttributeType.FLOAT, f: 1 }));
    });
    expect(refusal(bytes).message).toMatch(/Softmax "y": attribute axis, expected INT, got FLOAT/);
  });
});

describe("inputs", () => {
  const withInput = (edit: (graph: Parameters<NonNullable<Parameters<OnnxBuilder["build"]>[1]>>[0]) => void) =>
    dense().build(["y"], edit);

  test("a negative or huge dim, no shape, no type", () => {
    const dim = (value: bigint) =>
      withInput((graph) => {
        graph.input[0] = valueInfo("x", [1, 3], DataType.FLOAT);
        const type = graph.input[0]!.type!.value as { value: { shape: { dim: { value: unknown }[] } } };
        type.value.shape.dim[0]!.value = { case: "dimValue", value };
      });
    for (const value of [-1n, 1n << 40n]) expect(refusal(dim(value)).message).toMatch(/dim 0/);
    refusal(
      withInput((graph) => {
        (graph.input[0]!.type!.value.value as { shape?: unknown }).shape = undefined;
      }),
    );
    refusal(
      withInput((graph) => {
        graph.input[0]!.type = undefined;
      }),
    );
    refusal(
      withInput((graph) => {
        graph.input[0] = valueInfo("x", ["N", 3], DataType.STRING);
      }),
    );
  });

  test("a dim without a value gets a name of its own", () => {
    const bytes = withInput((graph) => {
      const type = graph.input[0]!.type!.value as { value: { shape: { dim: { value: unknown }[] } } };
      type.value.shape.dim[0]!.value = { case: undefined };
    });
    expect(load(bytes).values.get("x")!.shape).toEqual(["x_0", 3]);
  });
});
