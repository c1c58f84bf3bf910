import type { Constant, Graph, Node, ValueInfo } from "lowbit";
import { describe, expect, it } from "vitest";
import { layersOf, totalMacs } from "./layers.ts";

const window = {
  kernel: [3, 3],
  strides: [1, 1],
  dilations: [1, 1],
  pads: [1, 1, 1, 1],
  groups: 1,
  padding: "zero",
} as const;

const f32 = (shape: number[]): Constant => ({
  kind: "plain",
  dtype: "f32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

const sign = (shape: [number, number]): Constant => ({
  kind: "quantized",
  scheme: "binary",
  shape,
  bits: 1,
  codes: new Uint8Array((shape[0] * shape[1]) / 8),
  decoding: { kind: "sign" },
});

function graphOf(nodes: Node[], values: Record<string, ValueInfo>, constants: Record<string, Constant>): Graph {
  return {
    name: "test",
    inputs: ["x"],
    outputs: ["y"],
    nodes,
    values: new Map(Object.entries(values)),
    constants: new Map(Object.entries(constants)),
  };
}

describe("layersOf", () => {
  const graph = graphOf(
    [
      { op: "conv2d", name: "conv", inputs: ["x", "wc"], outputs: ["c"], attributes: window },
      { op: "sign", name: "sign", inputs: ["c"], outputs: ["s"], attributes: {} },
      { op: "reshape", name: "flat", inputs: ["s"], outputs: ["f"], attributes: { shape: [0, -1] } },
      { op: "dense", name: "fc", inputs: ["f", "wd"], outputs: ["y"], attributes: {} },
    ],
    {
      x: { dtype: "f32", shape: ["N", 8, 8, 3] },
      c: { dtype: "f32", shape: ["N", 8, 8, 16] },
      s: { dtype: "bit", shape: ["N", 8, 8, 16] },
      f: { dtype: "bit", shape: ["N", 1024] },
      y: { dtype: "f32", shape: ["N", 10] },
    },
    { wc: f32([16, 3, 3, 3]), wd: sign([10, 1024]) },
  );

  it("counts a convolution per output pixel and a dense layer once, for one sample", () => {
    const [conv, fc] = layersOf(graph);
    expect(conv).toMatchObject({ name: "conv", scheme: "float", weights: 432, bits: 32, macs: 8 * 8 * 16 * 27 });
    expect(fc).toMatchObject({ name: "fc", scheme: "binary", weights: 10240, bits: 1, macs: 10240 });
  });

  it("sorts the work by what meets in the inner loop", () => {
    expect(totalMacs(layersOf(graph))).toEqual({ binary: 10240, int8: 0, float: 8 * 8 * 16 * 27 });
  });

  it("leaves the count open where the image's size is known only at run time", () => {
    const open = {
      ...graph,
      values: new Map([...graph.values, ["c", { dtype: "f32", shape: ["N", "H", "W", 16] }] as const]),
    };
    expect(layersOf(open)[0]?.macs).toBeUndefined();
  });

  it("calls integer activations and quantized weights of any width int8 arithmetic", () => {
    const integer = {
      ...graph,
      values: new Map([...graph.values, ["f", { dtype: "int8", shape: ["N", 1024] }] as const]),
    };
    expect(layersOf(integer)[1]?.arithmetic).toBe("int8");
  });

  it("and of floats that a layer quantizes row by row", () => {
    const attributes = { activations: "int8" } as const;
    const nodes = [
      ...graph.nodes.slice(0, -1),
      { op: "dense", name: "fc", inputs: ["f", "wd"], outputs: ["y"], attributes } as const,
    ];
    const values = new Map([...graph.values, ["f", { dtype: "f32", shape: ["N", 1024] }] as const]);
    expect(layersOf({ ...graph, nodes, values })[1]?.arithmetic).toBe("int8");
    expect(layersOf({ ...graph, values })[1]?.arithmetic).toBe("float");
  });
});
