/** What the TFLite reader refuses, and how it says so. */
import { createModel, GraphError, Tensor, UnsupportedError } from "lowbit";
import { describe, expect, test } from "vitest";
import { importModel, ModelFileError, UnsupportedOperatorsError } from "../src/index.ts";
import { readTflite } from "../src/tflite/reader.ts";
import { int8, int32, TfliteBuilder } from "./support/tflite.ts";

/** relu(x), whose bytes a test may change. */
function relu(): Uint8Array {
  const b = new TfliteBuilder();
  const x = b.tensor({ name: "x", shape: [1, 4] });
  return b.build([x], [b.operator("RELU", [x], { name: "y", shape: [1, 4] })]);
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

describe("TFLite files that lie", () => {
  test("no TFLite at all, truncated, and empty", () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(7), Uint8Array.from({ length: 64 }, (_, i) => i)])
      expect(() => importModel(bytes, { format: "tflite" })).toThrow(/identifier TFL3/);
    const whole = relu();
    for (let length = 8; length < whole.length; length++) {
      try {
        importModel(whole.slice(0, length));
      } catch (error) {
        expect(error, `${length} of ${whole.length} bytes`).toBeInstanceOf(ModelFileError);
      }
    }
  });

  test("an offset past the end, and a vtable outside the file", () => {
    const past = relu();
    view(past).setUint32(0, 0x7fff_fff0, true);
    expect(() => importModel(past)).toThrow(/root, expected a place in the file/);
    const wild = relu();
    const root = view(wild).getUint32(0, true);
    view(wild).setInt32(root, -0x4000_0000, true);
    expect(() => importModel(wild)).toThrow(/root: vtable, expected a place in the file/);
  });

  test("a vtable that gives a field more than its table", () => {
    const bytes = relu();
    const root = view(bytes).getUint32(0, true);
    const vtable = root - view(bytes).getInt32(root, true);
    view(bytes).setUint16(vtable + 4, 0xfff0, true);
    expect(() => importModel(bytes)).toThrow(/root.version, expected a field within its table/);
  });

  test("a vector whose elements all are the same huge table", () => {
    // 2^15 offsets to one table of 2^15 bytes: 1 GB to decode, were it believed.
    const count = 2 ** 15;
    const bytes = new Uint8Array(count * 4 + 2 ** 16 + 256);
    const data = view(bytes);
    data.setUint32(0, 24, true);
    bytes.set(new TextEncoder().encode("TFL3"), 4);
    // vtable of the root: slot 1 is operator_codes
    data.setUint16(8, 8, true);
    data.setUint16(10, 8, true);
    data.setUint16(14, 4, true);
    data.setInt32(24, 16, true);
    data.setUint32(28, 4, true);
    data.setUint32(32, count, true);
    const table = 36 + 4 * count + 8;
    data.setUint16(table - 8, 4, true);
    data.setUint16(table - 6, 0xffff, true);
    data.setInt32(table, 8, true);
    for (let i = 0; i < count; i++) data.setUint32(36 + 4 * i, table - (36 + 4 * i), true);
    const start = performance.now();
    expect(() => importModel(bytes)).toThrow(/expected tables and vectors that do not overlap/);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("indices, orders and cycles", () => {
    const b = new TfliteBuilder();
    const x = b.tensor({ name: "x", shape: [4] });
    // The operator's output is its own input.
    const loop = b.tensor({ name: "loop", shape: [4] });
    b.operator("RELU", [loop], { shape: [4] });
    expect(() => importModel(b.build([x], [2]))).toThrow(
      /RELU "relu_0": input, expected a value written before it is read, got "loop"/,
    );
    const c = new TfliteBuilder();
    const y = c.operator("RELU", [7], { shape: [4] });
    expect(() => importModel(c.build([], [y]))).toThrow(/operator 0 \(RELU\): tensor, expected one of 1, got 7/);
    expect(() => importModel(relu().with(relu().length - 1, 0))).not.toThrow();
    const d = new TfliteBuilder();
    const z = d.tensor({ name: "z", shape: [4] });
    expect(() => importModel(d.build([z, z], [z]))).toThrow(/a tensor listed once/);
    expect(() => importModel(d.build([z], []))).toThrow(/outputs, expected at least one/);
  });

  test("shapes that overflow, and constants that are shorter than their shape", () => {
    const huge = new TfliteBuilder();
    const x = huge.tensor({ name: "x", shape: [0x7fff_ffff, 0x7fff_ffff, 0x7fff_ffff] });
    expect(() => importModel(huge.build([x], [huge.operator("RELU", [x], { shape: [1] })]))).toThrow(
      /fewer than 2\^40 elements/,
    );
    const short = new TfliteBuilder();
    const a = short.tensor({ name: "a", shape: [1, 4] });
    const w = short.tensor({ name: "w", shape: [3, 4], data: new Float32Array(11) });
    const y = short.operator("FULLY_CONNECTED", [a, w], { shape: [1, 3] });
    expect(() => importModel(short.build([a], [y]))).toThrow(
      /"w": data of FLOAT32 \[3,4\], expected 48 bytes, got 44 bytes/,
    );
  });

  test("a kernel larger than its image, strides of 0, and axes that are none", () => {
    const make = (options: Parameters<TfliteBuilder["operator"]>[3], size: number) => {
      const b = new TfliteBuilder();
      const x = b.tensor({ name: "x", shape: [1, 3, 3, 1] });
      const w = b.tensor({ shape: [1, size, size, 1], data: new Float32Array(size * size) });
      return b.build([x], [b.operator("CONV_2D", [x, w], { shape: [1, 1, 1, 1] }, options)]);
    };
    expect(() => importModel(make({ 0: int8(1), 1: int32(1), 2: int32(1) }, 5))).toThrow(GraphError);
    expect(() => importModel(make({ 0: int8(1) }, 3))).toThrow(
      /kernel, strides and dilations, expected sizes of 1 to 65535, got 0/,
    );
  });
});

describe("TFLite files that are not supported", () => {
  test("every unknown operator at once, with its nodes", () => {
    const b = new TfliteBuilder();
    const x = b.tensor({ name: "x", shape: [4] });
    const first = b.operator("LSTM", [x], { name: "cell", shape: [4] });
    const second = b.operator("acme.Twist", [first], { name: "twisted", shape: [4] }, {}, new Uint8Array(4));
    const third = b.operator("LSTM", [second], { name: "again", shape: [4] });
    const error = caught(() => importModel(b.build([x], [third])));
    expect(error).toBeInstanceOf(UnsupportedOperatorsError);
    expect((error as UnsupportedOperatorsError).operators).toEqual(
      new Map([
        ["LSTM", ["cell", "again"]],
        ["acme.Twist", ["twisted"]],
      ]),
    );
    expect((error as Error).message).toContain(
      "3 nodes with operators that are not supported: 2 LSTM (cell, again); 1 acme.Twist (twisted). Supported are ",
    );
    expect((error as UnsupportedOperatorsError).expected).toContain("CONV_2D");
  });

  test("int16 activations around another point than 0 by name", () => {
    const b = new TfliteBuilder();
    const x = b.tensor({ name: "x", type: "INT16", shape: [4], scale: 0.5, zeroPoint: 3 });
    const y = b.operator("RELU", [x], { type: "INT16", shape: [4], scale: 0.5 });
    expect(caught(() => importModel(b.build([x], [y])))).toBeInstanceOf(UnsupportedError);
    expect(() => importModel(b.build([x], [y]))).toThrow(/input "x": a value of type INT16/);
  });
});

describe("TFLite operators without a golden", () => {
  test("sums of several, clips, casts, and a pad with a value of its own", async () => {
    const b = new TfliteBuilder();
    const x = b.tensor({ name: "x", type: "INT32", shape: [1, 3] });
    const real = b.operator("CAST", [x], { shape: [1, 3] });
    const sum = b.operator("ADD_N", [real, real, real], { shape: [1, 3] });
    const value = b.tensor({ shape: [], data: Float32Array.of(0.25) });
    const padded = b.operator("PADV2", [sum, b.ints([0, 0, 0, 1], [2, 2]), value], { shape: [1, 4] });
    const signed = b.operator("RELU_N1_TO_1", [padded], { name: "signed", shape: [1, 4] });
    const unsigned = b.operator("RELU_0_TO_1", [padded], { name: "unsigned", shape: [1, 4] });
    using model = await createModel(importModel(b.build([x], [signed, unsigned])));
    const y = await model.run({ x: new Tensor("int32", [1, 3], Int32Array.of(-5, 0, 7)) });
    expect([...y.signed!.data]).toEqual([-1, 0, 1, 0.25]);
    expect([...y.unsigned!.data]).toEqual([0, 0, 1, 0.25]);
  });
});

describe("TFLite shapes", () => {
  test("an open batch through shape, slices and a reshape that is made of them", () => {
    const b = new TfliteBuilder();
    const x = b.tensor({ name: "x", shape: [1, 2, 3], signature: [-1, 2, 3] });
    const shape = b.operator("SHAPE", [x], { type: "INT32", shape: [3] });
    const joined = b.operator("CONCATENATION", [shape, b.ints([1])], { type: "INT32", shape: [4] });
    const y = b.operator("RESHAPE", [x, joined], { name: "y", shape: [1, 2, 3, 1] });
    // As Keras flattens: the batch cut out of the shape, and packed with a size.
    const batch = b.operator(
      "STRIDED_SLICE",
      [shape, b.ints([0]), b.ints([1]), b.ints([1])],
      { type: "INT32", shape: [] },
      { 4: int32(1) },
    );
    const size = b.tensor({ type: "INT32", shape: [], data: Int32Array.of(6) });
    const packed = b.operator("PACK", [batch, size], { type: "INT32", shape: [2] }, { 0: int32(2), 1: int32(0) });
    const flat = b.operator("RESHAPE", [x, packed], { name: "flat", shape: [1, 6] });
    const { values } = importModel(b.build([x], [y, flat]));
    expect(values.get("y")!.shape).toEqual(["N", 2, 3, 1]);
    expect(values.get("flat")!.shape).toEqual(["N", 6]);
  });

  test("an open batch that a reshape closes again is the batch of the file", () => {
    const b = new TfliteBuilder();
    const x = b.tensor({ name: "x", shape: [1, 2, 3], signature: [-1, 2, 3] });
    const y = b.operator("RESHAPE", [x, b.ints([1, 6])], { name: "y", shape: [1, 6] });
    expect(importModel(b.build([x], [y])).values.get("x")!.shape).toEqual([1, 2, 3]);
  });

  test("reads names, types and constants as they are", () => {
    const { tensors, operators } = readTflite(relu());
    expect(tensors.map(({ name, type, shape }) => [name, type, shape])).toEqual([
      ["x", 0, [1, 4]],
      ["y", 0, [1, 4]],
    ]);
    expect(operators).toMatchObject([{ type: "RELU", title: "y", inputs: [0], outputs: [1] }]);
  });
});

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("tensors of one name, which TFLite allows: it knows them by number", () => {
  /** (a + w) * b with the names given. */
  const file = (name: (role: string) => string) => {
    const net = new TfliteBuilder();
    const a = net.tensor({ name: name("a"), shape: [1, 2], signature: [1, -1] });
    const b = net.tensor({ name: name("b"), shape: [1, 1] });
    const w = net.tensor({ name: name("w"), shape: [1, 1], data: Float32Array.of(10) });
    const sum = net.operator("ADD", [a, w], { name: name("sum"), shape: [1, 2], signature: [1, -1] });
    return net.build([a, b], [net.operator("MUL", [sum, b], { name: name("y"), shape: [1, 2], signature: [1, -1] })]);
  };

  test("inputs, constants and outputs are told apart", async () => {
    for (const [name, outputs] of [
      [(role: string) => role, ["y"]],
      [() => "t", ["t_2"]],
      [() => "", ["output_0"]],
    ] as const) {
      const graph = importModel(file(name));
      using model = await createModel(graph);
      expect(graph.inputs).toHaveLength(2);
      expect(graph.outputs).toEqual(outputs);
      const [a, b] = graph.inputs as [string, string];
      const y = await model.run({
        [a]: new Tensor("f32", [1, 3], Float32Array.of(1, 2, 3)),
        [b]: new Tensor("f32", [1, 1], Float32Array.of(2)),
      });
      expect([...(y[graph.outputs[0]!]!.data as Float32Array)]).toEqual([22, 24, 26]);
    }
  });

  test("their open sizes are not one size", () => {
    const net = new TfliteBuilder();
    const [a, b] = [0, 1].map(() => net.tensor({ name: "t", shape: [1, 2], signature: [1, -1] })) as [number, number];
    const y = net.operator("CONCATENATION", [a, b], { name: "y", shape: [1, 4], signature: [1, -1] });
    const { tensors } = readTflite(net.build([a, b], [y]));
    expect(tensors.slice(0, 2).map(({ dims }) => dims[1])).toEqual(["t_1", "tensor1_1"]);
  });
});
