import { type Graph, GraphError, inferShape, type Node, validateGraph } from "lowbit";
import { describe, expect, it } from "vitest";
import { GraphBuilder, square } from "../src/testing/builder.ts";
import { RandomData } from "../src/testing/random-data.ts";
import { binaryCnn, codedCnn, floatChain, integerCnn } from "../src/testing/random-graphs.ts";

/** x [N, 4] -> dense 3 -> clip. */
function small(): Graph {
  const builder = new GraphBuilder();
  const x = builder.input("x", "f32", ["N", 4]);
  const weight = builder.plain("f32", [3, 4], new Float32Array(12));
  const y = builder.node("dense", [x, weight], {}, "f32");
  return builder.build(builder.node("clip", [y], { min: 0, max: 1 }, "f32"));
}

const withNode = (graph: Graph, index: number, change: object): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node, i) => (i === index ? ({ ...node, ...change } as Node) : node)),
});
const withValue = (graph: Graph, name: string, change: object): Graph => ({
  ...graph,
  values: new Map([...graph.values].map(([key, info]) => [key, key === name ? { ...info, ...change } : info])),
});
const withConstant = (change: object): Graph => {
  const builder = new GraphBuilder();
  const x = builder.input("x", "f32", ["N", 8]);
  const weight = { ...new RandomData(1).weight({ shape: [3, 8], kind: "affine", bits: 4, scales: 4 }), ...change };
  const name = builder.quantized(weight as never);
  return builder.build(builder.node("dense", [x, name], {}, "f32"));
};

describe("validateGraph accepts", () => {
  it.each([small, () => withConstant({})])("a plain graph", (make) => expect(validateGraph(make())).toBeUndefined());

  it.each([binaryCnn, integerCnn, codedCnn, floatChain])("what the random generators make", (make) => {
    for (let seed = 0; seed < 20; seed++) validateGraph(make(seed).graph);
  });
});

describe("validateGraph refuses", () => {
  const cases: Record<string, readonly [graph: () => Graph, message: RegExp]> = {
    "an unknown operator": [() => withNode(small(), 0, { op: "gelu" }), /operator, expected a known one, got gelu/],
    "an operator from the prototype": [
      () => withNode(small(), 0, { op: "constructor" }),
      /operator, expected a known one/,
    ],
    "two nodes of one name": [
      () => withNode(small(), 1, { name: "dense0" }),
      /name, expected a unique one, got dense0/,
    ],
    "a missing input": [
      () => withNode(small(), 0, { inputs: ["z", "constant0"] }),
      /input 0, expected a constant or a value written before, got z/,
    ],
    "a cycle": [
      () => withNode(small(), 0, { inputs: ["clip1.y", "constant0"] }),
      /input 0, .*, got clip1.y, written later/,
    ],
    "a value written twice": [
      () => withNode(small(), 1, { outputs: ["dense0.y"] }),
      /output, expected a name written once/,
    ],
    "a node that writes its input": [
      () => withNode(small(), 1, { inputs: ["x"], outputs: ["x"] }),
      /output, expected a name written once, got x/,
    ],
    "an output without a type": [
      () => withNode(small(), 1, { outputs: ["new"] }),
      /output, expected a value with dtype and shape, got new/,
    ],
    "too few inputs": [() => withNode(small(), 0, { inputs: ["x"] }), /inputs, expected 2 to 3, got 1/],
    "too many inputs": [() => withNode(small(), 1, { inputs: ["x", "x"] }), /inputs, expected 1, got 2/],
    "a weight that is not constant": [
      () => withNode(small(), 0, { inputs: ["x", "x"] }),
      /input 1, expected a constant, got value x/,
    ],
    "a missing attribute": [
      () => withNode(small(), 1, { attributes: { min: 0 } }),
      /max, expected a number that is not NaN, got undefined/,
    ],
    "a wrong attribute": [() => withNode(small(), 1, { attributes: { min: "0", max: 1 } }), /min, expected a number/],
    "an attribute of another operator": [
      () => withNode(small(), 1, { attributes: { min: 0, max: 1, axis: 0 } }),
      /axis, expected no such attribute of clip/,
    ],
    "attributes that are none": [() => withNode(small(), 1, { attributes: null }), /attributes, expected an object/],
    "an empty clamp": [() => withNode(small(), 0, { attributes: { clamp: [1, 0] } }), /clamp, expected \[min, max\]/],
    "a wrong shape": [
      () => withValue(small(), "dense0.y", { shape: ["N", 4] }),
      /shape of the output, expected \[N, 3\], got \[N, 4\]/,
    ],
    "an unknown dtype": [() => withValue(small(), "x", { dtype: "f8" }), /dtype, expected .*, got f8/],
    "a dtype without kernel meaning": [
      () => withValue(small(), "x", { dtype: "int64" }),
      /dtype of input 0, .*, got int64/,
    ],
    "a fractional size": [() => withValue(small(), "x", { shape: ["N", 4.5] }), /shape, expected at most 16 sizes/],
    "a huge value": [
      () => withValue(small(), "x", { shape: [65536, 65536] }),
      /elements \(at most\), expected 2147483648/,
    ],
    "a scale of 0": [
      () => withValue(small(), "x", { dtype: "int8", quantization: { scale: 0, zeroPoint: 0 } }),
      /scale, expected a finite number above 0/,
    ],
    "a zero point out of range": [
      () => withValue(small(), "x", { dtype: "int8", quantization: { scale: 1, zeroPoint: 200 } }),
      /zero point, expected an integer of -128 to 127/,
    ],
    "no output": [() => ({ ...small(), outputs: [] }), /outputs, expected at least one/],
    "an output that nobody writes": [
      () => ({ ...small(), outputs: ["y"] }),
      /a value that a node or an input writes, got y/,
    ],
    "a name that is value and constant": [
      () => ({
        ...small(),
        constants: new Map([["x", { kind: "plain", dtype: "f32", shape: [], data: new Float32Array(1) }]]),
      }),
      /name, expected one that no value has/,
    ],
    "NaN weights": [
      () => ({
        ...small(),
        constants: new Map([
          ["constant0", { kind: "plain", dtype: "f32", shape: [3, 4], data: new Float32Array(12).fill(Number.NaN, 5) }],
        ]),
      }),
      /elements, expected no NaN, got NaN at 5/,
    ],
    "a constant of the wrong length": [
      () => ({
        ...small(),
        constants: new Map([["constant0", { kind: "plain", dtype: "f32", shape: [3, 4], data: new Float32Array(11) }]]),
      }),
      /elements, expected 12, got 11/,
    ],
    "codes that are too short": [
      () => withConstant({ codes: new Uint8Array(11) }),
      /bytes of codes, expected 12, got 11/,
    ],
    "9 bits": [() => withConstant({ bits: 9 }), /bits, expected 1 to 8, got 9/],
    "a wrong scale shape": [() => withConstant({ scaleShape: [2, 2] }), /scale shape/],
    "too few scales": [() => withConstant({ scale: new Float32Array(5) }), /scales, expected 6, got 5/],
    "an infinite scale": [
      () => withConstant({ scale: new Float32Array(6).fill(Number.POSITIVE_INFINITY) }),
      /scale, expected finite numbers/,
    ],
    "a zero point of 1000": [
      () => withConstant({ decoding: { kind: "affine", zeroPoint: 1000 } }),
      /zero point, expected an integer of -256 to 256/,
    ],
    "zero points of another length": [
      () => withConstant({ decoding: { kind: "affine", zeroPoint: new Int32Array(5) } }),
      /zero points, expected 6, got 5/,
    ],
    "a code past the codebook": [
      () =>
        withConstant({
          codes: new Uint8Array(12).fill(0xff),
          decoding: { kind: "table", codebook: new Float32Array(15) },
        }),
      /code \(at most\), expected 14, got 15/,
    ],
    "an empty codebook": [
      () => withConstant({ decoding: { kind: "table", codebook: new Float32Array(0) } }),
      /codebook entries, expected 1 to 16, got 0/,
    ],
    "a dimension that does not divide": [
      () => withConstant({ decoding: { kind: "product", codebook: new Float32Array(48), dimension: 3 } }),
      /dimension of the sub-vectors, expected a divisor of 8, got 3/,
    ],
    "an unknown decoding": [
      () => withConstant({ decoding: { kind: "huffman" } }),
      /decoding, expected sign, affine, offset, bases, table, product, additive or hashed/,
    ],
  };
  it.each(Object.entries(cases))("%s", (_, [make, message]) => {
    expect(() => validateGraph(make())).toThrow(GraphError);
    expect(() => validateGraph(make())).toThrow(message);
  });

  it("a long chain without running out of stack", () => {
    const builder = new GraphBuilder();
    let x = builder.input("x", "f32", ["N", 2]);
    for (let i = 0; i < 20_000; i++) x = builder.node("clip", [x], { min: 0, max: 1 }, "f32");
    validateGraph(builder.build(x));
  });
});

describe("inferShape", () => {
  const node = (op: string, attributes: object): Node =>
    ({ op, name: "n", inputs: [], outputs: ["y"], attributes }) as unknown as Node;

  it.each([
    [
      "conv2d",
      { ...square(3, { pad: 1, stride: 2 }), groups: 1, padding: "zero" },
      [
        ["N", 28, 28, 3],
        [8, 3, 3, 3],
      ],
      ["N", 14, 14, 8],
    ],
    [
      "conv2d",
      { ...square(3, { dilation: 2 }), groups: 2, padding: "zero" },
      [
        [1, 9, 9, 4],
        [6, 3, 3, 2],
      ],
      [1, 5, 5, 6],
    ],
    ["maxPool", square(2, { stride: 2 }), [["N", 7, 7, 5]], ["N", 3, 3, 5]],
    [
      "dense",
      {},
      [
        ["N", "T", 16],
        [4, 16],
      ],
      ["N", "T", 4],
    ],
    [
      "matmul",
      {},
      [
        ["N", 3, 4],
        [4, 5],
      ],
      ["N", 3, 5],
    ],
    [
      "add",
      {},
      [
        ["N", 1, 4],
        [3, 1],
      ],
      ["N", 3, 4],
    ],
    ["reshape", { shape: [0, -1] }, [["N", 4, 4, 2]], ["N", 32]],
    ["reshape", { shape: [-1, 32] }, [["N", 4, 4, 2]], ["N", 32]],
    ["reshape", { shape: ["N", 2, 16] }, [["N", 4, 4, 2]], ["N", 2, 16]],
    ["reshape", { shape: [2, -1] }, [[4, 3]], [2, 6]],
    ["transpose", { permutation: [0, 3, 1, 2] }, [["N", 5, 6, 7]], ["N", 7, 5, 6]],
    [
      "concat",
      { axis: -1 },
      [
        ["N", 2],
        ["N", 3],
      ],
      ["N", 5],
    ],
    ["pad", { pads: [0, 1, 0, 2], value: 0 }, [["N", 4]], ["N", 7]],
    ["globalAvgPool", {}, [["N", 7, 7, 64]], ["N", 1, 1, 64]],
  ] as const)("%s %o of %o is %o", (op, attributes, shapes, wanted) =>
    expect(inferShape(node(op, attributes), shapes)).toEqual(wanted),
  );

  it.each([
    [
      "conv2d",
      { ...square(5), groups: 1, padding: "zero" },
      [
        [1, 3, 3, 1],
        [1, 5, 5, 1],
      ],
      /height with padding \(at least\), expected 5, got 3/,
    ],
    [
      "conv2d",
      { ...square(3), groups: 1, padding: "zero" },
      [
        [1, 8, 8, 2],
        [4, 3, 3, 3],
      ],
      /channels/,
    ],
    [
      "dense",
      {},
      [
        ["N", 16],
        [4, 15],
      ],
      /last axis of x, expected 15, got 16/,
    ],
    ["reshape", { shape: [3, -1] }, [["N", 4]], /size of axis -1|elements of the new shape/],
    ["reshape", { shape: [5] }, [[2, 3]], /elements of the new shape/],
    ["transpose", { permutation: [0, 0] }, [[1, 2]], /permutation/],
    [
      "concat",
      { axis: 3 },
      [
        [1, 2],
        [1, 2],
      ],
      /axis, expected -2 to 1, got 3/,
    ],
    ["add", {}, [[2], [3]], /axis 0 of the broadcast/],
    ["maxPool", square(2, { pad: 2 }), [[1, 4, 4, 1]], /padding/],
  ] as const)("%s %o refuses %o", (op, attributes, shapes, message) =>
    expect(() => inferShape(node(op, attributes), shapes)).toThrow(message),
  );
});
